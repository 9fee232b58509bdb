// A count in words: how sure it is, what to do next, and a sentence to quote.

import { intervalOf, whole } from "./results.js";

const FEW = 10; // people below which a range says little and eyes are quicker
const KINDS = [
  [0.1, "A close number.", "Quote it with its range."],
  [0.25, "A fair number.", "Quote it with its range."],
  [0.5, "A rough number.", "Quote the range, or audit it."],
  [Infinity, "A very rough number.", "Audit it before you quote it."],
];

export const peopleWord = (count) => (Math.round(count) === 1 ? "person" : "people");

/** Return a number of people with its word. */
export const peopleText = (count) => `${Math.round(count).toLocaleString()} ${peopleWord(count)}`;

/** Return [how sure a count is, what to do with it]. */
export function howSure(result) {
  if (result.usable === false) return ["Unlike all photos that the model learned from.", "Audit it: that number holds for this photo, too."];
  const range = intervalOf(result);
  if (!range) {
    const why = result.warnings?.length ? "Nobody knows how sure this number is, for the reason above." : "Nobody measured how sure this model is.";
    return [why, "Audit it before you quote it."];
  }
  if (range.high < FEW) return ["Few people.", "Check the dots by eye."];
  const share = (range.high - range.low) / 2 / Math.max(1, result.count);
  const [, kind, advice] = KINDS.find(([most]) => share <= most);
  return [kind, advice];
}

/** Return the range of a count as people say it, or "". */
export function rangeOf(result) {
  const range = intervalOf(result);
  return range && result.usable !== false ? `likely ${whole(range.low)} to ${whole(range.high)}` : "";
}

/** Return a sentence to quote. */
export function quote(result) {
  const range = rangeOf(result);
  const name = result.photo.split("/").at(-1);
  return `About ${whole(result.count)} ${peopleWord(result.count)}${range ? ` (${range})` : ""} in ${name}, counted by crowdscale with the model ${result.model}.`;
}
