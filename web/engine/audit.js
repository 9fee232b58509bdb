// The number of an audit and its interval, and the record that crowdscale audit --check reads. The same as
// crowdscale.trust.audit in Python, where it is explained.

import { derivedSeed, inclusion, orderOf, peopleMap, planAudit } from "./audit_design.js";
import { fixed, grouped, short } from "./numbers.js";

export const FORMAT = "crowdscale-audit/1";
const GOAL = 0.1;

const hundredth = (value) => Number(fixed(value, 2)); // as the record keeps heads

/** Begin an audit: photos as [{name, sha256, result}], the model as {name, sha256, version}. */
export function startAudit(photos, model, seed = null) {
  const digests = [model.sha256, ...photos.map((photo) => photo.sha256)];
  const maps = photos.map(({ name, sha256, result }) => ({ name, sha256, map: peopleMap(result) }));
  return auditState({
    format: FORMAT,
    note: "",
    level: 0.9,
    model: { ...model, settings: {} },
    plan: planAudit(maps, seed ?? derivedSeed(digests)),
    answers: [],
    model_heads: photos.map(({ result }) => (result.heads ?? []).map(([x, y]) => [hundredth(x), hundredth(y)])),
  });
}

/** Return a record with its draw and number, the sentences about it, and the tile to count next: as the service does. */
export function auditState(record) {
  const { plan, answers } = record;
  const drawn = orderOf(plan, Math.min(answers.length + 1, plan.cells.length));
  answers.forEach(({ cell }, i) => {
    if (cell !== drawn[i]) throw new Error("Tiles are counted in the order in which they were drawn.");
  });
  const estimate = estimateOf(plan, answers.map(({ count }) => count), record.level);
  const cell = answers.length < plan.cells.length ? drawn[answers.length] : null;
  const next = cell === null ? null : { cell, photo: plan.photos[plan.cells[cell].photo].name, box: plan.cells[cell].box };
  const whole = { ...record, draw: drawn.slice(0, answers.length), estimate };
  return { record: whole, estimate, headline: headline(estimate), advice: nextStep(estimate), next };
}

/** Return the number of people and its interval from the people counted in the first tiles of the order. */
export function estimateOf(plan, counts, level = 0.9) {
  const [audited, cells] = [counts.length, plan.cells.length];
  const counted = counts.reduce((sum, value) => sum + value, 0);
  const predicted = plan.cells.reduce((sum, cell) => sum + cell.predicted, 0);
  const state = (count, unbiased, low, high, variance, remaining) => ({
    count, unbiased, low, high, predicted, variance, remaining, level, audited, cells, counted,
    exact: audited === cells,
    half_width: low === null || count <= 0 ? null : (high - low) / 2 / count,
  });
  if (audited === cells) return state(counted, counted, counted, counted, 0, 0);
  const order = orderOf(plan, audited);
  const places = order.map((_, i) => i).sort((a, b) => order[a] - order[b]);
  const chances = inclusion(plan, audited, places.map((i) => order[i]));
  const errors = places.map((i) => counts[i] - plan.cells[order[i]].predicted);
  const unbiased = predicted + errors.reduce((sum, error, i) => sum + error / chances[i], 0);
  const count = Math.max(unbiased, counted);
  if (audited < 2) return state(count, unbiased, null, null, null, null);
  const least = chances.reduce((sum, chance) => sum + (1 - chance) / chance ** 2, 0) / audited;
  const variance = Math.max(varianceOf(errors, chances), least);
  const times = quantile(level, audited - 1);
  const unseen = count * unseenShare(plan, order);
  const above = Math.sqrt(variance + (unseen * missedShare(audited)) ** 2);
  const low = Math.max(unbiased - times * Math.sqrt(variance), counted);
  const high = Math.max(unbiased + times * above, counted + times * Math.sqrt(least));
  return state(count, unbiased, low, high, variance, remainingOf(count, variance, unseen, audited, cells, level));
}

/** Return the share of the photos without a counted tile, by their part of the draw; 0 in audits of earlier versions. */
function unseenShare(plan, order) {
  if (!plan.options.unseen_photos) return 0;
  const seen = new Set(order.map((index) => plan.cells[index].photo));
  const sizes = (cells) => cells.reduce((sum, { size }) => sum + size, 0);
  return sizes(plan.cells.filter(({ photo }) => !seen.has(photo))) / sizes(plan.cells);
}

