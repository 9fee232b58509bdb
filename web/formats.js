// Files that results are saved as.

import { firstPassOf, headsOf, intervalOf, sizeOf } from "./results.js";

/** Formats of results by name; heads in the formats of other tools are in saving.js. */
export const FORMATS = {
  counts: { label: "Counts (CSV)", file: "counts.csv", kind: "text/csv", write: table },
  results: { label: "Results (JSON)", file: "counts.json", kind: "application/json", write: (all) => JSON.stringify(all.map(plain), null, 1) },
  geojson: { label: "Heads (GeoJSON)", file: "heads.geojson", kind: "application/geo+json", write: (all) => JSON.stringify(geojson(all)) },
};

/** Return a result without what only the page needs. */
export function plain({ density, ...result }) {
  return result;
}

function cell(value) {
  const text = String(value ?? "");
  // A leading sign would make a spreadsheet run the rest as a formula.
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const line = (values) => `${values.map(cell).join(",")}\n`;

function table(all) {
  const rows = all.map((result) => {
    const interval = intervalOf(result);
    return line([
      result.photo, round(result.count), interval?.low, interval?.high, round(firstPassOf(result)),
      headsOf(result).length, result.regions?.length ?? 0, ...sizeOf(result), result.model,
      (result.warnings ?? []).join(" "), result.usable ?? true,
    ]);
  });
  const head = "photo,count,count_low,count_high,first_pass_count,heads,regions,width,height,model,warnings,usable\n";
  return head + rows.join("");
}

function geojson(all) {
  const features = all.flatMap((result) =>
    headsOf(result).map(([x, y, confidence]) => ({
      type: "Feature", geometry: { type: "Point", coordinates: [x + 0.5, -(y + 0.5)] },
      properties: { kind: "head", photo: result.photo, confidence: confidence ?? 1 },
    })),
  );
  return { type: "FeatureCollection", features };
}

const round = (value) => (value == null ? "" : Math.round(value * 1000) / 1000);

/** Hand a file to the browser's downloads. */
export function download(name, content, kind) {
  const blob = content instanceof Blob ? content : new Blob([content], { type: kind });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
