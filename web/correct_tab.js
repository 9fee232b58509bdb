// Correct: heads added, moved and deleted, areas to ignore; kept in the browser after every change.

import { say } from "./app.js";
import { element } from "./elements.js";
import { sendCorrection } from "./corrections.js";
import { Edits } from "./edits.js";
import { FORMATS, download } from "./formats.js";
import { FormatChoice } from "./format_choice.js";
import { HeadTool } from "./head_tool.js";
import { headsOf, whole } from "./results.js";
import { dropEdits, keepEdits, recallEdits } from "./keeping.js";
import { hold, keyOf } from "./store.js";

const MODES = { heads: "Heads", lasso: "Lasso", ignore: "Ignore", hand: "Hand" };
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
    this.forth = button("Next photo", () => this.next(1), { id: "next-photo" });
    this.controls = element(
      "div", {},
      element("div", { className: "row tools", role: "group", ariaLabel: "What the pointer does" }, ...this.modes), this.hint,
      element("div", { className: "row" }, this.undo, this.redo, this.erase), this.areas,
      element("div", { className: "row tools" }, this.store, this.choice.element),
      element("div", { className: "row" }, this.forth, button("Previous", () => this.next(-1))),
      element("p", { className: "note" }, "Keys on the photo: arrows move a cursor, Enter adds a head, M takes the nearest one, Delete removes, Ctrl Z undoes, plus and minus zoom."),
    );
    this.controls.hidden = true;
    this.trouble = element("ul", { className: "warnings", id: "not-saved" });
    this.copy = button("Save a copy", () => this.saveCopy(), { id: "save-copy" });
    this.reload = button("Open it again", () => this.reopen(), { id: "open-again" });
    this.rescue = element("div", { hidden: true }, this.trouble, element("div", { className: "row" }, this.copy, this.reload));
    this.panel.replaceChildren(this.number, this.note, this.rescue, this.controls);
  }

  async enter() {
    this.app.viewer.layers = [];
    this.app.viewer.split = 1;
    await this.photoChanged();
  }

  leave() {
    if (this.timer) this.write();
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
    try {
      if (!item.edits && !item.refused) item.edits = await recallEdits(item);
    } catch (error) {
      item.refused = error.message;
    }
    if (this.item === item) this.begin();
  }

  begin() {
    const { item } = this;
    if (!item.edits && item.result && !item.refused) item.edits = new Edits(headsOf(item.result).map(([x, y]) => [x, y]));
    if (item.edits && !this.locked && !item.refused) {
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
    this.timer = setTimeout(() => this.write(), item.folder ? 700 : 150);
  }

  /** Keep the corrections of the photo; what goes wrong stays on the page until it is mended. */
  async write() {
    clearTimeout(this.timer);
    this.timer = null;
    const { item } = this;
    try {
      await keepEdits(item);
      item.trouble = null;
      if (!this.timer) this.unsaved = false;
    } catch (error) {
      item.trouble = { sentence: error.message, overtaken: error.status === 409 || error.overtaken };
      if (this.item !== item || this.app.active !== "correct") say(error.message, 20);
    }
    if (this.item === item && this.app.active === "correct") this.show();
  }

  /** Save the heads of a photo that could not be kept as a file elsewhere. */
  saveCopy() {
    const { heads, ignore } = this.item.edits.toJSON();
    const name = `${this.item.name.split("/").at(-1).replace(/\.[^.]*$/, "")}.json`;
    download(name, `${JSON.stringify({ points: heads, ...(ignore.length ? { ignore } : {}) })}\n`, "application/json");
  }

  /** Drop the heads of this page and take up those that were saved elsewhere. */
  async reopen() {
    const { item } = this;
    await dropEdits(item);
    Object.assign(item, { trouble: null, refused: "" });
    this.unsaved = false;
    this.tool = null;
    this.item = null;
    await this.photoChanged();
  }

  show() {
    const { item, app } = this;
    if (item?.result && !item.edits && !this.locked && !item.refused && this.release) return this.begin();
    const edits = item?.edits;
    this.controls.hidden = !edits || this.locked;
    this.rescue.hidden = !item?.trouble;
    this.trouble.replaceChildren(element("li", {}, item?.trouble?.sentence ?? ""));
    this.reload.hidden = !item?.trouble?.overtaken;
    this.forth.textContent = item?.folder ? "Save, next photo" : "Next photo";
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
    if (item.refused) return item.refused;
    if (!edits) return item.error || "This photo is counted first.";
    const { items } = this.app.photos;
    const done = items.filter((each) => each.edits?.touched).length;
    const parts = [`The model located ${whole(headsOf(item.result ?? {}).length)}.`];
    if (item.folder) parts.push(`Heads of ${items.filter((each) => each.saved).length} of ${items.length} photos are saved in ${item.folder.name}.`);
    else if (items.length > 1) parts.push(`${done} of ${items.length} photos corrected.`);
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

  async next(step) {
    if (step > 0 && this.item?.folder && this.item.edits && !this.item.saved) await this.write();
    if (this.item?.trouble) return;
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
