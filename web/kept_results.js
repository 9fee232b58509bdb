// Results kept in the browser: a tab that was closed in the middle of a folder goes on where it was.

import { keep, keyOf, recall } from "./store.js";

/** Return a result whose people in cells take a quarter of the memory. */
export function light(result) {
  const { density } = result;
  return density ? { ...result, density: { ...density, people: Float32Array.from(density.people) } } : result;
}

const kindOf = ({ version, mode, models }) => ["result", version, mode, models[0].name, models[0].files?.["network.onnx"] ?? ""].join("|");

/** Return the result that this model gave for a photo before, or null. */
export async function recallResult(site, item) {
  const kept = await recall(keyOf(kindOf(site), item)).catch(() => null);
  return kept?.result ?? null;
}

/** Keep a result; where the browser has no room it is counted again another time. */
export function keepResult(site, item) {
  keep(keyOf(kindOf(site), item), { at: Date.now(), result: item.result }).catch(() => {});
}
