// What rarely changes in a view, the photo and the layers over it, drawn once onto a canvas larger than the view:
// to pan is to copy a part of it, to zoom is to copy it enlarged until the view rests.

const ROOM = 0.3; // margin on each side, as a share of the view
const MOST = 24_000_000; // pixels of the canvas; beyond that the margin shrinks
const WIDEST = 1.8; // enlarged or reduced by more, it is drawn again
const SLOW = 24; // milliseconds between two frames of a zoom above which smoothing is left out
const REST = 140; // milliseconds without a zoom after which it is drawn sharply

export class Scene {
  constructor() {
    this.canvas = new OffscreenCanvas(1, 1);
    this.pen = this.canvas.getContext("2d");
    this.key = [];
    this.last = 0; // time of the last frame of a zoom
    this.slow = 0; // frames that took long
  }

  /** Draw the scene of a viewer onto its canvas; `key` lists what it depends on, `paint(pen, frame)` draws it. */
  draw(viewer, key, paint) {
    const same = key.length === this.key.length && key.every((value, i) => value === this.key[i]);
    if (!same || !this.serves(viewer)) this.render(viewer, key, paint);
    const { frame, canvas } = this;
    const factor = viewer.scale / frame.scale;
    const [width, height] = [canvas.width * factor, canvas.height * factor];
    const place = (at, own, view, side) => Math.round(view / 2 + (own - at) * viewer.scale - side / 2);
    const left = place(viewer.x, frame.x, viewer.canvas.width, width);
    const top = place(viewer.y, frame.y, viewer.canvas.height, height);
    viewer.pen.imageSmoothingEnabled = factor !== 1 && !this.isSlow();
    viewer.pen.drawImage(canvas, left, top, width, height);
  }

  /** Whether this screen draws slowly: it then enlarges without smoothing until the view rests. */
  isSlow() {
    const now = performance.now();
    const gap = now - this.last;
    this.last = now;
    if (gap > SLOW && gap < REST) this.slow++;
    return this.slow >= 3;
  }

  /** Whether the scene can show a view: near enough in scale, and it holds all of the photo that is visible. */
  serves(viewer) {
    const { frame } = this;
    const factor = viewer.scale / frame.scale;
    if (factor !== 1 && (!viewer.moving || factor > WIDEST || factor < 1 / WIDEST)) return false;
    const within = (at, own, view, side, length) => {
      const [begin, end] = [at - view / 2 / viewer.scale, at + view / 2 / viewer.scale];
      const [low, high] = [own - side / 2 / frame.scale, own + side / 2 / frame.scale];
      return Math.max(0, begin) >= Math.max(0, low) - 1e-6 && Math.min(length, end) <= Math.min(length, high) + 1e-6;
    };
    return (
      within(viewer.x, frame.x, viewer.canvas.width, this.canvas.width, viewer.size.width) &&
      within(viewer.y, frame.y, viewer.canvas.height, this.canvas.height, viewer.size.height)
    );
  }

  render(viewer, key, paint) {
    const { width, height } = viewer.canvas;
    const room = Math.max(0, Math.min(ROOM, (Math.sqrt(MOST / (width * height)) - 1) / 2));
    const sides = [width, height].map((side) => Math.round(side * (1 + 2 * room)));
    if (this.canvas.width !== sides[0] || this.canvas.height !== sides[1]) [this.canvas.width, this.canvas.height] = sides;
    const { scale, x, y, ratio, size } = viewer;
    this.frame = { canvas: this.canvas, scale, x, y, ratio, size, reach: (length) => (length * ratio) / scale };
    this.key = key;
    this.pen.setTransform(1, 0, 0, 1, 0, 0);
    this.pen.clearRect(0, 0, ...sides);
    paint(this.pen, this.frame);
  }

  clear() {
    this.key = [];
  }
}

/** Return a function that notes a zoom, and calls `rested()` once none came for a while. */
export function restAfter(rested) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(rested, REST);
  };
}

/** Let a pen draw in pixels of the photo. */
export function toPhoto(pen, { canvas, scale, x, y }) {
  pen.setTransform(scale, 0, 0, scale, canvas.width / 2 - x * scale, canvas.height / 2 - y * scale);
}
