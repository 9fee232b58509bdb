// Runs the page's tables under Node for the tests. Arguments: the folder of the page, a file with results and errors.

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [page, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.join(page, name)).href);
const [{ failedRow, rowOf }, { FORMATS }] = await Promise.all(["table.js", "formats.js"].map(load));
const rows = JSON.parse(fs.readFileSync(file)).map((each) => (each.error ? failedRow(each.photo, each.error) : rowOf(each)));
process.stdout.write(JSON.stringify({ csv: FORMATS.counts.write(rows), json: FORMATS.results.write(rows) }));
