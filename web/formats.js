// Files that results are saved as.

import { firstPassOf, headsOf, intervalOf, sizeOf } from "./results.js";

/** Formats of results by name: {label, suffix, kind, write(results)}. */
export const FORMATS = {
  table: { label: "Table (CSV)", file: "counts.csv", kind: "text/csv", write: table },
  json: { label: "Results (JSON)", file: "counts.json", kind: "application/json", write: (all) => JSON.stringify(all.map(plain), null, 1) },
  points: { label: "Heads (CSV)", file: "points.csv", kind: "text/csv", write: points },
  coco: { label: "Heads (COCO)", file: "coco.json", kind: "application/json", write: (all) => JSON.stringify(coco(all)) },
  labelstudio: { label: "Heads (Label Studio)", file: "labelstudio.json", kind: "application/json", write: (all) => JSON.stringify(all.map(labelStudio)) },
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
      (result.warnings ?? []).join(" "),
    ]);
  });
  const head = "photo,count,count_low,count_high,first_pass_count,heads,regions,width,height,model,warnings\n";
  return head + rows.join("");
}

function points(all) {
  const rows = all.flatMap((result) => {
    const heads = headsOf(result);
    return heads.length ? heads.map(([x, y]) => line([result.photo, x, y])) : [line([result.photo, "", ""])];
  });
  return `image,x,y\n${rows.join("")}`;
}

function coco(all) {
  const annotations = [];
  all.forEach((result, image) => {
    for (const [x, y, score] of headsOf(result)) {
      annotations.push({
        id: annotations.length + 1, image_id: image + 1, category_id: 1, keypoints: [x, y, 2], num_keypoints: 1,
        bbox: [x, y, 0, 0], area: 0, iscrowd: 0, ...(score == null ? {} : { score }),
      });
    }
  });
  const images = all.map((result, i) => ({ id: i + 1, file_name: result.photo, width: sizeOf(result)[0], height: sizeOf(result)[1] }));
  return { images, annotations, categories: [{ id: 1, name: "head", keypoints: ["head"], skeleton: [] }] };
}

function labelStudio(result) {
  const [width, height] = sizeOf(result);
  const each = ([x, y]) => ({
    type: "keypointlabels", from_name: "head", to_name: "image", original_width: width, original_height: height,
    value: { x: (100 * (x + 0.5)) / width, y: (100 * (y + 0.5)) / height, width: 0.3, keypointlabels: ["head"] },
  });
  return { data: { image: result.photo }, annotations: [{ result: headsOf(result).map(each) }] };
}

function geojson(all) {
  const features = all.flatMap((result) =>
    headsOf(result).map(([x, y, confidence]) => ({
      type: "Feature", geometry: { type: "Point", coordinates: [x, -y] }, properties: { photo: result.photo, confidence },
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
