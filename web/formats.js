// Files that results are saved as.

import { headsOf } from "./results.js";
import { csvOf } from "./table.js";

/** Formats of results by name, each written from rows of table.js; heads in the formats of other tools are in saving.js. */
export const FORMATS = {
  counts: { label: "Counts (CSV)", file: "counts.csv", kind: "text/csv", write: csvOf },
  results: { label: "Results (JSON)", file: "counts.json", kind: "application/json", write: (rows) => `${JSON.stringify(rows, null, 1)}\n` },
  geojson: { label: "Heads (GeoJSON)", file: "heads.geojson", kind: "application/geo+json", write: (rows) => JSON.stringify(geojson(rows)) },
};

function geojson(rows) {
  const features = rows.flatMap((row) =>
    headsOf(row).map(([x, y, confidence]) => ({
      type: "Feature", geometry: { type: "Point", coordinates: [x + 0.5, -(y + 0.5)] },
      properties: { kind: "head", photo: row.photo, confidence: confidence ?? 1 },
    })),
  );
  return { type: "FeatureCollection", features };
}

/** Hand a file to the browser's downloads. */
export function download(name, content, kind) {
  const blob = content instanceof Blob ? content : new Blob([content], { type: kind });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
