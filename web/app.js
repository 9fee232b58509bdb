// The page: tabs, the stage that all of them share, and who counts.

import { CountTab } from "./count_tab.js";
import { askJson, askService, openEngine } from "./engines.js";
import { BrowserFolder, ServiceFolder, canPick } from "./folders.js";
import { Forgetting, saidForgotten } from "./forgetting.js";
import { Photos, bitmapOf } from "./photos.js";
import { forgetBefore } from "./store.js";
import { connectTheme } from "./theme.js";
import { Viewer } from "./viewer.js";

export const at = (id) => document.getElementById(id);

/** Show a sentence for a while, and read it out. */
export function say(sentence, seconds = 6) {
  at("say").textContent = sentence;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (at("say").textContent = ""), seconds * 1000);
}

const LATER = {
  correct: () => import("./correct_tab.js").then((module) => module.CorrectTab),
  audit: () => import("./audit_tab.js").then((module) => module.AuditTab),
  zones: () => import("./zones_tab.js").then((module) => module.ZonesTab),
  teach: () => import("./teach_tab.js").then((module) => module.TeachTab),
};

const KEPT = 30 * 24 * 3600 * 1000; // milliseconds that results are kept in the browser

class App {
  constructor() {
    this.photos = new Photos();
    this.viewer = new Viewer(at("view"));
    this.tabs = {};
    this.active = "count";
    this.photos.addEventListener("select", () => this.showCurrent());
    connectTheme(at("theme"), () => this.viewer.redraw());
    this.connectTabs();
    new Forgetting(this);
    at("zoom-in").addEventListener("click", () => this.viewer.zoom(1.4));
    at("zoom-out").addEventListener("click", () => this.viewer.zoom(1 / 1.4));
    at("zoom-fit").addEventListener("click", () => this.viewer.fit());
    at("open-folder").addEventListener("click", () => this.pickFolder());
    window.addEventListener("beforeunload", (event) => {
      if (Object.values(this.tabs).some((tab) => tab.unsaved)) event.preventDefault();
    });
  }

  async start() {
    this.tabs.count = new CountTab(this);
    try {
      this.site = await askJson("site.json");
      at("cameras-link").hidden = !this.site.cameras;
      if (this.site.mode === "zones") return await this.startZones();
      at("engine").textContent = "Loading the model …";
      this.engine = await openEngine(this.site);
      at("engine").textContent = this.engine.title;
      at("privacy").textContent = this.engine.privacy;
      if (this.site.folder) await this.openFolder(new ServiceFolder(this.site.folder));
      else at("open-folder").hidden = !canPick();
      this.tabs.count.countWaiting();
      forgetBefore("result", Date.now() - KEPT).catch(() => {});
    } catch (error) {
      at("engine").textContent = "Nothing counts yet";
      this.problem = error.status === 401 ? "Open the address with the token that the terminal printed." : `The page cannot count. ${error.message}`;
      say(this.problem, 60);
      this.tabs.count.countWaiting();
    }
    if (!saidForgotten() && this.site?.mode === "browser") navigator.serviceWorker?.register("offline.js").catch(() => {});
    document.body.dataset.ready = "1";
  }

  /** Take up the photos of the user's own folder. */
  async openFolder(folder) {
    try {
      const added = this.photos.addFolder(folder, await folder.list());
      if (!added.length) return say(`There is no photo in ${folder.name}.`);
      const saved = added.filter((item) => item.saved).length;
      say(`${added.length} photos of ${folder.name}. Heads of ${saved} are saved.`);
    } catch (error) {
      say(error.message, 12);
    }
  }

  async pickFolder() {
    const folder = await BrowserFolder.pick().catch((error) => {
      if (error.name !== "AbortError") say(error.message, 12); // else the user chose none
    });
    if (!folder) return;
    await this.openFolder(folder);
    this.tabs.count.countWaiting();
  }

  /** Edit the zones of one picture, as `crowdscale zones edit` opened it. */
  async startZones() {
    const [picture, content] = await Promise.all([askService(this.site.picture).then((answer) => answer.blob()), askJson("zones.json")]);
    for (const tab of document.querySelectorAll("[role=tab]")) tab.hidden = tab.id !== "tab-zones";
    at("engine").textContent = "";
    const { added } = this.photos.add([new File([picture], "picture.jpg", { type: "image/jpeg" })]);
    added[0].zones = { zones: content.zones, ground: content.ground ?? null };
    await this.showCurrent();
    await this.open("zones");
    document.body.dataset.ready = "1";
  }

  /** Show the current photo on the stage; the promise ends once it is there. */
  showCurrent() {
    const item = this.photos.current;
    at("drop").hidden = Boolean(item);
    at("zoom").hidden = !item;
    if (this.shown !== item) {
      this.shown = item;
      this.showing = this.load(item);
    }
    return this.showing;
  }

  async load(item) {
    const bitmap = item ? await bitmapOf(item) : null;
    if (this.shown !== item) return bitmap?.close();
    this.bitmap?.close();
    this.bitmap = bitmap;
    if (bitmap) item.size = [bitmap.width, bitmap.height];
    else if (item && !item.result && item.status !== "failed") say(`This browser cannot show ${item.name}.`);
    const size = item?.size && { width: item.size[0], height: item.size[1] };
    await this.viewer.show(bitmap, size ?? null);
    for (const tab of Object.values(this.tabs)) tab.photoChanged?.();
  }

  connectTabs() {
    const buttons = [...document.querySelectorAll("[role=tab]")];
    buttons.forEach((button, index) => {
      button.addEventListener("click", () => this.open(button.id.slice(4)));
      button.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = buttons[(index + step + buttons.length) % buttons.length];
        next.focus();
        this.open(next.id.slice(4));
      });
    });
  }

  /** Open a tab; its code is loaded when it is first opened. */
  async open(name) {
    for (const button of document.querySelectorAll("[role=tab]")) {
      const chosen = button.id === `tab-${name}`;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
      at(button.getAttribute("aria-controls")).hidden = !chosen;
    }
    this.tabs[this.active]?.leave?.();
    this.active = name;
    if (!this.tabs[name]) {
      const Tab = await LATER[name]();
      this.tabs[name] ??= new Tab(this, at(`panel-${name}`));
    }
    if (this.active === name) this.tabs[name].enter?.();
    this.viewer.redraw();
  }
}

const app = new App();
globalThis.crowdscale = app; // for tests, and for the curious
app.start();
