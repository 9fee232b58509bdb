// Runs audits of the page's engine under Node for the tests. Arguments: the folder of the page, the job's file.

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [page, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.join(page, "engine", name)).href);
const { startAudit, auditState } = await load("audit.js");
const { sha256 } = await load("sha256.js");
const { orderOf, inclusion } = await load("audit_design.js");
const { reportHtml } = await load("report.js");
const { fixed, grouped } = await load("numbers.js");
const picture = async (...sizes) => `data:image/jpeg;base64,${sizes.slice(-2).join("x")}`;
const open = async () => ({ overview: picture, tile: picture, close: () => {} });
const { texts, numbers, design, audits } = JSON.parse(fs.readFileSync(file));

const results = await Promise.all(audits.map(async ({ photos, model, truth, marks, tiles, seed }) => {
  let state = startAudit(photos, model, seed);
  const states = [state];
  for (let i = 0; i < tiles && state.next; i++) {
    const answer = { cell: state.next.cell, count: truth[state.next.cell], heads: marks?.[state.next.cell] ?? null, by: "Ada <b>", at: `2026-05-0${1 + (i % 2)}` };
    state = auditState({ ...state.record, answers: [...state.record.answers, answer] });
    states.push(state);
  }
  const { plan } = state.record;
  const all = plan.cells.map((_, i) => i);
  return { states, order: orderOf(plan), inclusion: inclusion(plan, Math.min(7, all.length), all), report: await reportHtml(state.record, design, open) };
}));
process.stdout.write(JSON.stringify({ digests: texts.map((text) => sha256(text)), numbers: numbers.map((n) => [fixed(n, 0), fixed(n, 1), grouped(n, 2)]), results }));
