// The report of an audit as one HTML file: the same page and parts as crowdscale.trust.audit.report fills in Python.

import { estimateOf, frameMean, headline, intervalText, nextStep } from "./audit.js";
import { inclusion, orderOf } from "./audit_design.js";
import { contains } from "./boxes.js";
import { fixed, grouped, short } from "./numbers.js";
import { reportChart } from "./report_chart.js";
import { roundEven } from "./resize.js";

/** Return a text as HTML. */
export const escaped = (text) =>
  text.replace(/[&<>"']/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" })[sign]);

/**
 * Return the report of a record.
 *
 * `design` is report.json of the site. `open(index)` returns a photo that draws itself: `overview(width, height)` and
 * `tile(view, width, height)` return addresses of JPEGs, and `close()` ends it; one photo is open at a time.
 */
export async function reportHtml(record, design, open) {
  const { plan, answers } = record;
  const report = new Report(record, design);
  const drawn = orderOf(plan, answers.length);
  const [photos, tiles] = [[], new Array(drawn.length)];
  for (const index of [...new Set(drawn.map((cell) => plan.cells[cell].photo))].sort((a, b) => a - b)) {
    const photo = await open(index);
    if (photos.length < design.photos) photos.push(await report.overview(index, photo));
    for (let i = 0; i < drawn.length; i++) {
      if (plan.cells[drawn[i]].photo === index) tiles[i] = await report.tile(i, photo);
    }
    photo.close();
  }
  return report.page(photos, tiles);
}

class Report {
  constructor(record, design) {
    Object.assign(this, { record, design, plan: record.plan });
    const counts = record.answers.map(({ count }) => count);
    this.steps = [...counts.keys(), counts.length].map((number) => estimateOf(this.plan, counts.slice(0, number), record.level));
    this.order = orderOf(this.plan, counts.length);
  }

