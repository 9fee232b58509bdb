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
  const { a: scale, e: left, f: top } = pen.getTransform();
  const dot = dotOf(radius * scale, pixel * scale, colour);
  stamp(pen, dot, shown.map(([x, y]) => [(x + 0.5) * scale + left, (y + 0.5) * scale + top]));
}

const dots = new Map();

/** Return the picture of a dot by its radius and the size of a screen pixel, both in pixels of the canvas. */
function dotOf(radius, pixel, colour) {
  const key = [Math.round(radius * 4), Math.round(pixel * 4), colour].join();
  if (!dots.has(key)) {
    const small = radius < 2.2 * pixel;
    const edge = small ? Math.max(1, Math.round(0.6 * pixel)) : 1.2 * pixel;
    const side = 2 * Math.ceil(radius + edge) + 1;
    const pen = new OffscreenCanvas(side, side).getContext("2d");
    for (const [size, fill] of [[radius + edge, EDGE], [radius, colour]]) {
      pen.beginPath();
      const half = Math.floor(size) + 0.5;
      if (small) pen.rect(side / 2 - half, side / 2 - half, 2 * half, 2 * half);
      else pen.arc(side / 2, side / 2, size, 0, 2 * Math.PI);
      pen.fillStyle = fill;
      pen.fill();
    }
    if (dots.size > 200) dots.clear();
    dots.set(key, { side, pixels: pen.getImageData(0, 0, side, side).data });
  }
  return dots.get(key);
}

const STRIP = 512; // rows that are stamped together

/** Copy a dot to places in pixels of the canvas, pixel by pixel: browsers take ten times as long for as many shapes. */
function stamp(pen, { side, pixels }, places) {
  const { width, height } = pen.canvas;
  const half = (side - 1) / 2;
  const corners = places.map(([x, y]) => [Math.floor(x) - half, Math.floor(y) - half]);
  const strip = new OffscreenCanvas(width, Math.min(STRIP, height));
  const own = strip.getContext("2d", { willReadFrequently: true });
  const dot = { side, words: new Uint32Array(pixels.buffer), pixels };
  pen.save();
  pen.setTransform(1, 0, 0, 1, 0, 0);
  for (let top = 0; top < height; top += STRIP) {
    const inside = corners.filter(([, y]) => y + side > top && y < top + STRIP);
    if (!inside.length) continue;
    const image = own.createImageData(width, strip.height);
    const target = { data: image.data, words: new Uint32Array(image.data.buffer), width, height: image.height };
    for (const [x, y] of inside) copyDot(target, dot, x, y - top);
    own.putImageData(image, 0, 0);
    pen.drawImage(strip, 0, top);
  }
  pen.restore();
}

function copyDot({ data, words: target, width, height }, { side, words, pixels }, left, top) {
  for (let row = Math.max(0, -top); row < Math.min(side, height - top); row++) {
    for (let column = Math.max(0, -left); column < Math.min(side, width - left); column++) {
      const [from, to] = [row * side + column, (top + row) * width + left + column];
      const alpha = pixels[4 * from + 3];
      if (alpha === 255 || (alpha && !data[4 * to + 3])) target[to] = words[from];
      else if (alpha) blend(data, 4 * to, pixels, 4 * from, alpha / 255);
    }
  }
}

/** Lay a half transparent pixel over another. */
function blend(below, to, above, from, alpha) {
  const under = (below[to + 3] / 255) * (1 - alpha);
  for (let i = 0; i < 3; i++) below[to + i] = (above[from + i] * alpha + below[to + i] * under) / (alpha + under);
  below[to + 3] = 255 * (alpha + under);
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
