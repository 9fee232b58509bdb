// The plan of an audit: photos cut into tiles, and an order of the tiles whose every beginning is a sample. The same as
// crowdscale.trust.audit in Python, where it is explained.

import { sha256 } from "./sha256.js";

export const OPTIONS = { heads: 40, fewest: 5, cells: 24, area_share: 0.3, side: 16, unseen_photos: true };
const SHARES = 1_000_000_000;

const tenThousandth = (value) => Math.round(value * 1e4) / 1e4;

/** Return where the people of a result are: its density, or its heads in cells of 16 pixels. */
export function peopleMap(result) {
  const { width, height, density } = result;
  const borders = (cells, side, length) =>
    Float64Array.from({ length: cells + 1 }, (_, i) => (i === cells ? length : Math.min(i * side, length)));
  if (density) {
    const { rows, columns, cell, people } = density;
    const x = borders(columns, cell[0], width);
    return { width, height, people: people.map((n) => Math.max(n, 0)), x, y: borders(rows, cell[1], height) };
  }
  const [columns, rows] = [Math.ceil(width / 16), Math.ceil(height / 16)];
  const people = new Float64Array(rows * columns);
  const place = (value, last) => Math.min(Math.max(Math.floor(value + 0.5), 0), last - 1) >> 4;
  for (const [x, y] of result.heads ?? []) people[place(y, height) * columns + place(x, width)]++;
  return { width, height, people, x: borders(columns, 16, width), y: borders(rows, 16, height) };
}

const totalOf = (map) => map.people.reduce((sum, value) => sum + value, 0);

/** Return the people of a box before each whole pixel along an axis (0: x, 1: y), cumulated from 0. */
function profile(map, [left, top, right, bottom], axis) {
  const columns = map.x.length - 1;
  const [low, high, edges] = axis === 0 ? [left, right, map.x] : [top, bottom, map.y];
  const [begin, end, across] = axis === 0 ? [top, bottom, map.y] : [left, right, map.x];
  const sums = new Float64Array(edges.length - 1);
  for (let i = 0; i + 1 < across.length; i++) {
    const part = Math.min(end, across[i + 1]) - Math.max(begin, across[i]);
    if (part <= 0) continue;
    const weight = part / Math.max(across[i + 1] - across[i], 1e-12);
    for (let j = 0; j < sums.length; j++) sums[j] += weight * map.people[axis === 0 ? i * columns + j : j * columns + i];
  }
  const cumulated = new Float64Array(high - low + 1);
  let [cell, before] = [0, 0];
  for (let place = low; place <= high; place++) {
    while (cell < sums.length - 1 && edges[cell + 1] < place) before += sums[cell++];
    const part = Math.min(Math.max((place - edges[cell]) / (edges[cell + 1] - edges[cell]), 0), 1);
    cumulated[place - low] = before + part * sums[cell];
  }
  return cumulated.map((value) => value - cumulated[0]);
}

/** Return the index of the first value that is nearest to a goal. */
function nearest(values, goal) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (Math.abs(values[i] - goal) < Math.abs(values[best] - goal)) best = i;
  return best;
}

/** Append the tiles of a box to `cells`. */
function cut(cells, context, box, wanted, path) {
  const { map, photo, peoplePart, areaPart } = context;
  const [left, top, right, bottom] = box;
  const axis = right - left >= bottom - top ? 0 : 1;
  const [length, across] = axis === 0 ? [right - left, bottom - top] : [bottom - top, right - left];
  const people = profile(map, box, axis);
  const shares = people.map((value, i) => peoplePart * value + areaPart * across * i);
  const number = Math.max(wanted, people[length] > OPTIONS.heads ? 2 : 1);
  if (number < 2 || length < 2 * OPTIONS.side) {
    const size = Math.max(1, Math.round(SHARES * shares[length]));
    cells.push({ photo, box, predicted: tenThousandth(people[length]), size, path });
    return;
  }
  const first = Math.floor(number / 2);
  const goal = (shares[length] * first) / number;
  const at = OPTIONS.side + nearest(shares.slice(OPTIONS.side, length - OPTIONS.side + 1), goal);
  const [one, two] = axis === 0
    ? [[left, top, left + at, bottom], [left + at, top, right, bottom]]
    : [[left, top, right, top + at], [left, top + at, right, bottom]];
  cut(cells, context, one, first, `${path}0`);
  cut(cells, context, two, number - first, `${path}1`);
}

/** Return a path for each photo: their list halved by shares again and again. */
function photoPaths(shares, path = "") {
  if (shares.length === 1) return [path];
  let sum = 0;
  const cumulated = shares.map((share) => (sum += share));
  const middle = 1 + nearest(cumulated.slice(0, -1), sum / 2);
  return [...photoPaths(shares.slice(0, middle), `${path}0`), ...photoPaths(shares.slice(middle), `${path}1`)];
}