  part(name, values) {
    return this.design.parts[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
  }

  page(photos, tiles) {
    const { record, plan, design, steps } = this;
    const last = steps.at(-1);
    const parts = {
      title: escaped(record.note || this.title()),
      headline: escaped(headline(last)),
      next: escaped(`${frameMean(last, plan.photos)} ${nextStep(last)}`.trim()),
      facts: this.facts(last),
      photos: photos.join("\n"),
      chart: reportChart(steps, (name, values) => this.part(name, values)),
      tiles: tiles.join("\n"),
      method: design.method.join(" "),
      limits: this.part("list", { items: design.limits.map((text) => this.part("item", { text: escaped(text) })).join("") }),
      check: this.checks(),
      record: design.opening + JSON.stringify(record).replaceAll("<", "\\u003c") + design.closing,
    };
    return design.page.replace(/<!--(\w+)-->/g, (_, name) => parts[name]);
  }

  title() {
    const { photos } = this.plan;
    return photos.length === 1 ? `Audit of ${photos[0].name}` : `Audit of ${grouped(photos.length)} photos`;
  }

  table(rows) {
    return this.part("table", { rows: rows.map(([name, value]) => this.part("row", { name: escaped(name), value: escaped(value) })).join("") });
  }

  facts(estimate) {
    const sorted = (key) => [...new Set(this.record.answers.map((answer) => answer[key]).filter(Boolean))].sort();
    const times = sorted("at");
    const rows = [
      ["People", grouped(estimate.count)], [`${short(100 * estimate.level)} % interval`, intervalText(estimate)],
      ["By the model alone", grouped(estimate.predicted)],
      ["Counted by hand", `${grouped(estimate.counted)} in ${grouped(estimate.audited)} of ${grouped(estimate.cells)} tiles`],
      ["Counted by", sorted("by").join(", ")], ["Counted at", times.length > 1 ? `${times[0]} to ${times.at(-1)}` : (times[0] ?? "")],
    ];
    return this.table(rows.filter(([, value]) => value));
  }

  checks() {
    const { plan, order, record: { model }, design } = this;
    const rows = [
      ["Seed", plan.seed], ["Draw", order.join(", ")],
      ["Tiles", Object.entries(plan.options).map(([key, value]) => `${key} ${short(Number(value))}`).join(", ")],
      ["Model", model.name], ["Model, sha256", model.sha256], ["crowdscale", model.version],
      ["Settings", Object.keys(model.settings).length ? JSON.stringify(model.settings) : "the usual ones"],
    ];
    for (const { name, width, height, predicted, sha256 } of plan.photos.slice(0, design.photos)) {
      rows.push([name, `${width} × ${height}, ${grouped(predicted, 1)} by the model, sha256 ${sha256 || "unknown"}`]);
    }
    const further = plan.photos.length - design.photos;
    if (further > 0) rows.push(["Further photos", `${grouped(further)}, in the record of this file`]);
    return this.table(rows);
  }

  /** Return a photo with all tiles, the counted ones numbered. */
  async overview(index, photo) {
    const { width, height, name } = this.plan.photos[index];
    const [wide, high] = reduced(width, height, this.design.overview);
    const factor = wide / width;
    const numbers = new Map(this.order.map((cell, tile) => [cell, tile + 1]));
    let [cells, drawn] = ["", ""];
    this.plan.cells.forEach(({ photo: own, box }, place) => {
      if (own !== index) return;
      const [x, y] = box;
      const frame = { x, y, width: box[2] - x, height: box[3] - y };
      if (!numbers.has(place)) {
        cells += this.part("cell", { ...frame, line: fixed(1 / factor, 2) });
        return;
      }
      const size = Math.min(22 / factor, 0.6 * frame.height, 0.5 * frame.width);
      drawn += this.part("drawn", {
        ...frame, line: fixed(3 / factor, 2), text_x: fixed(x + 0.2 * size, 1), text_y: fixed(y + 0.95 * size, 1),
        size: fixed(size, 1), edge: fixed(size / 5, 1), number: numbers.get(place),
      });
    });
    return this.part("photo", { width, height, name: escaped(name), image: await photo.overview(wide, high), cells, drawn });
  }

  /** Return a counted tile: people's heads on the left, the model's on the right. */
  async tile(tile, photo) {
    const { record, plan } = this;
    const answer = record.answers[tile];
    const cell = plan.cells[answer.cell];
    const view = tileView(cell.box, plan.photos[cell.photo]);
    const [width, height] = reduced(...view.size, this.design.tile);
    const [scale, right] = [width / view.size[0], width + 8];
    const box = { left: cell.box[0], top: cell.box[1], right: cell.box[2], bottom: cell.box[3] };
    const model = (record.model_heads[cell.photo] ?? []).filter(([x, y]) => contains(box, x, y));
    const marks = this.marks(answer.heads ?? [], view, scale, 0, "hand") + this.marks(model, view, scale, right, "model");
    const caption = escaped(this.caption(tile, answer, cell));
    const image = await photo.tile(view, width, height);
    return this.part("tile", { width, height, whole: right + width, right, image, number: tile + 1, marks, caption });
  }

  marks(heads, { shown, factors }, scale, right, kind) {
    const mark = ([x, y]) => this.part("head", {
      kind, x: fixed(((x - shown[0] + 0.5) * factors[0] - 0.5 + 0.5) * scale + right, 1),
      y: fixed(((y - shown[1] + 0.5) * factors[1] - 0.5 + 0.5) * scale, 1),
    });
    return heads.map(mark).join("");
  }

  caption(tile, { cell, count, heads, by, at }, { predicted, photo }) {
    const [chance] = inclusion(this.plan, this.record.answers.length, [cell]);
    const parts = [
      `Tile ${tile + 1}: ${count} by hand, ${fixed(predicted, 1)} by the model`,
      this.plan.photos.length > 1 ? this.plan.photos[photo].name : "",
      `cell ${cell}, chance ${fixed(100 * chance, 1)} %`, [by && `by ${by}`, at].filter(Boolean).join(" "),
      heads ? "" : "counted without marks",
    ];
    return parts.filter(Boolean).join(", ");
  }
}

function reduced(width, height, longest) {
  const factor = Math.min(1, longest / Math.max(width, height));
  return [Math.max(1, roundEven(width * factor)), Math.max(1, roundEven(height * factor))];
}

const [SHOWN, MOST_SHOWN, MOST_ZOOM, MARGIN, LEAST_MARGIN] = [1000, 1600, 8, 0.15, 12]; // as TileView in Python

/** Return how a tile is shown: its box, the box with its margin, the size of the picture and its factors. */
export function tileView(box, { width, height }) {
  const [left, top, right, bottom] = box;
  const margin = Math.max(LEAST_MARGIN, roundEven(MARGIN * Math.max(right - left, bottom - top)));
  const shown = [Math.max(0, left - margin), Math.max(0, top - margin), Math.min(width, right + margin), Math.min(height, bottom + margin)];
  const [wide, high] = [shown[2] - shown[0], shown[3] - shown[1]];
  const longest = Math.max(wide, high);
  const zoom = Math.min(MOST_ZOOM, Math.max(SHOWN / longest, Math.min(1, MOST_SHOWN / longest)));
  const size = [Math.max(1, roundEven(wide * zoom)), Math.max(1, roundEven(high * zoom))];
  return { box, shown, size, factors: [size[0] / wide, size[1] / high] };
}
