// A photo on a canvas that pans and zooms by mouse, touch and keys, with layers drawn over it.

import { Scene, restAfter, toPhoto } from "./scene.js";

const MOST = 40; // screen pixels a photo pixel
const SMALLEST = 900; // side below which no smaller copy of the photo is kept
const PAN = 60; // screen pixels a key press

export class Viewer {
  /** Show a photo on `canvas`; `layers` and `split` are set by the page. */
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.copies = [];
    this.size = null;
    this.layers = []; // (pen, viewer) => void, in pixels of the photo
    this.split = 1; // share of the photo's width that shows the layers
    this.tool = null; // {down, move, up, key}, each returns true where it took the event; {still, stillKey, draw}
    this.scene = new Scene();
    this.moving = false; // zoomed a moment ago
    this.zoomed = restAfter(() => {
      this.moving = false;
      this.redraw();
    });
    this.pointers = new Map();
    this.frames = 0;
    new ResizeObserver(() => this.resize()).observe(canvas);
    canvas.addEventListener("pointerdown", (event) => this.onDown(event));
    canvas.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.onUp(event));
    canvas.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.onKey(event));
    canvas.addEventListener("dblclick", (event) => this.tool?.double?.(this.place(event), event));
    this.resize();
  }

  /** Show an ImageBitmap, or nothing. */
  async show(bitmap, size = bitmap && { width: bitmap.width, height: bitmap.height }) {
    for (const copy of this.copies.slice(1)) copy.close?.();
    this.copies = bitmap ? [bitmap] : [];
    this.scene.clear();
    this.size = size;
    this.fit();
    while (bitmap && Math.max(this.copies.at(-1).width, this.copies.at(-1).height) > 2 * SMALLEST) {
      const last = this.copies.at(-1);
      const half = await createImageBitmap(last, {
        resizeWidth: Math.ceil(last.width / 2), resizeHeight: Math.ceil(last.height / 2), resizeQuality: "medium",
      });
      if (this.copies[0] !== bitmap) return half.close();
      this.copies.push(half);
    }
    this.redraw();
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.canvas;
    const before = [this.canvas.width, this.canvas.height];
    this.canvas.width = Math.max(1, Math.round(clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    this.ratio = ratio;
    if (this.size && (this.fitted || before[0] <= 1)) this.fit();
    this.draw();
  }

  /** Show the whole photo. */
  fit() {
    if (!this.size) return this.redraw();
    const { width, height } = this.canvas;
    this.scale = Math.min(width / this.size.width, height / this.size.height) * 0.97;
    this.x = this.size.width / 2;
    this.y = this.size.height / 2;
    this.fitted = true;
    this.redraw();
  }

  /** Show a box of the photo, with room around it. */
  showBox(left, top, right, bottom, room = 1.3) {
    const { width, height } = this.canvas;
    this.scale = Math.min(MOST * this.ratio, Math.min(width / (right - left), height / (bottom - top)) / room);
    this.x = (left + right) / 2;
    this.y = (top + bottom) / 2;
    this.fitted = false;
    this.redraw();
  }

  /** Zoom by a factor; the photo's pixel at a place of the canvas stays there. */
  zoom(factor, at = [this.canvas.width / 2, this.canvas.height / 2]) {
    if (!this.size) return;
    const least = Math.min(this.canvas.width / this.size.width, this.canvas.height / this.size.height) / 2;
    const scale = Math.min(MOST * this.ratio, Math.max(least, this.scale * factor));
    const dx = at[0] - this.canvas.width / 2;
    const dy = at[1] - this.canvas.height / 2;
    this.x += dx / this.scale - dx / scale;
    this.y += dy / this.scale - dy / scale;
    this.scale = scale;
    this.moving = true;
    this.zoomed();
    this.keepNear();
  }

  pan(dx, dy) {
    if (!this.size) return;
    this.x -= (dx * this.ratio) / this.scale;
    this.y -= (dy * this.ratio) / this.scale;
    this.keepNear();
  }

  keepNear() {
    this.x = Math.min(this.size.width, Math.max(0, this.x));
    this.y = Math.min(this.size.height, Math.max(0, this.y));
    this.fitted = false;
    this.redraw();
  }

  /** Move the view so that a place of the photo is visible. */
  reveal(x, y) {
    const wide = (this.canvas.width / 2 / this.scale) * 0.9;
    const high = (this.canvas.height / 2 / this.scale) * 0.9;
    this.x = Math.min(x + wide, Math.max(x - wide, this.x));
    this.y = Math.min(y + high, Math.max(y - high, this.y));
    this.fitted = false;
    this.redraw();
  }

  /** Return the place of the photo under an event: the first pixel's centre is (0, 0). */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) * this.ratio - this.canvas.width / 2) / this.scale + this.x;
    const y = ((event.clientY - box.top) * this.ratio - this.canvas.height / 2) / this.scale + this.y;
    return [x - 0.5, y - 0.5];
  }

  /** Pixels of the photo that `length` pixels of the screen cover. */
  reach(length) {
    return (length * this.ratio) / this.scale;
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw() {
    const { pen, canvas } = this;
    this.frames++;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = getComputedStyle(canvas.parentElement).backgroundColor;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    if (!this.size || !(this.scale > 0)) return;
    const { tool, layers, split, ratio, size } = this;
    const key = [layers, split, ratio, size, this.copies.length, tool, ...(tool?.stillKey?.() ?? [])];
    this.scene.draw(this, key, (own, frame) => this.paint(own, frame));
    toPhoto(pen, this);
    if (split < 1) {
      pen.fillStyle = "#fff";
      pen.fillRect(size.width * split - this.reach(1), 0, this.reach(2), size.height);
    }
    tool?.draw?.(pen, this);
  }

  /** Draw the photo, the layers, and what a tool draws that rarely changes. */
  paint(pen, frame) {
    toPhoto(pen, frame);
    this.drawPhoto(pen, frame);
    pen.save();
    if (this.split < 1) {
      pen.beginPath();
      pen.rect(0, 0, this.size.width * this.split, this.size.height);
      pen.clip();
    }
    for (const layer of this.layers) layer(pen, frame);
    pen.restore();
    this.tool?.still?.(pen, frame);
  }

  /** Draw the visible part from the smallest copy that is sharp enough. */
  drawPhoto(pen, { canvas, scale, x, y, ratio }) {
    if (!this.copies.length) return;
    let level = 0;
    while (level + 1 < this.copies.length && scale < 0.5 ** (level + 1)) level++;
    const copy = this.copies[level];
    const factor = copy.width / this.size.width;
    const [wide, high] = [canvas.width / scale, canvas.height / scale];
    const left = Math.max(0, x - wide / 2);
    const top = Math.max(0, y - high / 2);
    const right = Math.min(this.size.width, x + wide / 2);
    const bottom = Math.min(this.size.height, y + high / 2);
    if (right <= left || bottom <= top) return;
    pen.imageSmoothingEnabled = scale < 16 * ratio;
    pen.drawImage(
      copy, left * factor, top * factor, (right - left) * factor, (bottom - top) * factor,
      left, top, right - left, bottom - top,
    );
  }

  onDown(event) {
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture?.(event.pointerId);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.pointers.size > 1) {
      this.tool?.cancel?.();
      this.active = null;
      return;
    }
    const plain = event.button === 0 && !event.ctrlKey && !this.spaceHeld;
    this.active = plain && this.size && this.tool?.down?.(this.place(event), event) ? this.tool : null;
  }

  onMove(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) {
      this.tool?.hover?.(this.place(event), event);
      return;
    }
    const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
    if (this.pointers.size === 2) this.pinch(event, dx, dy);
    else if (this.active) this.active.move?.(this.place(event), event);
    else this.pan(dx, dy);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
  }

  pinch(event, dx, dy) {
    const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    const last = this.pointers.get(event.pointerId);
    const before = Math.hypot(last[0] - other[0], last[1] - other[1]);
    const after = Math.hypot(event.clientX - other[0], event.clientY - other[1]);
    const box = this.canvas.getBoundingClientRect();
    const middle = [(event.clientX + other[0]) / 2 - box.left, (event.clientY + other[1]) / 2 - box.top];
    this.pan(dx / 2, dy / 2);
    if (before > 0) this.zoom(after / before, middle.map((value) => value * this.ratio));
  }

  onUp(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    this.active?.up?.(this.place(event), event);
    this.active = null;
  }

  onWheel(event) {
    if (!this.size) return;
    event.preventDefault();
    const box = this.canvas.getBoundingClientRect();
    const at = [(event.clientX - box.left) * this.ratio, (event.clientY - box.top) * this.ratio];
    this.zoom(1.0015 ** -event.deltaY, at);
  }

  onKey(event) {
    if (!this.size || this.tool?.key?.(event)) {
      if (this.size) event.preventDefault();
      return;
    }
    const moves = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (moves[event.key]) this.pan(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(1.3);
    else if (event.key === "-") this.zoom(1 / 1.3);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
  }
}
