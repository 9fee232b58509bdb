// Forget everything: what this browser keeps between visits goes, and what lies on the disk stays.

import { at, say } from "./app.js";
import { forgetAll, kinds } from "./store.js";

const DONE = "forgotten"; // in this tab alone: the next page says that it is done
const WORDS = { result: ["result", "results"], edit: ["correction", "corrections"], audit: ["audit", "audits"], zones: ["set of zones", "sets of zones"] };
const channel = new BroadcastChannel("crowdscale");

export class Forgetting {
  constructor(app) {
    this.app = app;
    at("forget").addEventListener("click", () => this.forget());
    at("kept").addEventListener("toggle", () => this.show());
    channel.addEventListener("message", () => this.startAnew());
  }

  /** Say what is kept here, and what an end of it leaves. */
  async show() {
    at("kept-list").textContent = `${await this.listed()} ${this.staying()}`;
  }

  async listed() {
    const found = await kinds().catch(() => ({}));
    const parts = Object.entries(WORDS).flatMap(([kind, [one, many]]) => (found[kind] ? [`${found[kind]} ${found[kind] === 1 ? one : many}`] : []));
    const kept = parts.length ? parts.join(", ") : "nothing of your photos";
    return `Kept in this browser: ${kept}. Photos themselves are never kept.`;
  }

  /** The sentence on what stays on the disk. */
  staying() {
    const { site, photos } = this.app;
    const places = ["your photos", "files that you saved"];
    const own = photos.items.find((item) => item.folder)?.folder.name ?? site?.folder;
    if (own) places.push(`heads that were saved beside the photos of ${own}`);
    if (site?.corrections) places.push(`corrections in ${site.corrections}`);
    return `On the disk stay ${places.slice(0, -1).join(", ")} and ${places.at(-1)}.`;
  }

  async forget() {
    const question = `Forget everything that this browser keeps of your photos? It cannot be undone.\n\n${await this.listed()}\n${this.staying()}`;
    if (!confirm(question)) return;
    try {
      await forgetAll();
    } catch (error) {
      return say(`Not everything could be forgotten. ${error.message}`, 20);
    }
    localStorage.clear();
    for (const name of await globalThis.caches?.keys().catch(() => []) ?? []) if (name.startsWith("crowdscale-")) await caches.delete(name);
    for (const worker of (await navigator.serviceWorker?.getRegistrations()) ?? []) await worker.unregister();
    channel.postMessage("forgotten");
    sessionStorage.setItem(DONE, this.staying());
    this.startAnew();
  }

  /** Open the page again without anything of before; work that was to be saved is not kept a second time. */
  startAnew() {
    this.app.tabs = {};
    location.reload();
  }
}

/** Say after the page was opened again that all is forgotten; return whether it is. */
export function saidForgotten() {
  const staying = sessionStorage.getItem(DONE);
  if (staying === null) return false;
  sessionStorage.removeItem(DONE);
  say(`Everything is forgotten. ${staying}`, 20);
  return true;
}
