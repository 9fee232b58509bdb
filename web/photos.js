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

  /** Put a photo in the place of another one, to be counted anew; nothing happens where that one was removed. */
  replace(item, made) {
    const place = this.items.indexOf(item);
    if (place < 0) return;
    this.items[place] = Object.assign(made, FRESH);
    if (item === this.current) this.select(made);
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

const MOST_LOSSLESS = 12_000_000; // pixels of a turned photo that is written as PNG; larger ones would be too long for a service

/**
 * Return a photo turned clockwise by 90° more. It is a file of its own, with a name of its own: reports and corrections
 * belong to it. After four turns it is the first file again.
 */
export async function turnedPhoto(item) {
  const { file, name, stamp } = item.first ?? item;
  const first = { file, name, stamp };
  const turn = ((item.turn ?? 0) + 90) % 360;
  if (!turn) return first;
  const bitmap = await bitmapOf(first);
  if (!bitmap) throw new Error(`This browser cannot show ${name}, so it cannot turn it.`);
  const canvas = turnedCanvas(bitmap, turn);
  bitmap.close();
  const lossless = canvas.width * canvas.height <= MOST_LOSSLESS;
  const type = lossless ? "image/png" : "image/jpeg";
  const made = `${name.replace(/\.[^./]*$/, "")}_turned${turn}.${lossless ? "png" : "jpg"}`;
  const picture = new File([await canvas.convertToBlob({ type, quality: 0.97 })], made.split("/").at(-1), { type });
  return { file: picture, name: made, stamp: [stamp, turn].join("|"), first, turn };
}

function turnedCanvas(bitmap, turn) {
  const { width, height } = bitmap;
  const canvas = turn === 180 ? new OffscreenCanvas(width, height) : new OffscreenCanvas(height, width);
  const pen = canvas.getContext("2d");
  pen.translate(canvas.width / 2, canvas.height / 2);
  pen.rotate((turn * Math.PI) / 180);
  pen.drawImage(bitmap, -width / 2, -height / 2);
  return canvas;
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
