// The corrections of one photo: heads and areas to ignore, with undo. Every change makes new lists.

const DEEPEST = 500; // changes that can be undone

export class Edits {
  constructor(heads = [], ignore = []) {
    this.heads = heads; // [x, y] each, in pixels of the photo
    this.ignore = ignore; // [left, top, right, bottom] each
    this.past = [];
    this.future = [];
  }

  get touched() {
    return this.past.length > 0;
  }

  change(heads, ignore = this.ignore) {
    this.past.push([this.heads, this.ignore]);
    if (this.past.length > DEEPEST) this.past.shift();
    this.future = [];
    [this.heads, this.ignore] = [heads, ignore];
  }

  /** Take back the last change; return whether there was one. */
  undo() {
    return this.step(this.past, this.future);
  }

  redo() {
    return this.step(this.future, this.past);
  }

  step(from, to) {
    if (!from.length) return false;
    to.push([this.heads, this.ignore]);
    [this.heads, this.ignore] = from.pop();
    return true;
  }

  add(head) {
    this.change([...this.heads, head]);
    return this.heads.length - 1;
  }

  move(index, head) {
    this.change(this.heads.map((each, i) => (i === index ? head : each)));
  }

  remove(indices) {
    const gone = new Set(indices);
    this.change(this.heads.filter((_, i) => !gone.has(i)));
  }

  addArea(area) {
    this.change(this.heads, [...this.ignore, area]);
  }

  removeArea(index) {
    this.change(this.heads, this.ignore.filter((_, i) => i !== index));
  }

  /** Return the heads that no ignored area holds. */
  counted() {
    if (!this.ignore.length) return this.heads;
    if (this.kept?.heads !== this.heads || this.kept.ignore !== this.ignore) {
      const left = this.heads.filter(([x, y]) => !this.ignore.some((area) => holds(area, x, y)));
      this.kept = { heads: this.heads, ignore: this.ignore, left };
    }
    return this.kept.left;
  }

  /** Return the index of the head nearest to a place within a reach, or -1. */
  nearest([x, y], reach) {
    let [best, found] = [reach, -1];
    this.heads.forEach(([headX, headY], i) => {
      const distance = Math.hypot(headX - x, headY - y);
      if (distance < best) [best, found] = [distance, i];
    });
    return found;
  }

  /** Return the indices of the heads inside a polygon. */
  inside(polygon) {
    return this.heads.flatMap(([x, y], i) => (isInside(polygon, x, y) ? [i] : []));
  }

  toJSON() {
    return { heads: this.heads, ignore: this.ignore };
  }
}

/** Whether the pixel that a head rounds to lies in a box: the ownership rule. */
export function holds([left, top, right, bottom], x, y) {
  const [column, row] = [Math.floor(x + 0.5), Math.floor(y + 0.5)];
  return column >= left && column < right && row >= top && row < bottom;
}

/** Even-odd rule. */
export function isInside(polygon, x, y) {
  let inside = false;
  polygon.forEach(([ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  });
  return inside;
}
