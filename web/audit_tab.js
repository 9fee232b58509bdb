// Audit: a number that holds whatever the model does, from a few drawn tiles that are counted by hand.

import { at, say } from "./app.js";
import { BrowserAuditor, ServiceAuditor } from "./auditors.js";
import { element } from "./elements.js";
import { Edits, holds } from "./edits.js";
import { sendCorrection } from "./corrections.js";
import { download } from "./formats.js";
import { HeadTool } from "./head_tool.js";
import { drawHeads } from "./overlays.js";
import { whole } from "./results.js";
import { forget, keep, recall } from "./store.js";

const INTRODUCTION =
  "A model's number is an opinion. Here a few tiles are drawn at random, and you count the heads in them. " +
  "The number and its interval then hold whatever the model does. Ten tiles take a few minutes.";

export class AuditTab {
  constructor(app, panel) {
    this.app = app;
    this.panel = panel;
    this.build();
  }

  build() {
    const button = (label, action, properties = {}) => {
      const made = element("button", properties, label);
      made.addEventListener("click", action);
      return made;
    };
    this.note = element("p", { className: "note" }, INTRODUCTION);
    this.startButton = button("Start the audit", () => this.start(), { className: "main", id: "audit-start" });
    this.number = element("p", { className: "number", id: "audit-number" });
    this.headline = element("p", { id: "audit-headline" });
    this.advice = element("p", { className: "note" });
    this.task = element("p", { id: "audit-task", role: "status" });
    this.undo = button("Undo", () => this.tool?.undo());
    this.erase = button("Delete selected", () => this.tool?.removeSelected());
    this.doneButton = button("Done with this tile", () => this.finish(), { className: "main", id: "audit-done" });
    this.nextButton = button("Next tile", () => this.nextTile(), { className: "main", id: "audit-next" });
    this.back = button("Count the last tile again", () => this.takeBack());
    this.by = element("input", { type: "text", id: "audit-by", autocomplete: "name", maxLength: 100 });
    this.reportButton = button("Save the report", () => this.report(), { id: "audit-report" });
    this.endButton = button("Discard", () => this.discard());
    this.storeButton = button("Save for training", () => this.store(), { id: "save-tiles" });
    this.running = element(
      "div", { hidden: true }, this.number, this.headline, this.advice, this.task,
      element("div", { className: "row tools" }, this.doneButton, this.nextButton, this.undo, this.erase),
      element("div", { className: "row" }, this.back),
      element("h3", {}, "Report"), element("label", { className: "field" }, "Counted by", this.by),
      element("div", { className: "row" }, this.reportButton, this.storeButton, this.endButton),
      element("p", { className: "note" }, "Click each head whose middle lies in the bright tile. Keys on the photo: arrows move a cursor, Enter adds, Delete removes, Ctrl Z undoes."),
    );
    this.panel.replaceChildren(element("h2", {}, "Audit"), this.note, this.startButton, this.running);
  }

  get photos() {
    return this.app.photos.items.filter((item) => item.status !== "failed");
  }

  get key() {
    return ["audit", ...this.photos.map((item) => [item.name, item.stamp].join("|"))].join("/");
  }

  /** Where the heads of a tile are kept until it is done. */
  get tileKey() {
    return this.key.replace("audit", "tile");
  }

  async enter() {
    this.app.viewer.layers = [];
    this.app.viewer.split = 1;
    this.app.viewer.tool = null;
    this.auditor ??= this.app.site?.mode === "browser" ? new BrowserAuditor(this.app.site) : new ServiceAuditor();
    this.startButton.hidden = !this.photos.length;
    this.note.hidden = false;
    this.note.textContent = INTRODUCTION;
    if (!this.photos.length) this.note.textContent = `${INTRODUCTION} Add a photo under Count first.`;
    else await this.resume();
  }

  leave() {
    this.app.viewer.tool = null;
    this.app.viewer.layers = [];
    if (this.state) this.app.viewer.fit(); // a tile fills the view
  }

  /** Go on with an audit of the same photos that was begun before. */
  async resume() {
    const key = this.key;
    if (this.state && this.begun === key) {
      this.startButton.hidden = this.note.hidden = true;
      return this.nextTile();
    }
    this.state = null;
    this.running.hidden = true;
    const record = await recall(key).catch(() => null);
    if (record && key === this.key) await this.ask(record);
  }

  async start() {
    this.startButton.disabled = true;
    this.task.textContent = "";
    this.note.textContent = "The photos are counted and cut into tiles …";
    try {
      this.take(await this.auditor.start(this.photos));
    } catch (error) {
      say(error.message, 12);
    }
    this.note.textContent = INTRODUCTION;
    this.startButton.disabled = false;
  }

  /** Have a record checked; take it over where nothing is wrong. */
  async ask(record, after = () => this.nextTile()) {
    try {
      this.take(await this.auditor.check(record), after);
    } catch (error) {
      say(error.message, 12);
    }
  }

  take(state, after = () => this.nextTile()) {
    this.state = state;
    this.begun = this.key;
    keep(this.key, state.record).catch(() => say("The browser has no room to keep this audit. Save the report in between.", 20));
    this.running.hidden = false;
    this.startButton.hidden = this.note.hidden = true;
    after();
  }

  /** Return the heads that were marked in a tile before it was left. */
  async marked(cell) {
    const kept = await recall(this.tileKey).catch(() => null);
    return kept?.cell === cell ? kept.heads : [];
  }

