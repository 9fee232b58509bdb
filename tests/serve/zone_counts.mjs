// Reads zones as the page does and counts heads in them: node zone_counts.mjs PAGE JOB, both are paths.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [page, job] = process.argv.slice(2);
const { countHeads, readZones } = await import(`${pathToFileURL(page)}/zone_shapes.js`);
const { content, size, heads } = JSON.parse(await readFile(job));
const { zones, ground } = readZones(content, size);
const counts = zones.filter((zone) => !zone.roi && !zone.exclude).map((zone) => [zone.name, countHeads(zone, zones, heads, size)]);
console.log(JSON.stringify({ counts, zones, ground }));
