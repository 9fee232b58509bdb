// Drawing zones on the stage: areas, lines and ground points, by clicks or by keys alone.
// Corners are pixels of the photo, the first of which spans 0 to 1.

import { strokeTwice } from "./head_tool.js";
import { drawLabel } from "./overlays.js";
import { inPixels, moveCorner, ringsOf } from "./zone_shapes.js";

const REACH = 12; // screen pixels within which a corner is taken
const STEP = 6; // screen pixels of an arrow key

const COLOURS = { area: "#3ce6ff", line: "#3ce6ff", roi: "#f5f6f8", exclude: "#8b979d", ground: "#ff9d2e", chosen: "#ffdd1a" };

export class ZoneTool {
  /** Draw into `zones` = {zones, ground}; `changed()` is called after each change, `say()` with sentences. */
  constructor(viewer, zones, { changed, say }) {
    Object.assign(this, { viewer, zones, changed, say });
    this.mode = null;
    this.drawing = [];
    this.chosen = null;
    this.held = null;
    this.cursor = null;
  }

  setMode(mode) {
    this.mode = this.mode === mode ? null : mode;
    this.drawing = [];
    this.viewer.redraw();
  }

  corner([x, y]) {
    const { width, height } = this.viewer.size;
    const clip = (value, most) => Math.round(Math.min(most, Math.max(0, value + 0.5)) * 10) / 10;
    return [clip(x, width), clip(y, height)];
  }

  near(a, b) {
    return Math.hypot(a[0] - b[0], a[1] - b[1]) < this.viewer.reach(REACH);
  }

  down(place) {
    const corner = this.corner(place);
    this.cursor = null;
    if (this.mode) {
      this.addCorner(corner);
      return true;
    }
    for (const { shape, ring } of this.rings()) {
      const index = inPixels(shape, ring, this.viewer.size).findIndex((point) => this.near(corner, point));
      if (index < 0) continue;
      this.held = { shape, ring, index };
      const chosen = this.zones.zones.indexOf(shape);
      this.chosen = chosen < 0 ? null : chosen;
      this.changed(false);
      return true;
    }
    return false;
  }

  /** Return each ring of corners that can be moved, with its zone. */
  rings() {
    const { zones, ground } = this.zones;
    const drawn = zones.flatMap((shape) => ringsOf(shape).map((ring) => ({ shape, ring })));
    return ground ? [...drawn, { shape: ground, ring: ground.points }] : drawn;
  }

  move(place) {
    if (!this.held) return;
    const { shape, ring, index } = this.held;
    moveCorner(shape, ring, index, this.corner(place), this.viewer.size);
    this.held.moved = true;
    this.viewer.redraw();
  }

  up() {
    if (this.held?.moved) this.changed();
    this.held = null;
  }

  cancel() {
    this.held = null;
  }

  double() {
    if (this.mode !== "line") return;
    this.drawing.pop();
    this.finish();
  }

  addCorner(corner) {
    if (this.mode === "ground") return this.addGround(corner);
    if (this.mode === "area" && this.drawing.length > 2 && this.near(corner, this.drawing[0])) return this.finish();
    this.drawing.push(corner);
    this.viewer.redraw();
  }

  addGround(corner) {
    const { ground } = this.zones;
    this.zones.ground = ground && ground.points.length < 4 ? ground : { points: [], sides: [], diagonal: null };
    this.zones.ground.points.push(corner);
    if (this.zones.ground.points.length === 4) this.mode = null;
    this.changed();
  }

  finish() {
    const least = this.mode === "area" ? 3 : 2;
    if (this.drawing.length < least) return this.say(`${this.mode === "area" ? "An area" : "A line"} needs ${least} corners or more.`);
    this.zones.zones.push({ name: this.freeName(), kind: this.mode, points: this.drawing });
    this.chosen = this.zones.zones.length - 1;
    this.mode = null;
    this.drawing = [];
    this.changed();
  }

  freeName() {
    const names = new Set(this.zones.zones.map((zone) => zone.name));
    let number = names.size + 1;
    while (names.has(`zone ${number}`)) number++;
    return `zone ${number}`;
  }

  /** Keys: arrows move a cursor, Enter sets a corner, C closes, Escape leaves. */
  key(event) {
    if (event.ctrlKey || event.metaKey) return false;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (arrows[event.key] && this.mode) return this.moveCursor(arrows[event.key], event.shiftKey ? 6 : 1), true;
    if (event.key === "Enter" && this.mode) return this.cursor ? this.addCorner(this.corner(this.cursor)) : this.finish(), true;
    if (event.key.toLowerCase() === "c" && this.mode) return this.finish(), true;
    if (event.key === "Escape") return this.setMode(this.mode), this.changed(false), true;
    return false;
  }

  moveCursor([x, y], factor) {
    const start = this.cursor ?? [this.viewer.x, this.viewer.y];
    const step = this.viewer.reach(STEP) * factor;
    const clip = (value, most) => Math.min(most - 0.5, Math.max(-0.5, value));
    this.cursor = [clip(start[0] + x * step, this.viewer.size.width), clip(start[1] + y * step, this.viewer.size.height)];
    this.viewer.reveal(...this.cursor);
  }

  draw(pen, viewer) {
    const pixel = viewer.reach(1);
    this.zones.zones.forEach((zone, index) => {
      const colour = index === this.chosen ? COLOURS.chosen : zone.exclude ? COLOURS.exclude : zone.roi ? COLOURS.roi : COLOURS[zone.kind ?? "area"];
      const rings = ringsOf(zone).map((ring) => inPixels(zone, ring, viewer.size));
      const [points] = rings;
      if (zone.kind !== "line") this.tint(pen, rings, colour);
      for (const ring of rings) this.outline(pen, ring, zone.kind !== "line", colour, pixel);
      const [x, y] = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
      drawLabel(pen, viewer, zone.people == null ? zone.name : `${zone.name}: ${zone.people}`, x, y, colour);
    });
    const { ground } = this.zones;
    if (ground) {
      this.outline(pen, ground.points, ground.points.length === 4, COLOURS.ground, pixel);
      ground.points.forEach((point, i) => drawLabel(pen, viewer, "ABCD"[i], point[0], point[1] - 6 * pixel, COLOURS.ground));
    }
    if (this.drawing.length) this.outline(pen, this.drawing, false, COLOURS.chosen, pixel);
    if (this.cursor && this.mode) this.outline(pen, [this.corner(this.cursor)], false, COLOURS.chosen, pixel);
  }

  /** Fill the parts of an area, but not its holes. */
  tint(pen, rings, colour) {
    pen.beginPath();
    for (const ring of rings) {
      ring.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.closePath();
    }
    pen.fillStyle = `${colour}30`;
    pen.fill("evenodd");
  }

  outline(pen, points, closed, colour, pixel) {
    pen.beginPath();
    points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    if (closed) pen.closePath();
    strokeTwice(pen, pixel, colour);
    for (const [x, y] of points) {
      pen.beginPath();
      pen.arc(x, y, 5 * pixel, 0, 2 * Math.PI);
      pen.fillStyle = colour;
      pen.fill();
      strokeTwice(pen, pixel * 0.5, "#10202a");
    }
  }
}
