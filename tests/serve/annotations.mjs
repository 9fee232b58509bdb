// Runs the page's writers of annotations under Node for the tests. Arguments: the folder of the page, the job's file,
// a folder for the written files.

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [page, file, out] = process.argv.slice(2);
const { HEAD_FORMATS, headsFile } = await import(pathToFileURL(path.join(page, "saving.js")).href);
const { photos, box } = JSON.parse(fs.readFileSync(file));

const made = {};
for (const format of Object.keys(HEAD_FORMATS)) {
  for (const [kind, chosen] of [["one", photos.slice(0, 1)], ["all", photos]]) {
    const [name, content] = await headsFile({ mode: "browser" }, format, chosen, box);
    made[`${format}/${kind}`] = name;
    fs.mkdirSync(path.join(out, format, kind), { recursive: true });
    fs.writeFileSync(path.join(out, format, kind, name), new Uint8Array(await content.arrayBuffer()));
  }
}
process.stdout.write(JSON.stringify({ made, boxes: Object.keys(HEAD_FORMATS).filter((name) => HEAD_FORMATS[name].boxes) }));
