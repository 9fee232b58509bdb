// Saving heads in the formats of other tools: the service writes them where there is one, else this browser.

import { askService } from "./engines.js";
import { nearestDistances } from "./engine/points.js";
import { zipOf } from "./zip.js";

/** Formats of heads by the names of `crowdscale data convert --to`; `boxes` marks those that hold boxes alone. */
export const HEAD_FORMATS = {
  table: { label: "CSV, one table" },
  csv: { label: "CSV, a file a photo" },
  json: { label: "JSON, a file a photo" },
  coco: { label: "COCO" },
  yolo: { label: "YOLO (boxes)", boxes: true },
  voc: { label: "Pascal VOC (boxes)", boxes: true },
  labelstudio: { label: "Label Studio" },
  cvat: { label: "CVAT" },
  labelme: { label: "LabelMe" },
  via: { label: "VIA" },
  mat: { label: "MATLAB (ShanghaiTech)" },
  "density-npy": { label: "Density map (NumPy)", density: true },
  "density-tif": { label: "Density map (TIFF)", density: true },
};

const MOST_DENSITY = 100_000_000; // pixels of a map that a browser makes
const SHARE = 0.7; // side of a suggested box over the distance to the nearest head
const [SMALLEST, LARGEST] = [4, 100];

/** Return a side in pixels for squares around heads: neighbours just do not meet. */
export function suggestedSide(photos) {
  const found = photos.flatMap(({ heads }) => [...nearestDistances({ x: heads.map(([x]) => x), y: heads.map(([, y]) => y) })]);
  const known = found.filter(Number.isFinite).sort((a, b) => a - b);
  const side = known.length ? SHARE * known[known.length >> 1] : 16;
  return Math.round(Math.min(LARGEST, Math.max(SMALLEST, side)));
}

/** Return [file name, content] of photos {name, size, heads} in a format; `side` is of the squares of formats of boxes. */
export async function headsFile(site, format, photos, side) {
  checkNames(photos);
  const box = HEAD_FORMATS[format].boxes ? side : 0;
  const plain = photos.map(({ name, size, heads }) => ({ name, size, heads: heads.map(([x, y]) => [x, y]) }));
  return site?.mode === "service" ? fromService(format, plain, box) : fromBrowser(format, plain, box);
}

function checkNames(photos) {
  const seen = new Set();
  for (const { name } of photos) {
    if (seen.has(name)) throw new Error(`Two photos have the name ${name}. Annotations go by names: remove or rename one.`);
    seen.add(name);
  }
}

async function fromService(format, photos, box) {
  const path = `annotations?format=${format}&box=${box}`;
  const answer = await askService(path, { method: "POST", body: JSON.stringify({ photos }), headers: { "content-type": "application/json" } });
  if (!answer.ok) throw new Error((await answer.json()).error);
  const stated = answer.headers.get("content-disposition") ?? "";
  return [decodeURIComponent(stated.split("''")[1] ?? "heads"), await answer.blob()];
}

async function fromBrowser(format, photos, box) {
  const { WRITERS, targetOf } = await import("./annotations.js");
  const writer = WRITERS[format];
  const labels = photos.map((photo) => ({ ...photo, sizes: box > 0 ? photo.heads.map(() => [box, box]) : null }));
  if (HEAD_FORMATS[format].density) checkDensity(labels);
  if (writer.all) return [writer.file, new Blob([writer.all(labels)])];
  if (labels.length === 1) return [targetOf(writer, labels[0].name).split("/").at(-1), new Blob([writer.one(labels[0])])];
  async function* files() {
    for (const label of labels) yield [targetOf(writer, label.name), writer.one(label)];
  }
  return [`heads_${format}.zip`, await zipOf(files())];
}

function checkDensity(labels) {
  const large = labels.find(({ size }) => size[0] * size[1] > MOST_DENSITY);
  if (large) throw new Error(`A density map of ${large.name} is too large for a browser. Use crowdscale data convert.`);
}
