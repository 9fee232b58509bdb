// Runs audits of the page's engine under Node for the tests. Arguments: the folder of the page, the job's file.

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [page, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.join(page, "engine", name)).href);
const { startAudit, auditState } = await load("audit.js");
const { sha256 } = await load("sha256.js");
const { orderOf, inclusion } = await load("audit_design.js");
const { texts, audits } = JSON.parse(fs.readFileSync(file));

const results = audits.map(({ photos, model, truth, tiles, seed }) => {
  let state = startAudit(photos, model, seed);
  const states = [state];
  for (let i = 0; i < tiles && state.next; i++) {
    const answer = { cell: state.next.cell, count: truth[state.next.cell], heads: null, by: "", at: "" };
    state = auditState({ ...state.record, answers: [...state.record.answers, answer] });
    states.push(state);
  }
  const { plan } = state.record;
  const all = plan.cells.map((_, i) => i);
  return { states, order: orderOf(plan), inclusion: inclusion(plan, Math.min(7, all.length), all) };
});
process.stdout.write(JSON.stringify({ digests: texts.map((text) => sha256(text)), results }));