  /** Show the next tile without the model's heads, which would lead the eye. */
  async nextTile() {
    const { next } = this.state;
    this.show();
    this.compared = false;
    this.nextButton.hidden = true;
    this.doneButton.hidden = !next;
    if (!next) {
      this.task.textContent = "All tiles are counted: the number is exact.";
      this.app.viewer.tool = null;
      return;
    }
    const item = this.photos.find((each) => each.name === next.photo);
    if (item !== this.app.photos.current) this.app.photos.select(item);
    await this.app.showCurrent();
    this.edits = new Edits(await this.marked(next.cell));
    const [left, top, right, bottom] = next.box;
    const allowed = ([x, y]) => holds(next.box, x, y);
    this.tool = new HeadTool(this.app.viewer, this.edits, { changed: () => this.counting(), allowed });
    this.app.viewer.tool = this.tool;
    this.app.viewer.layers = [(pen, viewer) => dim(pen, viewer, next.box)];
    this.app.viewer.showBox(left, top, right, bottom);
    this.counting();
    this.takeKeys();
  }

  /** Keys go to the photo where the button that had them is hidden now. */
  takeKeys() {
    if (document.activeElement === document.body) at("view").focus({ preventScroll: true });
  }

  counting() {
    const number = this.state.record.answers.length + 1;
    this.task.textContent = `Tile ${number}: ${this.edits.heads.length} ${this.edits.heads.length === 1 ? "head" : "heads"}.`;
    this.undo.disabled = !this.edits.past.length;
    this.erase.disabled = !this.tool.selected.length;
    if (this.edits.touched) keep(this.tileKey, { cell: this.state.next.cell, heads: this.edits.heads }).catch(() => {});
    this.app.viewer.redraw();
  }

  /** Send the tile's heads, then show the model's beside them. */
  async finish() {
    const { record, next } = this.state;
    const heads = this.edits.heads;
    const answer = { cell: next.cell, count: heads.length, heads, by: this.by.value.trim(), at: new Date().toISOString().slice(0, 19) + "Z" };
    this.doneButton.disabled = true;
    await this.ask({ ...record, answers: [...record.answers, answer] }, () => this.compare(next, heads));
    this.doneButton.disabled = false;
  }

  compare({ cell, box }, heads) {
    const { record } = this.state;
    const tile = record.plan.cells[cell];
    const located = (record.model_heads[tile.photo] ?? []).filter(([x, y]) => holds(box, x, y));
    this.show();
    this.app.viewer.tool = null;
    this.app.viewer.layers = [
      (pen, viewer) => dim(pen, viewer, box),
      (pen, viewer) => drawHeads(pen, viewer, located, "#62e0ff"),
      (pen, viewer) => drawHeads(pen, viewer, heads),
    ];
    this.app.viewer.redraw();
    this.task.textContent = `You counted ${heads.length} (yellow). The model predicted ${tile.predicted.toFixed(1)} and located ${located.length} (blue).`;
    this.doneButton.hidden = true;
    this.nextButton.hidden = false;
    this.undo.disabled = this.erase.disabled = true;
    this.nextButton.focus();
  }

  show() {
    const { estimate, headline, advice, record } = this.state;
    this.number.replaceChildren(whole(estimate.count), element("small", {}, " people"));
    this.number.classList.toggle("early", estimate.low == null); // without an interval it is no result yet
    this.headline.textContent = headline;
    this.advice.textContent = advice;
    this.back.disabled = this.reportButton.disabled = this.storeButton.disabled = !record.answers.length;
    this.storeButton.hidden = !this.app.site?.corrections;
  }

  takeBack() {
    const { record } = this.state;
    return this.ask({ ...record, answers: record.answers.slice(0, -1) });
  }

  async report() {
    const { record } = this.state;
    const by = this.by.value.trim();
    const signed = { ...record, answers: record.answers.map((answer) => ({ ...answer, by: answer.by || by })) };
    try {
      download(...(await this.auditor.report(signed, this.photos)));
    } catch (error) {
      say(error.message, 12);
    }
  }

  /** Hand the counted tiles to the service's folder of corrections; outside them nothing is known. */
  async store() {
    const { plan, answers } = this.state.record;
    this.storeButton.disabled = true;
    let photos = 0;
    try {
      for (const [index, { name }] of plan.photos.entries()) {
        const item = this.photos.find((each) => each.name === name);
        const counted = answers.filter((answer) => answer.heads && plan.cells[answer.cell].photo === index);
        if (!item || !counted.length) continue;
        const correction = { heads: counted.flatMap((answer) => answer.heads), only: counted.map((answer) => plan.cells[answer.cell].box) };
        await sendCorrection(item, correction);
        photos += 1;
      }
      say(`Saved the tiles of ${photos} ${photos === 1 ? "photo" : "photos"} for training.`);
    } catch (error) {
      say(error.message, 12);
    }
    this.storeButton.disabled = false;
  }

  async discard() {
    if (!confirm("Discard this audit and all its counted tiles?")) return;
    for (const key of [this.key, this.tileKey]) await forget(key).catch(() => {});
    this.state = null;
    this.running.hidden = true;
    this.leave();
    await this.enter();
    this.app.viewer.fit();
  }
}

/** Darken the photo outside a tile and draw its border. */
function dim(pen, viewer, [left, top, right, bottom]) {
  pen.beginPath();
  pen.rect(0, 0, viewer.size.width, viewer.size.height);
  pen.rect(left, top, right - left, bottom - top);
  pen.fillStyle = "#0b1013b8";
  pen.fill("evenodd");
  pen.lineWidth = viewer.reach(2);
  pen.strokeStyle = "#ffffff";
  pen.strokeRect(left, top, right - left, bottom - top);
}
