// The heat of people per area, on the same fixed scale as the pictures of `crowdscale count`.

import { HEAT } from "./heat_table.js";

const SIDE = 200; // longer side in cells of the grid on which heat is summed
const { log, exp, min, max, sqrt, hypot, round, ceil, floor } = Math;

/** Return people per cell of a grid over a photo of {width, height}: heads as wide as the room they have. */
export function heatGrid(size, heads, density = null, side = SIDE) {
  const shrink = min(1, side / max(size.width, size.height));
  const grid = { columns: max(1, round(size.width * shrink)), rows: max(1, round(size.height * shrink)) };
  grid.people = new Float32Array(grid.columns * grid.rows);
  const spots = heads.length || !density ? headSpots(heads, grid, size) : cellSpots(density, grid, size);
  for (const spot of spots) splat(grid, ...spot);
  return grid;
}

function headSpots(heads, grid, size) {
  const x = heads.map((head) => ((head[0] + 0.5) * grid.columns) / size.width - 0.5);
  const y = heads.map((head) => ((head[1] + 0.5) * grid.rows) / size.height - 0.5);
  const side = sqrt(grid.columns * grid.rows);
  const near = neighbourDistances(x, y, HEAT.neighbours);
  const widths = near.map((room) => min(side / HEAT.widest, max(side / HEAT.narrowest, HEAT.spread * min(room, side))));
  const least = HEAT.even * (widths.toSorted((a, b) => a - b)[widths.length >> 1] ?? 0);
  return x.map((value, i) => [floor(value + 0.5), floor(y[i] + 0.5), widthClass(max(widths[i], least)), 1]);
}

/** Return a width out of three an octave, as in Python. */
const widthClass = (width) => 2 ** (round(3 * Math.log2(width)) / 3);

/** A density has its people in cells: each cell is a spot. */
function cellSpots({ rows, columns, cell, people }, grid, size) {
  const [wide, high] = [(cell[0] * grid.columns) / size.width, (cell[1] * grid.rows) / size.height];
  const width = max(grid.columns, grid.rows) / 90;
  const spots = [];
  for (let i = 0; i < rows * columns; i++) {
    if (people[i] > 0) spots.push([((i % columns) + 0.5) * wide - 0.5, (floor(i / columns) + 0.5) * high - 0.5, width, people[i]]);
  }
  return spots;
}

/** Return the mean distance of each place to its `count` nearest ones. */
function neighbourDistances(x, y, count) {
  const order = x.map((_, i) => i).sort((a, b) => x[a] - x[b]);
  const found = x.map(() => Infinity);
  order.forEach((i, at) => {
    const nearest = [];
    const look = (step) => {
      for (let k = at + step; k >= 0 && k < order.length; k += step) {
        const j = order[k];
        if (nearest.length === count && Math.abs(x[j] - x[i]) >= nearest.at(-1)) return;
        nearest.push(hypot(x[j] - x[i], y[j] - y[i]));
        nearest.sort((a, b) => a - b).splice(count);
      }
    };
    look(1);
    look(-1);
    if (nearest.length) found[i] = nearest.reduce((sum, value) => sum + value, 0) / nearest.length;
  });
  return found;
}

/** Add a bell of `people` around a place; what would lie beyond the border is reflected. */
function splat({ rows, columns, people }, x, y, width, weight) {
  const across = bell(x, width, columns);
  for (const [row, high] of bell(y, width, rows)) {
    for (const [column, wide] of across) people[row * columns + column] += weight * high * wide;
  }
}

function bell(place, width, length) {
  const reach = ceil(3 * width);
  const parts = [];
  let sum = 0;
  for (let i = floor(place) - reach; i <= ceil(place) + reach; i++) {
    const value = exp(-((i - place) ** 2) / (2 * width * width));
    parts.push([mirrored(i, length), value]);
    sum += value;
  }
  return parts.map(([at, value]) => [at, value / sum]);
}

function mirrored(at, length) {
  const turn = ((at % (2 * length)) + 2 * length) % (2 * length);
  return turn < length ? turn : 2 * length - 1 - turn;
}

/** Return the red, green, blue and opacity (0…255) of people in 1 % of the photo. */
export function heatColour(value) {
  const { ticks, colours, opacity, fade } = HEAT;
  const [low, high] = [ticks[0], ticks.at(-1)];
  const share = log(min(high, max(low, value)) / low) / log(high / low);
  const place = share * (colours.length - 1);
  const first = min(colours.length - 2, floor(place));
  const colour = colours[first].map((from, i) => round(from + (colours[first + 1][i] - from) * (place - first)));
  const shown = min(1, max(0, (value / low - fade) / (1 - fade)));
  const cover = (opacity[0] + (opacity[1] - opacity[0]) * share) * shown * shown * (3 - 2 * shown);
  return [...colour, round(255 * cover)];
}

/** Return a layer of people per area with its legend. */
export function heatLayer(size, heads, density) {
  const { rows, columns, people } = heatGrid(size, heads, density);
  const picture = new OffscreenCanvas(columns, rows);
  const pen = picture.getContext("2d");
  const image = pen.createImageData(columns, rows);
  people.forEach((value, i) => image.data.set(heatColour(value * 0.01 * people.length), 4 * i));
  pen.putImageData(image, 0, 0);
  return (target, viewer) => {
    target.imageSmoothingEnabled = true;
    target.drawImage(picture, 0, 0, size.width, size.height);
    drawLegend(target, viewer, size);
  };
}

/** Draw the scale at the lower left of what is seen of the photo. */
function drawLegend(pen, viewer, size) {
  const pixel = viewer.reach(1);
  const { ticks, unit } = HEAT;
  const [wide, high] = [230 * pixel, 52 * pixel];
  const left = max(0, viewer.x - viewer.canvas.width / viewer.scale / 2) + 8 * pixel;
  const top = min(size.height, viewer.y + viewer.canvas.height / viewer.scale / 2) - high - 8 * pixel;
  pen.fillStyle = "rgba(12, 14, 20, 0.85)";
  pen.fillRect(left, top, wide, high);
  const [start, length] = [left + 10 * pixel, wide - 30 * pixel];
  const bar = pen.createLinearGradient(start, 0, start + length, 0);
  HEAT.colours.forEach((colour, i) => bar.addColorStop(i / (HEAT.colours.length - 1), `rgb(${colour.join()})`));
  pen.fillStyle = bar;
  pen.fillRect(start, top + 22 * pixel, length, 9 * pixel);
  pen.fillStyle = "#f5f6f8";
  pen.font = `${12 * pixel}px system-ui, sans-serif`;
  pen.textBaseline = "alphabetic";
  pen.textAlign = "left";
  pen.fillText(unit, start, top + 15 * pixel);
  pen.textAlign = "center";
  const spread = log(ticks.at(-1) / ticks[0]);
  for (const tick of ticks) pen.fillText(tick === ticks.at(-1) ? `${tick}+` : `${tick}`, start + (log(tick / ticks[0]) / spread) * length, top + 45 * pixel);
}
