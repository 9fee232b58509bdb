// The photos of this session: their files, results and corrections.

import { refuseHuge } from "./engine/photo_size.js";

const SUFFIXES = /\.(jpe?g|png|webp|bmp|tiff?|gif|avif)$/i;

export class Photos extends EventTarget {
  constructor() {
    super();
    this.items = [];
    this.current = null;
  }

  /** Add files that may be photos; return how many were left out. */
  add(files) {
    const all = [...files];
    const kept = all.filter((file) => file.type.startsWith("image/") || SUFFIXES.test(file.name));
    const added = kept.map((file) => ({
      file, name: file.webkitRelativePath || file.name || "photo", stamp: [file.size, file.lastModified].join("|"), ...FRESH,
    }));
    this.append(added);
    return { added, left: all.length - kept.length };
  }

  /** Add the photos of a folder, as it lists them; the first whose heads are not saved yet is shown. */
  addFolder(folder, listed) {
    const added = listed.map(({ file, ...known }) => ({ ...known, folder, open: file, ...FRESH }));
    this.append(added, added.find((item) => !item.saved && !item.refused));
    return added;
  }

  append(added, first = added[0]) {
    this.items.push(...added);
    this.changed();
    if (!this.current && added.length) this.select(first ?? added[0]);
  }

  remove(item) {
    const at = this.items.indexOf(item);
    this.items.splice(at, 1);
    if (item === this.current) this.select(this.items[Math.min(at, this.items.length - 1)] ?? null);
    this.changed();
  }

  select(item) {
    this.current = item;
    this.dispatchEvent(new Event("select"));
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}

const FRESH = { status: "waiting", result: null, error: "" };

/** Return a photo's file; one of a folder is read when it is needed. */
export const fileOf = async (item) => item.file ?? item.open();

const MOST_SHOWN = 120_000_000; // pixels; decoded, they take four bytes each

/** Return a photo as a bitmap for the screen, or null where the browser cannot show it. */
export async function bitmapOf(item) {
  try {
    if (item.open) item.file ??= await item.open();
    await refuseHuge(item.file, MOST_SHOWN, "the page", "");
    return await createImageBitmap(item.file);
  } catch {
    return null;
  }
}

/** Return all files of dropped folders and files. */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  if (entry.isFile) {
    found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return;
    for (const each of part) await walk(each, found);
  }
}
