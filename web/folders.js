// The user's own folder: photos are read from it, and heads are written beside them as NAME.json. The service opens the one
// it was started with; a browser that can opens one that the user picks. Each save states the version it goes on from.

import { askJson, askService } from "./engines.js";
import { sha256 } from "./engine/sha256.js";

const PHOTO = /\.(jpe?g|png|webp|bmp|tiff?)$/i;
const OTHERS = [".csv", ".txt", ".xml", ".mat"];
const STEM = /\.[^.]*$/;

export const canPick = () => typeof globalThis.showDirectoryPicker === "function";

const query = (values) => new URLSearchParams(values).toString();

/** The folder of `crowdscale serve --folder`. */
export class ServiceFolder {
  constructor(path) {
    this.name = path;
  }

  /** Return {name, stamp, saved, refused, file()} of each photo. */
  async list() {
    const { photos } = await askJson("folder");
    return photos.map(({ name, bytes, time, saved, refused }) => ({
      name, saved, refused, stamp: [bytes, time].join("|"), file: () => this.file(name, time),
    }));
  }

  async file(name, lastModified) {
    const answer = await askService(`folder/photo?${query({ name })}`);
    if (!answer.ok) throw new Error((await answer.json()).error);
    return new File([await answer.blob()], name.split("/").at(-1), { lastModified, type: answer.headers.get("content-type") ?? "" });
  }

  read = (name) => askJson(`folder/heads?${query({ name })}`);

  save(name, edits, revision) {
    const headers = { "content-type": "application/json" };
    return askJson(`folder/heads?${query({ name, revision })}`, { method: "POST", body: JSON.stringify(edits), headers });
  }
}

/** A folder that the user picked; the browser asks before it is written to. */
export class BrowserFolder {
  static async pick() {
    const folder = new BrowserFolder(await globalThis.showDirectoryPicker({ id: "photos", mode: "readwrite" }));
    return folder;
  }

  constructor(handle) {
    this.handle = handle;
    this.name = handle.name || "folder";
  }

  async list() {
    this.places = new Map();
    await this.walk(this.handle, "");
    const names = [...this.places.keys()].filter((name) => PHOTO.test(name)).sort();
    return Promise.all(names.map((name) => this.describe(name)));
  }

  async walk(handle, path) {
    for await (const [name, child] of handle.entries()) {
      if (name.startsWith(".")) continue;
      if (child.kind === "directory") await this.walk(child, `${path}${name}/`);
      else this.places.set(path + name, { handle: child, folder: handle });
    }
  }

  async describe(name) {
    const { handle } = this.places.get(name);
    const { size, lastModified } = await handle.getFile();
    const stem = name.replace(STEM, "");
    const other = [...OTHERS.map((suffix) => stem + suffix), "points.csv"].find((each) => this.places.has(each));
    const refused = other ? `The heads of this photo lie in ${other}, which the page does not write. Convert the folder first: crowdscale data convert DIR NEW --to json --photos copy.` : "";
    return { name, stamp: [size, lastModified].join("|"), saved: this.places.has(`${stem}.json`), refused, file: () => handle.getFile() };
  }

  async text(name, create = false) {
    const stem = name.replace(STEM, "").split("/").at(-1);
    try {
      const handle = await this.places.get(name).folder.getFileHandle(`${stem}.json`, { create });
      return { handle, text: await (await handle.getFile()).text() };
    } catch (error) {
      if (error.name === "NotFoundError") return { text: "" };
      throw error;
    }
  }

  async read(name) {
    const { text } = await this.text(name);
    const values = text ? parsed(text, name) : {};
    return { heads: values.points ?? null, ignore: values.ignore ?? [], revision: revisionOf(text), values };
  }

  async save(name, { heads, ignore }, revision) {
    const before = await this.read(name);
    if (before.revision !== revision) throw overtaken(name);
    const { points: _, ignore: __, ...kept } = before.values;
    const text = `${JSON.stringify({ ...kept, points: heads, ...(ignore.length ? { ignore } : {}) })}\n`;
    const { handle } = await this.text(name, true);
    try {
      const stream = await handle.createWritable(); // a copy until it is closed: the old file stays whole
      await stream.write(text);
      await stream.close();
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error;
      throw new Error(`The disk is full, so the heads of ${name} were not saved; what was saved before is intact. Free some space, or save a copy elsewhere.`);
    }
    return { revision: revisionOf(text) };
  }
}

const revisionOf = (text) => (text ? sha256(new TextEncoder().encode(text)).slice(0, 16) : "");

function parsed(text, name) {
  let values;
  try {
    values = JSON.parse(text);
  } catch {
    throw new Error(`The heads beside ${name} are no JSON. The file is left alone.`);
  }
  if (Array.isArray(values)) values = { points: values };
  const boxes = (values.ignore ?? []).every((area) => area.every(Number.isFinite));
  if (!Array.isArray(values.points) || values.sizes || values.only?.length || !boxes) {
    throw new Error(`The file beside ${name} holds more than heads and boxes to ignore, which the page would lose. It is left alone.`);
  }
  return values;
}

function overtaken(name) {
  const error = new Error(`${name} was saved in another tab or program meanwhile, so nothing was overwritten. Open it again to go on from there, or save a copy of your heads first.`);
  return Object.assign(error, { overtaken: true });
}
