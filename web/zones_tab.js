// Zones: areas, queues and ground points over a photo or a frame, saved as the JSON that `crowdscale watch --zones` reads.

import { say } from "./app.js";
import { element } from "./elements.js";
import { askJson } from "./engines.js";
import { download } from "./formats.js";
import { headsOf } from "./results.js";
import { keep, keyOf, recall } from "./store.js";
import { countHeads, readZones } from "./zone_shapes.js";
import { ZoneTool } from "./zone_tool.js";

const MODES = { area: "Area", line: "Line", ground: "Ground points" };
const HINTS = {
  area: "Click the corners in turn. Click the first one again, or press C, to close.",
  line: "Click its points. Press C or double-click to end. People near it are counted, and those who cross it.",
  ground: "Click four points on the ground, in turn around them. Their distances turn pixels into metres.",
  none: "Choose what to draw, or drag a corner to move it.",
};
const SIDES = ["A to B", "B to C", "C to D", "D to A"];

export class ZonesTab {
  constructor(app, panel) {
    this.app = app;
    this.edited = app.site?.mode === "zones"; // opened by `crowdscale zones edit` for one file
    this.build(panel);
  }

  build(panel) {
    const button = (label, action, properties = {}) => {
      const made = element("button", properties, label);
      made.addEventListener("click", action);
      return made;
    };
    this.modes = Object.entries(MODES).map(([mode, label]) => button(label, () => this.setMode(mode), { id: `draw-${mode}` }));
    this.hint = element("p", { className: "note" });
    this.cards = element("div");
    this.file = element("input", { type: "file", accept: ".json", className: "hidden", ariaLabel: "Zones", tabIndex: -1 });
    this.file.addEventListener("change", () => this.openFile(this.file.files[0]));
    const open = button("Open zones", () => this.file.click());
    const save = button("Save zones", () => this.save(), { className: "main", id: "save-zones" });
    const done = button("Done", () => this.done(), { id: "done-zones" });
    open.hidden = this.edited;
    done.hidden = !this.edited;
    const out = element("p", { className: "note" }, this.edited ? `Saved to ${this.app.site.out}` : "");
    this.controls = element(
      "div", {}, element("div", { className: "row tools", role: "group", ariaLabel: "What to draw" }, ...this.modes), this.hint,
      this.cards, element("div", { className: "row" }, save, open, done, this.file), out,
    );
    this.note = element("p", { className: "note" });
    this.controls.hidden = true;
    panel.replaceChildren(element("h2", {}, "Zones"), this.note, this.controls);
  }

  async enter() {
    this.app.viewer.layers = [];
    this.app.viewer.split = 1;
    await this.photoChanged();
  }

  leave() {
    this.app.viewer.tool = null;
  }

  async photoChanged() {
    if (this.app.active !== "zones") return;
    const item = this.app.photos.current;
    if (item && item === this.item && this.tool) {
      this.app.viewer.tool = this.tool;
      return this.show();
    }
    this.item = item;
    this.tool = null;
    this.controls.hidden = true;
    this.note.textContent = item ? "" : "Add a photo, or a frame of the video, under Count first.";
    if (!item) return;
    item.zones ??= (!this.edited && (await recall(keyOf("zones", item)).catch(() => null))) || { zones: [], ground: null };
    if (this.item !== item) return;
    this.tool = new ZoneTool(this.app.viewer, item.zones, { changed: (kept) => this.changed(kept), say });
    this.app.viewer.tool = this.tool;
    this.controls.hidden = false;
    this.show();
  }

  setMode(mode) {
    this.tool.setMode(mode);
    this.show();
    this.app.viewer.canvas.focus({ preventScroll: true });
  }

  /** Note a change; `written` is false where only the choice of a zone changed. */
  changed(written = true) {
    this.show();
    if (written === false) return;
    if (this.edited) this.unsaved = true;
    else keep(keyOf("zones", this.item), clean(this.item.zones)).catch(() => say("The browser has no room to keep these zones. Save them now.", 20));
  }

  show() {
    const { zones, ground } = this.item.zones;
    for (const button of this.modes) button.setAttribute("aria-pressed", String(button.id === `draw-${this.tool.mode}`));
    this.hint.textContent = HINTS[this.tool.mode ?? "none"];
    this.count();
    this.cards.replaceChildren(...zones.map((zone, i) => this.zoneCard(zone, i)), ...(ground ? [this.groundCard(ground)] : []));
    this.app.viewer.redraw();
  }

  /** Count the located heads in each area. */
  count() {
    const heads = this.item.result ? headsOf(this.item.result) : null;
    const { zones } = this.item.zones;
    for (const zone of zones) {
      const counted = heads && zone.kind !== "line" && !zone.roi && !zone.exclude;
      zone.people = counted ? countHeads(zone, zones, heads, this.app.viewer.size) : null;
    }
  }

