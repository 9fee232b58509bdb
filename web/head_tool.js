// Editing heads on the stage: click, drag, lasso, areas to ignore; with the mouse, by touch, or with keys alone.

import { drawHeads } from "./overlays.js";

const REACH = 11; // screen pixels within which a head is taken
const CLICK = 4; // screen pixels that a click may wander
const STEP = 6; // screen pixels of an arrow key
const EDGE = "#10202a";

export class HeadTool {
  /**
   * Edit `edits`. `changed()` is called after each change; `allowed(place)` says where heads may be, and
   * `mode` is heads, lasso, ignore or hand.
   */
  constructor(viewer, edits, { changed, allowed = () => true }) {
    Object.assign(this, { viewer, edits, changed, allowed });
    this.mode = "heads";
    this.selected = [];
    this.cursor = null;
    this.held = null;
    this.path = null;
  }

  down(place, event) {
    this.cursor = null;
    this.from = { place, x: event.clientX, y: event.clientY, moved: false };
    if (this.mode === "hand") return false;
    if (this.mode === "heads") {
      const index = this.edits.nearest(place, this.viewer.reach(REACH));
      this.held = index < 0 ? null : { index, place: this.edits.heads[index] };
      this.selected = index < 0 ? [] : [index];
    } else {
      this.path = [place];
    }
    this.viewer.redraw();
    return true;
  }

  move(place, event) {
    const [dx, dy] = [event.clientX - this.from.x, event.clientY - this.from.y];
    this.from.moved ||= Math.hypot(dx, dy) > CLICK;
    if (!this.from.moved) return;
    if (this.path) this.path.push(place);
    else if (this.held) this.held.place = place;
    else this.viewer.pan(event.movementX, event.movementY);
    this.viewer.redraw();
  }

  up(place) {
    if (this.path) this.finishPath(place);
    else if (this.held && this.from.moved) this.drop(this.held.place);
    else if (!this.held && !this.from.moved) this.addAt(place);
    this.held = null;
    this.path = null;
    this.viewer.redraw();
  }

  cancel() {
    this.held = null;
    this.path = null;
  }

  finishPath(place) {
    if (this.mode === "lasso") {
      this.selected = this.edits.inside(this.path);
      this.changed();
      return;
    }
    const area = areaBetween(this.path[0], place, this.viewer.size);
    if (area[2] - area[0] < 3 || area[3] - area[1] < 3) return;
    this.edits.addArea(area);
    this.changed();
  }

  drop(place) {
    if (this.allowed(place)) {
      this.edits.move(this.held.index, rounded(place));
      this.changed();
    }
  }

  addAt(place) {
    if (!this.allowed(place)) return;
    this.selected = [this.edits.add(rounded(place))];
    this.changed();
  }

  removeSelected() {
    if (!this.selected.length) return;
    this.edits.remove(this.selected);
    this.selected = [];
    this.changed();
  }

  undo(forth = false) {
    if (!(forth ? this.edits.redo() : this.edits.undo())) return;
    this.selected = [];
    this.changed();
  }

