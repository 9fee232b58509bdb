// Candidates for heads: the sub-pixel minima of an expected-label map (AutoScale §3.4).

import { roundEven } from "./resize.js";
import { makePoints } from "./points.js";

/**
 * Return the minima below `ceiling`: pixels that no pixel of the window around them undercuts.
 * Equal ones that touch are one head. The confidence is 1 at label 0 and 0 at the ceiling.
 */
export function windowMinima(plane, window, ceiling) {
  const { data, width, height } = plane;
  const marked = markMinima(plane, window, ceiling);
  const groups = groupTouching(marked.places, marked.mask, width, height);
  const found = [[], [], []];
  if (marked.places.length === width * height) return makePoints();
  for (const group of groups) {
    const column = roundEven(group.x);
    const row = roundEven(group.y);
    const here = data[row * width + column];
    const [left, right] = mirrored(column, width);
    const [above, below] = mirrored(row, height);
    const dx = vertex(data[row * width + left], here, data[row * width + right]);
    const dy = vertex(data[above * width + column], here, data[below * width + column]);
    found[0].push(group.x + (group.singleX ? dx : 0));
    found[1].push(group.y + (group.singleY ? dy : 0));
    found[2].push(Math.min(1, Math.max(0, 1 - here / ceiling)));
  }
  return makePoints(...found);
}

function markMinima({ data, width, height }, window, ceiling) {
  const reach = window >> 1;
  const mask = new Uint8Array(width * height);
  const places = [];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      if (data[at] < ceiling && isLowest(data, width, height, row, column, reach)) {
        mask[at] = 1;
        places.push(at);
      }
    }
  }
  return { mask, places };
}

function isLowest(data, width, height, row, column, reach) {
  const here = data[row * width + column];
  const bottom = Math.min(height - 1, row + reach);
  const right = Math.min(width - 1, column + reach);
  for (let r = Math.max(0, row - reach); r <= bottom; r++) {
    for (let c = Math.max(0, column - reach); c <= right; c++) {
      if (data[r * width + c] < here) return false;
    }
  }
  return true;
}

/** Return the centre of each 8-connected group of places, and whether it is one pixel wide and high. */
function groupTouching(places, mask, width, height) {
  const groups = [];
  for (const start of places) {
    if (mask[start] !== 1) continue;
    mask[start] = 2;
    const stack = [start];
    let [size, sumX, sumY] = [0, 0, 0];
    let [singleX, singleY] = [true, true];
    while (stack.length) {
      const at = stack.pop();
      const [x, y] = [at % width, Math.floor(at / width)];
      size++;
      sumX += x;
      sumY += y;
      singleX &&= x === start % width;
      singleY &&= y === Math.floor(start / width);
      pushNeighbours(stack, mask, x, y, width, height);
    }
    groups.push({ x: sumX / size, y: sumY / size, singleX, singleY });
  }
  return groups;
}

function pushNeighbours(stack, mask, x, y, width, height) {
  for (let r = Math.max(0, y - 1); r <= Math.min(height - 1, y + 1); r++) {
    for (let c = Math.max(0, x - 1); c <= Math.min(width - 1, x + 1); c++) {
      const at = r * width + c;
      if (mask[at] === 1) {
        mask[at] = 2;
        stack.push(at);
      }
    }
  }
}

/** Return the neighbours before and after, mirrored at both ends. */
function mirrored(index, length) {
  const last = length - 1;
  return [Math.min(Math.abs(index - 1), last), Math.max(last - Math.abs(last - 1 - index), 0)];
}

/** Return the offset of the lowest point of the parabola through three neighbours, at most half a pixel. */
function vertex(before, at, after) {
  const curvature = before - 2 * at + after;
  if (curvature < 1e-9) return 0;
  return Math.min(0.5, Math.max(-0.5, (before - after) / (2 * curvature)));
}