  zoneCard(zone, index) {
    const card = element("div", { className: "card", role: "group", ariaLabel: zone.name });
    if (index === this.tool.chosen) card.setAttribute("aria-current", "true");
    card.addEventListener("focusin", () => {
      this.tool.chosen = index;
      this.app.viewer.redraw();
    });
    const alarm = (key, value) => {
      if (value === null && key === "above") delete zone.alarm;
      else if (key === "above" || zone.alarm) zone.alarm = { ...zone.alarm, [key]: value ?? undefined };
    };
    card.append(field("Name", zone.name, "text", (value) => (zone.name = value), this));
    if (zone.kind === "line") card.append(this.widthField(zone));
    else {
      card.append(
        field("Count only here", zone.roi, "checkbox", (value) => (zone.roi = value), this),
        field("Leave out", zone.exclude, "checkbox", (value) => (zone.exclude = value), this),
      );
    }
    card.append(
      field("Capacity", zone.capacity, "number", (value) => (zone.capacity = value), this),
      field("Alarm above", zone.alarm?.above, "number", (value) => alarm("above", value), this),
      field("… for seconds", zone.alarm?.hold, "number", (value) => alarm("hold", value), this),
      this.remover(`Delete ${zone.name}`, () => {
        this.item.zones.zones.splice(index, 1);
        this.tool.chosen = null;
      }),
    );
    return card;
  }

  widthField(zone) {
    const pixels = zone.relative ? this.app.viewer.size.width : 1;
    const shown = zone.width ? Math.round(1000 * zone.width * pixels) / 1000 : null;
    return field("Width, pixels", shown, "number", (value) => (zone.width = value === null ? null : value / pixels), this);
  }

  groundCard(ground) {
    const card = element("div", { className: "card" }, `Ground: ${ground.points.length} of 4 points`);
    if (ground.points.length === 4 && !ground.metres) {
      ground.sides ??= [];
      SIDES.forEach((name, i) => card.append(field(`${name}, m`, ground.sides[i], "number", (value) => (ground.sides[i] = value), this)));
      card.append(field("A to C, m", ground.diagonal, "number", (value) => (ground.diagonal = value), this));
    }
    card.append(this.remover("Delete ground points", () => (this.item.zones.ground = null)));
    return card;
  }

  remover(label, action) {
    const button = element("button", {}, label);
    button.addEventListener("click", () => {
      action();
      this.changed();
    });
    return button;
  }

  async openFile(file) {
    try {
      Object.assign(this.item.zones, readZones(JSON.parse(await file.text()), this.app.viewer.size));
      this.changed();
    } catch (error) {
      say(error instanceof RangeError ? error.message : `${file.name} holds no zones.`, 12);
    }
    this.file.value = "";
  }

  /** Save the zones: to the file being edited, or as a download once the service found nothing wrong. */
  async save() {
    const content = { ...clean(this.item.zones), size: this.item.size };
    try {
      if (this.edited) {
        const { saved } = await askJson("zones.json", { method: "POST", body: JSON.stringify(content) });
        this.unsaved = false;
        say(`Saved ${saved} ${saved === 1 ? "zone" : "zones"}.`);
        return true;
      }
      if (this.app.site?.mode === "service") {
        await askJson("zones/check", { method: "POST", body: JSON.stringify(content), headers: { "content-type": "application/json" } });
      }
      download("zones.json", `${JSON.stringify({ format: 1, ...content }, null, 1)}\n`, "application/json");
    } catch (error) {
      say(error.message, 12);
    }
    return false;
  }

  async done() {
    if (this.unsaved && !(await this.save())) return;
    await askJson("done", { method: "POST" });
    say("You can close this page.", 600);
  }
}

/** Return zones without what is not set, as they are written. */
function clean({ zones, ground }) {
  const set = ([, value]) => value !== null && value !== undefined && value !== "" && value !== false;
  const kept = zones.map(({ people, ...zone }) => Object.fromEntries(Object.entries(zone).filter(set)));
  if (!ground) return { zones: kept };
  const left = Object.entries(ground).filter((pair) => set(pair) && !(ground.metres && ["sides", "diagonal"].includes(pair[0])));
  return { zones: kept, ground: Object.fromEntries(left) };
}

function field(name, value, type, change, tab) {
  const input = element("input", { type, step: "any" });
  if (type === "checkbox") input.checked = Boolean(value);
  else input.value = value ?? "";
  input.addEventListener("input", () => {
    const text = type === "checkbox" ? input.checked : input.value;
    change(type === "number" ? (text === "" ? null : Number(text)) : text);
    if (tab.edited) tab.unsaved = true;
    tab.app.viewer.redraw();
  });
  input.addEventListener("change", () => tab.changed());
  return element("label", { className: "field" }, name, input);
}