  /** Keys: arrows move a cursor, Enter adds or drops, M takes the nearest head, Delete removes. */
  key(event) {
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === "z") return this.undo(event.shiftKey), true;
      if (event.key.toLowerCase() === "y") return this.undo(true), true;
      return false;
    }
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (arrows[event.key]) return this.moveCursor(...arrows[event.key], event.shiftKey ? 6 : 1), true;
    const actions = {
      Enter: () => this.enter(), " ": () => this.enter(), m: () => this.takeNearest(), Escape: () => this.clear(),
      Delete: () => this.removeNearest(), Backspace: () => this.removeNearest(),
    };
    if (!actions[event.key]) return false;
    actions[event.key]();
    this.viewer.redraw();
    return true;
  }

  moveCursor(x, y, factor) {
    const { viewer } = this;
    const start = this.cursor ?? [viewer.x, viewer.y];
    const step = viewer.reach(STEP) * factor;
    const clip = (value, length) => Math.min(length - 1, Math.max(0, value));
    this.cursor = [clip(start[0] + x * step, viewer.size.width), clip(start[1] + y * step, viewer.size.height)];
    if (this.held) this.held.place = this.cursor;
    viewer.reveal(...this.cursor);
  }

  enter() {
    this.cursor ??= [this.viewer.x, this.viewer.y];
    if (!this.held) return this.addAt(this.cursor);
    this.drop(this.cursor);
    this.held = null;
  }

  takeNearest() {
    this.cursor ??= [this.viewer.x, this.viewer.y];
    const index = this.edits.nearest(this.cursor, Infinity);
    if (index < 0) return;
    this.held = { index, place: this.edits.heads[index] };
    this.selected = [index];
    this.cursor = this.held.place;
    this.viewer.reveal(...this.cursor);
  }

  removeNearest() {
    if (this.cursor && !this.selected.length) {
      const index = this.edits.nearest(this.cursor, this.viewer.reach(2 * REACH));
      this.selected = index < 0 ? [] : [index];
    }
    this.removeSelected();
  }

  clear() {
    this.held = null;
    this.selected = [];
    this.cursor = null;
  }

  stillKey() {
    return [this.edits.heads, this.edits.ignore];
  }

  /** Draw heads and areas. */
  still(pen, viewer) {
    for (const [left, top, right, bottom] of this.edits.ignore) {
      pen.fillStyle = "#10202acc";
      pen.fillRect(left, top, right - left, bottom - top);
    }
    if (this.edits.ignore.length) drawHeads(pen, viewer, this.edits.heads, "#8b979d");
    drawHeads(pen, viewer, this.edits.counted());
  }

  /** Draw what is selected, and the cursor. */
  draw(pen, viewer) {
    const pixel = viewer.reach(1);
    const chosen = this.selected.filter((i) => i !== this.held?.index).map((i) => this.edits.heads[i]).filter(Boolean);
    for (const [x, y] of [...chosen, ...(this.held ? [this.held.place] : [])]) ring(pen, x + 0.5, y + 0.5, 8 * pixel, pixel, "#ff5d8f");
    if (this.path) this.drawPath(pen, pixel);
    if (this.cursor) cross(pen, this.cursor[0] + 0.5, this.cursor[1] + 0.5, pixel);
  }

  drawPath(pen, pixel) {
    pen.beginPath();
    if (this.mode === "ignore") {
      const [left, top, right, bottom] = areaBetween(this.path[0], this.path.at(-1), this.viewer.size);
      pen.rect(left, top, right - left, bottom - top);
    } else {
      this.path.forEach(([x, y], i) => (i ? pen.lineTo(x + 0.5, y + 0.5) : pen.moveTo(x + 0.5, y + 0.5)));
    }
    strokeTwice(pen, pixel, "#ff5d8f");
  }
}

function areaBetween([ax, ay], [bx, by], { width, height }) {
  const clip = (value, length) => Math.min(length, Math.max(0, Math.round(value + 0.5)));
  const [left, right] = [clip(Math.min(ax, bx), width), clip(Math.max(ax, bx), width)];
  const [top, bottom] = [clip(Math.min(ay, by), height), clip(Math.max(ay, by), height)];
  return [left, top, right, bottom];
}

const rounded = ([x, y]) => [Math.round(x * 100) / 100, Math.round(y * 100) / 100];

function ring(pen, x, y, radius, pixel, colour) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  strokeTwice(pen, pixel, colour);
}

function cross(pen, x, y, pixel) {
  pen.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    pen.moveTo(x + dx * 4 * pixel, y + dy * 4 * pixel);
    pen.lineTo(x + dx * 16 * pixel, y + dy * 16 * pixel);
  }
  strokeTwice(pen, pixel, "#62e0ff");
}

export function strokeTwice(pen, pixel, colour) {
  pen.lineWidth = 4 * pixel;
  pen.strokeStyle = EDGE;
  pen.stroke();
  pen.lineWidth = 2 * pixel;
  pen.strokeStyle = colour;
  pen.stroke();
}
