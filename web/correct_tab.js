// Correct: heads added, moved and deleted, areas to ignore; kept in the browser after every change.

import { say } from "./app.js";
import { element } from "./count_tab.js";
import { sendCorrection } from "./corrections.js";
import { Edits } from "./edits.js";
import { FORMATS, download } from "./formats.js";
import { FormatChoice } from "./format_choice.js";
import { HeadTool } from "./head_tool.js";
import { headsOf, whole } from "./results.js";
import { hold, keep, keyOf, recall } from "./store.js";

const MODES = { heads: "Heads", lasso: "Lasso", ignore: "Ignore area", hand: "Hand" };
const HINTS = {
  heads: "Click to add a head. Drag one to move it.",
  lasso: "Draw around heads to select them.",
  ignore: "Drag over an area that does not count.",
  hand: "Drag to move the photo.",
};

export class CorrectTab {
  constructor(app, panel) {
    this.app = app;
    this.panel = panel;
    this.mode = "heads";
    this.build();
    app.photos.addEventListener("change", () => app.active === "correct" && this.show());
  }

  build() {
    const button = (label, action, properties = {}) => {
      const made = element("button", properties, label);
      made.addEventListener("click", action);
      return made;
    };
    this.number = element("p", { className: "number" });
    this.note = element("p", { className: "note" });
    this.modes = Object.entries(MODES).map(([mode, label]) => button(label, () => this.setMode(mode), { id: `mode-${mode}` }));
    this.hint = element("p", { className: "note" });
    this.undo = button("Undo", () => this.tool?.undo(), { id: "undo" });
    this.redo = button("Redo", () => this.tool?.undo(true));
    this.erase = button("Delete selected", () => this.tool?.removeSelected());
    this.areas = element("ul", { className: "plain" });
    this.choice = new FormatChoice({ select: "heads-format", button: "save-heads" }, [["geojson", FORMATS.geojson.label]], {
      photos: () => this.edited, site: () => this.app.site, own: (format) => this.save(format), headsFirst: true,
    });
    this.store = button("Save for training", () => this.send(), { className: "main", id: "save-correction" });
    this.controls = element(
      "div", {},
      element("div", { className: "row tools", role: "group", ariaLabel: "What the pointer does" }, ...this.modes), this.hint,
      element("div", { className: "row" }, this.undo, this.redo, this.erase), this.areas,
      element("div", { className: "row tools" }, this.store, this.choice.element),
      element("div", { className: "row" }, button("Next photo", () => this.next(1)), button("Previous", () => this.next(-1))),
      element("p", { className: "note" }, "Keys on the photo: arrows move a cursor, Enter adds a head, M takes the nearest one, Delete removes, Ctrl Z undoes, plus and minus zoom."),
    );
    this.controls.hidden = true;
    this.panel.replaceChildren(this.number, this.note, this.controls);
  }

  async enter() {
    this.app.viewer.layers = [];
    this.app.viewer.split = 1;
    await this.photoChanged();
  }

  leave() {
    this.release?.();
    this.release = null;
    this.tool = null;
    this.app.viewer.tool = null;
  }

  /** Take up the corrections of the current photo, or begin with the model's heads. */
  async photoChanged() {
    if (this.app.active !== "correct") return;
    if (this.tool && this.item === this.app.photos.current) return this.show();
    this.leave();
    const item = this.app.photos.current;
    this.item = item;
    if (!item) return this.show();
    const release = await hold(keyOf("edit", item));
    if (this.item !== item || this.app.active !== "correct") return release?.();
    this.release = release;
    this.locked = !release;
    const kept = await recall(keyOf("edit", item)).catch(() => null);
    if (kept && !item.edits) item.edits = new Edits(kept.heads, kept.ignore);
    this.begin();
  }

  begin() {
    const { item } = this;
    if (!item.edits && item.result) item.edits = new Edits(headsOf(item.result).map(([x, y]) => [x, y]));
    if (item.edits && !this.locked) {
      this.tool = new HeadTool(this.app.viewer, item.edits, { changed: () => this.changed() });
      this.tool.mode = this.mode;
      this.app.viewer.tool = this.tool;
    }
    this.show();
    this.app.viewer.redraw();
  }

  setMode(mode) {
    this.mode = mode;
    if (this.tool) this.tool.mode = mode;
    this.show();
  }

  changed() {
    const { item } = this;
    this.unsaved = true;
    this.show();
    this.app.viewer.redraw();
    clearTimeout(this.timer);
    const write = () =>
      keep(keyOf("edit", item), item.edits.toJSON())
        .then(() => (this.unsaved = false))
        .catch(() => say("The browser has no room to keep this correction. Save it to a file now.", 20));
    this.timer = setTimeout(write, 150);
  }

  show() {
    const { item, app } = this;
    if (item?.result && !item.edits && !this.locked) return this.begin();
    const edits = item?.edits;
    this.controls.hidden = !edits || this.locked;
    this.number.replaceChildren(edits ? whole(edits.counted().length) : "", element("small", {}, edits ? " heads" : ""));
    this.note.textContent = this.sentence(item, edits);
    for (const button of this.modes) button.setAttribute("aria-pressed", String(button.id === `mode-${this.mode}`));
    this.hint.textContent = HINTS[this.mode];
    this.undo.disabled = !edits?.past.length;
    this.redo.disabled = !edits?.future.length;
    this.erase.disabled = !this.tool?.selected.length;
    this.store.hidden = !app.site?.corrections;
    this.areas.replaceChildren(...(edits?.ignore ?? []).map((area, i) => this.areaRow(area, i)));
  }

  sentence(item, edits) {
    if (!item) return "Add a photo under Count first.";
    if (this.locked) return `${item.name} is open in another tab. Close it there to correct it here.`;
    if (!edits) return item.error || "This photo is counted first.";
    const { items } = this.app.photos;
    const done = items.filter((each) => each.edits?.touched).length;
    const parts = [`The model located ${whole(headsOf(item.result ?? {}).length)}.`];
    if (items.length > 1) parts.push(`${done} of ${items.length} photos corrected.`);
    return parts.join(" ");
  }

  areaRow([left, top, right, bottom], index) {
    const remove = element("button", { className: "quiet", ariaLabel: `Count area ${index + 1} again` }, "×");
    remove.addEventListener("click", () => {
      this.item.edits.removeArea(index);
      this.changed();
    });
    return element("li", {}, `Ignored: ${right - left} × ${bottom - top} at ${left}, ${top}`, remove);
  }

  next(step) {
    const { items } = this.app.photos;
    const at = items.indexOf(this.item) + step;
    if (items[at]) this.app.photos.select(items[at]);
    else say(step > 0 ? "This is the last photo." : "This is the first photo.");
  }

  /** The corrected heads of all photos that have some. */
  get edited() {
    const edited = this.app.photos.items.filter((item) => item.edits && item.size);
    return edited.map((item) => ({ name: item.name, size: item.size, heads: item.edits.counted(), result: item.result }));
  }

  save(format) {
    const { file, kind, write } = FORMATS[format];
    download(file, write(this.edited.map(({ result, name, size, heads }) => ({ ...result, photo: name, size, heads, count: heads.length }))), kind);
  }

  /** Hand the photo and its heads to the service's folder of corrections. */
  async send() {
    const { item } = this;
    try {
      const answer = await sendCorrection(item, item.edits.toJSON());
      say(`Saved as ${answer.saved}, the ${answer.photos}. corrected photo.`);
    } catch (error) {
      say(error.message, 12);
    }
  }
}
