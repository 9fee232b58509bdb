// The scale at which a large photo is read: the one at which its heads are located most surely.

import { grow, makeBox, widthOf, heightOf, contains } from "./boxes.js";
import { crop, resizeImage, roundEven } from "./resize.js";
import { heads } from "./reading.js";

export const READ_SCALE = { above: 1_500_000, overview: 500_000, window: 384, windows: 4, keep: 0.7, border: 32 };

/** Return the side factor, a power of ½ or 1. `see` gives the reading of a picture. */
export async function chooseReadScale(see, image) {
  const { width, height } = image;
  if (width * height <= READ_SCALE.above) return 1;
  const halvings = Math.ceil(Math.log2((width * height) / READ_SCALE.overview) / 2);
  const frame = makeBox(0, 0, width, height);
  let parts = [await look(see, image, frame, 0.5 ** halvings, 0)];
  let total = evidence(parts[0], frame);
  let best = total;
  let chosen = halvings;
  for (let level = halvings - 1; level >= 0; level--) {
    const boxes = mostCrowded(parts, 0.5 ** level);
    const before = boxes.reduce((sum, [part, box]) => sum + evidence(part, box), 0);
    parts = [];
    for (const [, box] of boxes) parts.push(await look(see, image, box, 0.5 ** level, READ_SCALE.border));
    const now = parts.reduce((sum, part) => sum + evidence(part, part.box), 0);
    total = before >= 1 ? (total * now) / before : total + now;
    if (total < READ_SCALE.keep * best && best >= 1) break;
    best = Math.max(best, total);
    if (total > 0) chosen = level;
  }
  return 0.5 ** chosen;
}

async function look(see, image, box, scale, border) {
  const seen = grow(box, roundEven(border / scale), image.width, image.height);
  const width = Math.max(1, roundEven(widthOf(seen) * scale));
  const height = Math.max(1, roundEven(heightOf(seen) * scale));
  return { box, seen, scale, heads: heads(await see(resizeImage(crop(image, seen), width, height))) };
}

/** Return the sum of the confidences of heads in a box of the photo. */
function evidence(part, box) {
  const edge = (value, start) => Math.max(0, roundEven((value - start) * part.scale));
  const { left, top } = part.seen;
  const local = makeBox(edge(box.left, left), edge(box.top, top), edge(box.right, left), edge(box.bottom, top));
  let sum = 0;
  part.heads.x.forEach((x, i) => {
    if (contains(local, x, part.heads.y[i])) sum += part.heads.confidence[i];
  });
  return sum;
}

/** Return the cells with the most evidence that fill a window at the next scale. */
function mostCrowded(parts, scale) {
  const side = roundEven(READ_SCALE.window / scale);
  const cells = parts.flatMap((part) => cutCells(part.box, side).map((box) => [part, box]));
  const scores = cells.map(([part, box]) => evidence(part, box));
  if (!scores.some((score) => score > 0)) {
    const places = linspace(0, cells.length - 1, READ_SCALE.windows + 1).slice(1, -1);
    return places.map((place) => cells[place]);
  }
  const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b);
  return order.slice(0, READ_SCALE.windows).map((i) => cells[i]);
}

function cutCells(box, side) {
  const columns = Math.max(1, roundEven(widthOf(box) / side));
  const rows = Math.max(1, roundEven(heightOf(box) / side));
  const x = linspace(box.left, box.right, columns);
  const y = linspace(box.top, box.bottom, rows);
  const found = [];
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) found.push(makeBox(x[i], y[j], x[i + 1], y[j + 1]));
  }
  return found;
}

/** Return `steps + 1` whole numbers from start to stop, as equal as can be. */
function linspace(start, stop, steps) {
  const step = (stop - start) / steps;
  return Array.from({ length: steps + 1 }, (_, i) => (i === steps ? stop : Math.trunc(start + i * step)));
}
