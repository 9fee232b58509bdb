// A choice of formats with its button, and the side of boxes where a format needs one.

import { say } from "./app.js";
import { element } from "./elements.js";
import { download } from "./formats.js";
import { HEAD_FORMATS, headsFile, suggestedSide } from "./saving.js";

export class FormatChoice {
  /**
   * `own` formats are [name, label] pairs that `own(name)` saves; all formats of heads follow, or come first.
   * `photos()` returns {name, size, heads} of each photo, `site()` the page's description.
   */
  constructor(ids, own, { headsFirst = false, ...sources }) {
    Object.assign(this, { own: new Set(own.map(([name]) => name)), sources });
    const option = ([value, label]) => element("option", { value }, label);
    const heads = Object.entries(HEAD_FORMATS).map(([value, { label }]) => [value, label]);
    const groups = [element("optgroup", { label: "Results" }, ...own.map(option)), element("optgroup", { label: "Heads" }, ...heads.map(option))];
    this.select = element("select", { id: ids.select, ariaLabel: "Format to save" }, ...(headsFirst ? groups.reverse() : groups));
    this.select.addEventListener("change", () => this.show());
    this.button = element("button", { id: ids.button }, "Save");
    this.button.addEventListener("click", () => this.save());
    this.side = element("input", { type: "number", min: 1, max: 10_000, step: "any", id: `${ids.select}-side` });
    this.side.addEventListener("input", () => (this.chosen = true));
    this.field = element("label", { className: "field", hidden: true }, "Box side, pixels", this.side);
    this.element = element("div", { className: "saving" }, element("span", { className: "joined" }, this.select, this.button), this.field);
  }

  set disabled(value) {
    this.button.disabled = value;
  }

  show() {
    const boxes = Boolean(HEAD_FORMATS[this.select.value]?.boxes);
    this.field.hidden = !boxes;
    if (boxes && !this.chosen) this.side.value = suggestedSide(this.sources.photos());
  }

  async save() {
    const format = this.select.value;
    if (this.own.has(format)) return this.sources.own(format);
    const side = Number(this.side.value);
    if (HEAD_FORMATS[format].boxes && !(side > 0)) return say("Give the side of the boxes in pixels.");
    this.button.disabled = true;
    try {
      download(...(await headsFile(this.sources.site(), format, this.sources.photos(), side)));
    } catch (error) {
      say(error.message, 12);
    }
    this.button.disabled = false;
  }
}
