// The one schema of a photo's result, as files hold it: the columns of docs/files-and-columns.md. A test compares them with Python's.

import { firstPassOf, headsOf, intervalOf, readScaleOf, sizeOf, zoomOf } from "./results.js";

/** Decimals of the numbers that a table rounds, by column; the other columns are undefined here. */
const DECIMALS = { count: 3, first_pass_count: 3, read_scale: 6, seconds: 4, zoom: 4 };

/** Columns that a table leaves out. */
const LONG = ["heads", "intervals", "interval_of"];

/** Return a result as a row of the schema, with every column and exact numbers, as `crowdscale count --json` writes it. */
export function rowOf(result) {
  const [interval, [width, height]] = [intervalOf(result), sizeOf(result)];
  return {
    photo: result.photo,
    count: result.count,
    count_low: interval?.low ?? null,
    count_high: interval?.high ?? null,
    first_pass_count: firstPassOf(result),
    model: result.model,
    width,
    height,
    read_scale: readScaleOf(result),
    tiles: result.tiles ?? null,
    seconds: result.seconds ?? null,
    regions: (result.regions ?? []).map(regionOf),
    zones: [],
    heads: headsOf(result),
    intervals: result.intervals ?? null,
    interval_of: result.interval_of ?? "",
    turn: result.turn ?? 0,
    warnings: result.warnings ?? [],
    notes: result.notes ?? [],
    usable: result.usable ?? true,
    calibrated: result.calibrated ?? false,
    calibrated_heads: result.calibrated_heads ?? false,
    error: "",
  };
}

/** Return the row of a photo that has no count, with the sentence that explains it. */
export function failedRow(photo, error) {
  return {
    photo, count: null, count_low: null, count_high: null, first_pass_count: null, model: "", width: null, height: null,
    read_scale: null, tiles: null, seconds: null, regions: [], zones: [], heads: null, intervals: null, interval_of: "",
    turn: 0, warnings: [], notes: [], usable: true, calibrated: false, calibrated_heads: false, error,
  };
}

function regionOf(region) {
  const { box, count, first_pass_count, capped } = region;
  return { box, zoom: zoomOf(region), first_pass_count: first_pass_count ?? region.count_before, count: count ?? region.count_after, capped: capped ?? false };
}

/** Return rows as CSV with the columns of `crowdscale count --csv`. */
export function csvOf(rows) {
  const names = Object.keys(failedRow("", "")).filter((name) => !LONG.includes(name));
  return [names, ...rows.map(rounded).map((row) => names.map((name) => row[name]))].map(line).join("");
}

function rounded(row) {
  const round = (name, value) => (name in DECIMALS && value != null ? Number(value.toFixed(DECIMALS[name])) : value);
  const regions = row.regions?.map(rounded);
  return { ...Object.fromEntries(Object.entries(row).map(([name, value]) => [name, round(name, value)])), ...(regions ? { regions } : {}) };
}

const line = (values) => `${values.map(cell).join(",")}\n`;

/** Return a cell: a list is JSON, an empty list and a missing value are empty. */
function cell(value) {
  const text = Array.isArray(value) ? (value.length ? JSON.stringify(value) : "") : String(value ?? "");
  // A leading sign would make a spreadsheet run the rest as a formula.
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
