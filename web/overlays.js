// What is drawn over a photo: heads and regions. All in pixels of the photo.

import { nearestDistances } from "./engine/points.js";

const HEAD = "#ffe14d";
const EDGE = "#10202a";

/** Draw heads [x, y, …]: dots whose size follows the zoom, with an edge that shows on any ground. */
export function drawHeads(pen, viewer, heads, colour = HEAD, spacing = typicalSpacing(heads)) {
  const pixel = viewer.reach(1);
  const radius = Math.min(5 * pixel, Math.max(1.3 * pixel, spacing * 0.28));
  const bounds = visible(viewer, radius * 2);
  const shown = heads.filter(([x, y]) => x > bounds[0] && x < bounds[2] && y > bounds[1] && y < bounds[3]);
  const small = radius < 2.2 * pixel;
  if (small) return drawSquares(pen, shown, radius, pixel, colour);
  const { picture, side } = dotPicture(radius / pixel, colour, 2 * (viewer.ratio ?? 1));
  const half = (side * pixel) / 2;
  for (const [x, y] of shown) pen.drawImage(picture, x + 0.5 - half, y + 0.5 - half, 2 * half, 2 * half);
}

function drawSquares(pen, shown, radius, pixel, colour) {
  for (const [size, fill] of [[radius + 0.6 * pixel, EDGE], [radius, colour]]) {
    pen.beginPath();
    for (const [x, y] of shown) pen.rect(x + 0.5 - size, y + 0.5 - size, 2 * size, 2 * size);
    pen.fillStyle = fill;
    pen.fill();
  }
}

const dots = new Map();

/** Return the picture of a dot and its side in screen pixels: copies of it draw faster than as many circles. */
function dotPicture(radius, colour, ratio) {
  const key = [Math.round(radius * 4), colour, ratio].join();
  if (!dots.has(key)) {
    const length = Math.ceil(2 * (radius + 1.2) * ratio) + 2;
    const picture = new OffscreenCanvas(length, length);
    const pen = picture.getContext("2d");
    for (const [size, fill] of [[radius + 1.2, EDGE], [radius, colour]]) {
      pen.beginPath();
      pen.arc(length / 2, length / 2, size * ratio, 0, 2 * Math.PI);
      pen.fillStyle = fill;
      pen.fill();
    }
    dots.set(key, { picture, side: length / ratio });
  }
  return dots.get(key);
}

function visible(viewer, margin) {
  const wide = viewer.canvas.width / viewer.scale / 2 + margin;
  const high = viewer.canvas.height / viewer.scale / 2 + margin;
  return [viewer.x - wide, viewer.y - high, viewer.x + wide, viewer.y + high];
}

const spacings = new WeakMap();

/** Return the median distance of heads to their nearest neighbour, kept for each list of heads. */
function typicalSpacing(heads) {
  if (!spacings.has(heads)) {
    const x = heads.map((head) => head[0]);
    const found = nearestDistances({ x, y: heads.map((head) => head[1]) }).sort();
    spacings.set(heads, Number.isFinite(found[0]) ? found[found.length >> 1] : Infinity);
  }
  return spacings.get(heads);
}

/** Draw the boxes that got a second pass, each with its zoom. */
export function drawRegions(pen, viewer, regions) {
  const pixel = viewer.reach(1);
  for (const { box, factor } of regions) {
    const [left, top, right, bottom] = box;
    for (const [width, colour] of [[4, EDGE], [2, "#62e0ff"]]) {
      pen.lineWidth = width * pixel;
      pen.strokeStyle = colour;
      pen.strokeRect(left, top, right - left, bottom - top);
    }
    drawLabel(pen, viewer, `× ${factor.toFixed(1)}`, left, top);
  }
}

/** Draw a word on a ground of its own, its lower left corner at a place. */
export function drawLabel(pen, viewer, text, x, y, colour = "#62e0ff") {
  const pixel = viewer.reach(1);
  pen.font = `600 ${13 * pixel}px system-ui, sans-serif`;
  const width = pen.measureText(text).width + 10 * pixel;
  const base = Math.max(20 * pixel, y);
  pen.fillStyle = colour;
  pen.fillRect(x, base - 20 * pixel, width, 20 * pixel);
  pen.fillStyle = EDGE;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.fillText(text, x + 5 * pixel, base - 10 * pixel);
}
