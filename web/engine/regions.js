// Dense regions (AutoScale §3.3, §3.4): the boxes worth a second pass, and the features pooled over one.

import { inCells, makeBox, shift, within } from "./boxes.js";

const POOLED = 14; // side in cells of a region's pooled features

/** Return the box of the largest dense part of a view, in pixels of the view, or null. */
export function denseBox(config, answer, inner, wholeArea = 0) {
  const { data, width } = answer.likeliest;
  const cell = answer.cell;
  const part = inCells(inner, cell);
  const [columns, rows] = [part.right - part.left, part.bottom - part.top];
  const mask = new Uint8Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = (part.top + row) * width + part.left + column;
      mask[row * columns + column] = data[at] < config.rule.below ? 1 : 0;
    }
  }
  const found = largestComponent(mask, columns, rows);
  const least = config.rule.minimum * (wholeArea ? wholeArea / cell ** 2 : mask.length);
  if (!found || found.area < least) return null;
  const box = shift(found.box, part.left, part.top);
  return within(makeBox(cell * box.left, cell * box.top, cell * box.right, cell * box.bottom), inner);
}

/** Return the area and box of the largest 8-connected part of a mask, or null. */
function largestComponent(mask, width, height) {
  const stack = new Int32Array(width * height + 1);
  let best = null;
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] !== 1) continue;
    const found = fill(mask, width, height, start, stack);
    if (!best || found.area > best.area) best = found;
  }
  return best;
}

function fill(mask, width, height, start, stack) {
  let [left, top, right, bottom, area, size] = [width, height, -1, -1, 0, 1];
  stack[0] = start;
  mask[start] = 2;
  while (size) {
    const at = stack[--size];
    const y = Math.floor(at / width);
    const x = at - y * width;
    area++;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
    for (let r = Math.max(0, y - 1); r <= Math.min(height - 1, y + 1); r++) {
      for (let c = Math.max(0, x - 1); c <= Math.min(width - 1, x + 1); c++) {
        if (mask[r * width + c] === 1) {
          mask[r * width + c] = 2;
          stack[size++] = r * width + c;
        }
      }
    }
  }
  return { area, box: makeBox(left, top, right + 1, bottom + 1) };
}

/** Return the (c, 14, 14) mean features of a box of the view. */
export function poolRegion(features, box, stride) {
  const { data, channels, width, height } = features;
  const rows = bins(box.top / stride, box.bottom / stride, height);
  const columns = bins(box.left / stride, box.right / stride, width);
  const out = new Float32Array(channels * POOLED * POOLED);
  for (let channel = 0; channel < channels; channel++) {
    const base = channel * width * height;
    for (let i = 0; i < POOLED; i++) {
      for (let j = 0; j < POOLED; j++) {
        let sum = 0;
        for (const [row, high] of rows[i]) {
          for (const [column, wide] of columns[j]) sum += data[base + row * width + column] * high * wide;
        }
        out[(channel * POOLED + i) * POOLED + j] = sum;
      }
    }
  }
  return out;
}

/** Return which cells each of 14 equal bins of [start, stop) overlaps, with shares that sum to 1. */
function bins(start, stop, cells) {
  const step = (stop - start) / POOLED;
  return Array.from({ length: POOLED }, (_, bin) => {
    const low = start + bin * step;
    const high = bin === POOLED - 1 ? stop : start + (bin + 1) * step;
    const taps = [];
    for (let cell = Math.max(0, Math.floor(low)); cell < Math.min(cells, Math.ceil(high)); cell++) {
      taps.push([cell, Math.min(high, cell + 1) - Math.max(low, cell)]);
    }
    const sum = taps.reduce((total, [, share]) => total + share, 0);
    return taps.map(([cell, share]) => [cell, share / Math.max(sum, 1e-12)]);
  });
}