/** Return the plan of an audit of photos: [{name, sha256, map}]. */
export function planAudit(photos, seed) {
  const totals = photos.map(({ map }) => totalOf(map));
  const total = totals.reduce((sum, value) => sum + value, 0);
  const peopleShare = total > 0 ? 1 - OPTIONS.area_share : 0;
  const shares = totals.map((value) => (total > 0 ? (peopleShare * value) / total : 0) + (1 - peopleShare) / photos.length);
  const most = Math.min(Math.max(Math.sqrt(total), OPTIONS.fewest), OPTIONS.heads);
  const wanted = Math.max(OPTIONS.cells, Math.ceil(total / (most * Math.max(1 - OPTIONS.area_share, 0.5))));
  const cells = [];
  photoPaths(shares).forEach((path, photo) => {
    const { map } = photos[photo];
    const areaPart = (1 - peopleShare) / (photos.length * map.width * map.height);
    const context = { map, photo, peoplePart: total > 0 ? peopleShare / total : 0, areaPart };
    cut(cells, context, [0, 0, map.width, map.height], Math.max(1, Math.round(wanted * shares[photo])), path);
  });
  const described = photos.map(({ name, sha256: digest, map }, i) => ({
    name, width: map.width, height: map.height, predicted: tenThousandth(totals[i]), sha256: digest,
  }));
  return { seed, options: { ...OPTIONS }, photos: described, cells };
}

/** Return the seed that follows from the SHA-256 of the model and of the photos. */
export const derivedSeed = (digests) => sha256(digests.join("\n")).slice(0, 16);

/** Return the number of [0, 1) that belongs to a node. */
export const uniform = (seed, path) => parseInt(sha256(`${seed}/${path}`).slice(0, 12), 16) / 2 ** 48;

/** Return the sum of sizes and the number of tiles below each path. */
function nodesOf(plan) {
  const nodes = new Map();
  for (const { path, size } of plan.cells) {
    for (let depth = 0; depth <= path.length; depth++) {
      const node = nodes.get(path.slice(0, depth)) ?? { size: 0, cells: 0 };
      nodes.set(path.slice(0, depth), { size: node.size + size, cells: node.cells + 1 });
    }
  }
  return nodes;
}

const limit = (wanted, draws, left, right) => Math.min(Math.max(wanted, draws - right), left, draws);

/** Return the indices of the first `count` tiles in the order of the draw. */
export function orderOf(plan, count = plan.cells.length) {
  const nodes = nodesOf(plan);
  const index = new Map(plan.cells.map(({ path }, place) => [path, place]));
  const drawn = new Array(count);
  const waiting = [["", Array.from({ length: count }, (_, i) => i)]];
  while (waiting.length) {
    const [path, steps] = waiting.pop();
    if (!steps.length) continue;
    if (index.has(path)) {
      drawn[steps[0]] = index.get(path);
      continue;
    }
    const [left, right] = [nodes.get(`${path}0`), nodes.get(`${path}1`)];
    const [weight, start] = [left.size / (left.size + right.size), uniform(plan.seed, path)];
    const parts = [[], []];
    let passed = 0;
    steps.forEach((step, i) => {
      const wanted = limit(Math.floor((i + 1) * weight + start), i + 1, left.cells, right.cells);
      parts[wanted > passed ? 0 : 1].push(step);
      passed = wanted;
    });
    waiting.push([`${path}0`, parts[0]], [`${path}1`, parts[1]]);
  }
  return drawn;
}

/** Return the probability with which each of `cells` is among the first `count` of the order. */
export function inclusion(plan, count, cells) {
  const nodes = nodesOf(plan);
  const start = new Float64Array(count + 1);
  start[count] = 1;
  const draws = new Map([["", start]]);
  const at = (path) => {
    if (!draws.has(path)) {
      const parent = path.slice(0, -1);
      const parts = divide(at(parent), nodes.get(`${parent}0`), nodes.get(`${parent}1`));
      draws.set(`${parent}0`, parts[0]).set(`${parent}1`, parts[1]);
    }
    return draws.get(path);
  };
  return cells.map((cell) => at(plan.cells[cell].path).slice(1).reduce((sum, value) => sum + value, 0));
}

function divide(draws, left, right) {
  const weight = left.size / (left.size + right.size);
  const parts = [new Float64Array(draws.length), new Float64Array(draws.length)];
  draws.forEach((chance, number) => {
    if (!chance) return;
    const whole = Math.floor(number * weight);
    const fraction = number * weight - whole;
    for (const [wanted, share] of [[whole, 1 - fraction], [whole + 1, fraction]]) {
      const passed = limit(wanted, number, left.cells, right.cells);
      parts[0][passed] += chance * share;
      parts[1][number - passed] += chance * share;
    }
  });
  return parts;
}