/** Return the standard deviation of the share of people in tiles whom a model misses altogether. */
const missedShare = (audited) => Math.sqrt((0.5 * (audited + 0.5)) / ((audited + 1) ** 2 * (audited + 2)));

function varianceOf(errors, chances) {
  const number = errors.length;
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const weights = chances.map((chance) => 1 - chance);
  const values = errors.map((error, i) => error / chances[i]);
  if (sum(weights) <= 1e-12) return 0;
  const centre = sum(values.map((value, i) => weights[i] * value)) / sum(weights);
  const hajek = sum(values.map((value, i) => weights[i] * (value - centre) ** 2));
  const successive = sum(values.slice(1).map((value, i) => ((weights[i] + weights[i + 1]) / 4) * (value - values[i]) ** 2));
  return ((number / (number - 1)) * (hajek + successive)) / 2;
}

function remainingOf(count, variance, unseen, audited, cells, level) {
  const one = variance / (1 / audited - 1 / cells);
  for (let number = audited; number < cells; number++) {
    const later = one * (1 / number - 1 / cells);
    const both = Math.sqrt(later) + Math.sqrt(later + (unseen * missedShare(number)) ** 2);
    if ((quantile(level, number - 1) * both) / 2 <= GOAL * count) return number - audited;
  }
  return cells - audited;
}

/** Return the two-sided quantile of Student's t, by bisection of its distribution. */
function quantile(level, freedom) {
  let [low, high] = [0, 1e4];
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (within(middle, freedom) < level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Return the probability of |t| below a value, by the finite series for whole degrees of freedom (A&S 26.7.3, 26.7.4). */
function within(value, freedom) {
  const angle = Math.atan(value / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let [sum, term] = [0, odd ? cosine : 1];
  for (let i = odd ? 3 : 2; i <= freedom; i += 2) {
    sum += term;
    term *= (cosine ** 2 * (i - 1)) / i;
  }
  return odd ? (2 / Math.PI) * (angle + (freedom > 1 ? sine * sum : 0)) : sine * sum;
}

/** Return the interval in whole people, outwards. */
export function intervalText({ low, high, exact }) {
  if (low === null) return "no interval yet";
  return exact ? "exact" : `${grouped(Math.floor(low + 1e-9))}–${grouped(Math.ceil(high - 1e-9))}`;
}

/** Return the result in one sentence. */
export function headline(estimate) {
  const tiles = `${grouped(estimate.audited)} of ${grouped(estimate.cells)} tiles counted by hand`;
  const number = `${grouped(estimate.count)} people`;
  if (estimate.exact) return `${number}, exact: all ${grouped(estimate.cells)} tiles counted by hand.`;
  if (!estimate.audited) return `${number} by the model alone: no tile is counted by hand yet.`;
  if (estimate.low === null) return `${number}, no interval yet: ${tiles}.`;
  const width = estimate.half_width === null ? "" : ` (±${fixed(100 * estimate.half_width, 0)} %)`;
  return `${number}, ${short(100 * estimate.level)} % interval ${intervalText(estimate)}${width}: ${tiles}.`;
}

/** Return how many more tiles are worth counting; empty where no more are. */
export function nextStep({ exact, remaining }) {
  if (exact) return "";
  if (remaining === null) return "Count two tiles or more to get an interval, eight for one to rely on.";
  if (remaining === 0) return "The interval has reached ±10 %.";
  return `About ${remaining} more ${remaining === 1 ? "tile" : "tiles"} would reach ±10 %.`;
}

/** Return the mean of a video's frames, which have the sha256 of one file, in one sentence; empty for photos. */
export function frameMean({ count, low, high, exact, level }, photos) {
  if (photos.length < 2 || !photos[0].sha256 || new Set(photos.map(({ sha256 }) => sha256)).size > 1) return "";
  const mean = (value) => grouped(value / photos.length, 1);
  const ends = low === null || exact ? "" : `, ${short(100 * level)} % interval ${mean(low)}–${mean(high)}`;
  return `The total is over ${grouped(photos.length)} frames: ${mean(count)} people in the mean frame${ends}.`;
}
