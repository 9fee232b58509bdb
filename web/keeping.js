// Where corrections are kept: in the browser after every change, and beside the photo where it lies in the user's own folder.

import { Edits } from "./edits.js";
import { forget, keep, keyOf, recall } from "./store.js";

/** Return the corrections of a photo that were kept, or null. What the folder holds goes before what the browser held of an older version. */
export async function recallEdits(item) {
  const kept = await recall(keyOf("edit", item)).catch(() => null);
  if (!item.folder) return kept && new Edits(kept.heads, kept.ignore);
  const saved = await item.folder.read(item.name);
  item.revision = saved.revision;
  if (kept && kept.revision === saved.revision) return new Edits(kept.heads, kept.ignore);
  return saved.heads && new Edits(saved.heads, saved.ignore);
}

/** Keep the corrections of a photo; one save of a photo waits for the one before. */
export function keepEdits(item) {
  item.saving = (item.saving ?? Promise.resolve()).catch(() => {}).then(() => write(item));
  return item.saving;
}

async function write(item) {
  const edits = item.edits.toJSON();
  const note = () => keep(keyOf("edit", item), { ...edits, revision: item.revision });
  const inBrowser = await note().then(() => true, () => false);
  if (!item.folder) {
    if (!inBrowser) throw new Error("The browser has no room to keep this correction. Save it to a file now.");
    return;
  }
  const { revision } = await item.folder.save(item.name, edits, item.revision ?? "");
  Object.assign(item, { revision, saved: true });
  await note().catch(() => {});
}

/** Drop the corrections that this page holds of a photo, so that those of the folder are read again. */
export async function dropEdits(item) {
  item.edits = null;
  await forget(keyOf("edit", item)).catch(() => {});
}
