// Which candidates are heads: as many in each part of the photo as the blocks count people there.

import { select } from "./points.js";

const CHILDREN = 4;

/** Return as many candidates as there are people, the best of each part of `side` pixels. */
export function keepBest(candidates, masses, rows, columns, side) {
  const count = candidates.x.length;
  if (!count || !masses.length) return select(candidates, () => false);
  const cellOf = (i) => {
    const column = Math.min(Math.max(Math.floor((candidates.x[i] + 0.5) / side), 0), columns - 1);
    const row = Math.min(Math.max(Math.floor((candidates.y[i] + 0.5) / side), 0), rows - 1);
    return row * columns + column;
  };
  const cells = Int32Array.from({ length: count }, (_, i) => cellOf(i));
  const capacities = new Float64Array(rows * columns);
  cells.forEach((cell) => capacities[cell]++);
  const budgets = allot(masses.map((mass) => Math.max(mass, 0)), capacities, rows, columns);
  const { x, y, confidence } = candidates;
  const order = Array.from(cells.keys()).sort(
    (a, b) => cells[a] - cells[b] || confidence[b] - confidence[a] || y[a] - y[b] || x[a] - x[b],
  );
  const kept = new Uint8Array(count);
  for (const i of order) {
    if (budgets[cells[i]] > 0) {
      budgets[cells[i]]--;
      kept[i] = 1;
    }
  }
  return select(candidates, (i) => kept[i]);
}

/** Divide the rounded sum of masses among cells, in proportion and within capacities, quarter by quarter. */
export function allot(masses, capacities, rows, columns) {
  let side = 1;
  while (side < Math.max(rows, columns)) side *= 2;
  const pyramid = [[pad(masses, rows, columns, side), pad(capacities, rows, columns, side)]];
  for (let half = side / 2; half >= 1; half /= 2) {
    pyramid.push(pyramid.at(-1).map((grid) => sumQuarters(grid, half)));
  }
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  let budgets = [Math.min(Math.floor(sum(masses) + 0.5), sum(capacities))];
  for (let level = pyramid.length - 2, half = 1; level >= 0; level--, half *= 2) {
    budgets = share(budgets, ...pyramid[level], half);
  }
  const out = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[row * columns + column] = budgets[row * side + column];
  }
  return out;
}

function pad(values, rows, columns, side) {
  const out = new Float64Array(side * side);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[row * side + column] = values[row * columns + column];
  }
  return out;
}

/** Return the places of the four quarters of cell (row, column) of a grid `half` cells wide. */
function quarters(row, column, half) {
  const first = 2 * row * 2 * half + 2 * column;
  return [first, first + 1, first + 2 * half, first + 2 * half + 1];
}

function sumQuarters(grid, half) {
  const out = new Float64Array(half * half);
  for (let at = 0; at < out.length; at++) {
    for (const place of quarters(Math.floor(at / half), at % half, half)) out[at] += grid[place];
  }
  return out;
}

function share(budgets, masses, capacities, half) {
  const out = new Float64Array(4 * half * half);
  for (let at = 0; at < half * half; at++) {
    const places = quarters(Math.floor(at / half), at % half, half);
    const parts = divide(budgets[at], places.map((p) => masses[p]), places.map((p) => capacities[p]));
    places.forEach((place, i) => (out[place] = parts[i]));
  }
  return out;
}

/** Return the whole shares of a budget by mass and at most the capacities; the largest remainders get the rest. */
export function divide(budget, masses, capacities) {
  let shares = masses.map(() => 0);
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  for (let turn = 0; turn <= CHILDREN; turn++) {
    const left = budget - sum(shares);
    const free = capacities.map((most, i) => most - shares[i] > 1e-9);
    let weights = masses.map((mass, i) => (free[i] ? mass : 0));
    if (!(sum(weights) > 0)) weights = free.map(Number);
    const total = sum(weights);
    const filled = shares.map((part, i) => part + (total > 0 ? (left * weights[i]) / total : 0));
    shares = filled.map((part, i) => Math.min(part, capacities[i]));
    if (filled.every((part, i) => part <= capacities[i])) break;
  }
  const whole = shares.map((part) => Math.floor(part + 1e-9));
  for (let left = budget - sum(whole); left > 0; left = budget - sum(whole)) {
    const room = whole.map((part, i) => part < capacities[i]);
    const remainder = shares.map((part, i) => (room[i] ? part - whole[i] : -Infinity));
    const ranked = [...remainder.keys()].sort((a, b) => remainder[b] - remainder[a] || a - b);
    const given = ranked.slice(0, left).filter((i) => room[i]);
    if (!given.length) break;
    given.forEach((i) => whole[i]++);
  }
  return whole;
}
