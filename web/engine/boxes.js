// Boxes of whole pixels, half-open, and the tiles that large photos are cut into.

import { roundEven } from "./resize.js";

const GRID = 32; // tiles begin at multiples of the networks' stride

export const TILES = { whole: 2_500_000, side: 1024, margin: 128 };

export function makeBox(left, top, right, bottom) {
  return { left, top, right, bottom };
}

export const widthOf = (box) => box.right - box.left;
export const heightOf = (box) => box.bottom - box.top;
export const areaOf = (box) => widthOf(box) * heightOf(box);

export function shift(box, dx, dy) {
  return makeBox(box.left + dx, box.top + dy, box.right + dx, box.bottom + dy);
}

/** Return the box grown by `margin` on each side, cut to a frame. */
export function grow(box, margin, width, height) {
  return makeBox(
    Math.max(0, box.left - margin), Math.max(0, box.top - margin),
    Math.min(width, box.right + margin), Math.min(height, box.bottom + margin),
  );
}

/** Return the part of a box that lies in another. */
export function within(box, other) {
  const left = Math.max(box.left, other.left);
  const top = Math.max(box.top, other.top);
  return makeBox(
    left, top, Math.max(left, Math.min(box.right, other.right)), Math.max(top, Math.min(box.bottom, other.bottom)),
  );
}

/** Return the cells of `side` pixels that a box touches. */
export function inCells(box, side) {
  return makeBox(
    Math.floor(box.left / side), Math.floor(box.top / side), Math.ceil(box.right / side), Math.ceil(box.bottom / side),
  );
}

/** Whether the pixel that a point rounds to lies in the box: the ownership rule. */
export function contains(box, x, y) {
  const column = Math.floor(x + 0.5);
  const row = Math.floor(y + 0.5);
  return column >= box.left && column < box.right && row >= box.top && row < box.bottom;
}

/** Return the tiles of a photo, each with the box it owns and the larger box it is shown. */
export function planTiles(width, height) {
  const frame = makeBox(0, 0, width, height);
  if (width * height <= TILES.whole) return [{ owned: frame, seen: frame }];
  const tiles = [];
  for (const [top, bottom] of spans(height)) {
    for (const [left, right] of spans(width)) {
      const owned = makeBox(left, top, right, bottom);
      tiles.push({ owned, seen: grow(owned, TILES.margin, width, height) });
    }
  }
  return tiles;
}

function spans(length) {
  const parts = Math.ceil(length / TILES.side);
  const step = Math.ceil(length / (parts * GRID)) * GRID;
  const found = [];
  for (let start = 0; start < length; start += step) found.push([start, Math.min(start + step, length)]);
  return found;
}

/** Return a box of the base scale in pixels of the photo. */
export function scaleBox(box, x, y, width, height) {
  return makeBox(
    Math.trunc(box.left * x), Math.trunc(box.top * y),
    Math.min(width, roundEven(box.right * x)), Math.min(height, roundEven(box.bottom * y)),
  );
}
