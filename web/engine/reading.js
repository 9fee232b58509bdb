// What a network's output says of a view: candidates for heads, and people in blocks that say how many are heads.

import { blendBlocks, blocksOver, countIn, countOf, edges, joinBlocks, placeBlocks, replaceBlocks, resample } from "./blocks.js";
import { keepBest } from "./agreement.js";
import { windowMinima } from "./minima.js";
import { concatenate, inside, outside, scale } from "./points.js";

const FEW = 5; // people added to both counts of a region
const FALL = 0.55; // fall log(before / after) with weight one half
const ALL = 0.98; // a second pass with a larger weight replaces the first one

/** Return the reading of a network's answer, in pixels of the view. */
export function readOutput(config, answer) {
  const { width, height, cell } = answer;
  const found = windowMinima(answer.label, config.codec.window, config.codec.ceiling);
  const clip = (values, last) => values.map((value) => Math.min(Math.max((value + 0.5) * cell - 0.5, 0), last));
  const candidates =
    cell > 1
      ? { x: clip(found.x, width - 1), y: clip(found.y, height - 1), confidence: found.confidence }
      : found;
  const blocks = blocksOver(answer.blocks, answer.blockColumns, width, height);
  return { candidates, blocks, part: config.codec.part };
}

export const count = (reading) => countOf(reading.blocks);
export const countInBox = (reading, box) => countIn(reading.blocks, box);

/** Return the candidates that agree with the blocks. */
export function heads(reading) {
  const { blocks, part } = reading;
  const width = Math.trunc(blocks.x.at(-1));
  const height = Math.trunc(blocks.y.at(-1));
  const [columns, rows] = [Math.ceil(width / part), Math.ceil(height / part)];
  const masses = resample(blocks, edges(columns, part, Infinity), edges(rows, part, Infinity));
  return keepBest(reading.candidates, masses, rows, columns, part);
}

/** Return the reading of an enlarged (width, height) view of `context` in the photo's pixels. */
export function place(reading, context, width, height) {
  const x = (context.right - context.left) / width;
  const y = (context.bottom - context.top) / height;
  return {
    candidates: scale(reading.candidates, x, y, context.left, context.top),
    blocks: placeBlocks(reading.blocks, context, width, height),
    part: reading.part,
  };
}

/** Return the reading with what lies in `box` taken from the second pass. */
export function replace(reading, box, second) {
  return {
    candidates: concatenate([outside(reading.candidates, box), inside(second.candidates, box)]),
    blocks: replaceBlocks(reading.blocks, box, second.blocks),
    part: reading.part,
  };
}

/** Return the mean of two readings of the same frame, with the candidates of the larger share. */
export function blend(first, second, share) {
  const { candidates } = share >= 0.5 ? second : first;
  return { candidates, blocks: blendBlocks(first.blocks, second.blocks, share), part: first.part };
}

/** Return the weight of the second pass in a region: little where far more people appear, or far fewer, once it is enlarged. */
export function trustedShare(before, after, doubt) {
  const growth = Math.log((Math.max(after, 0) + FEW) / (Math.max(before, 0) + FEW));
  if (!doubt) return 1;
  const share = 1 / (1 + (growth / (growth > 0 ? doubt : FALL)) ** 4);
  return share > ALL ? 1 : share;
}

/** Return the reading of a (width, height) photo from those of its parts, each owning its box. */
export function join(parts, width, height) {
  return {
    candidates: concatenate(parts.map(([box, part]) => inside(part.candidates, box))),
    blocks: joinBlocks(parts.map(([box, part]) => [box, part.blocks]), width, height),
    part: parts[0][1].part,
  };
}
