// Reading a result of the one schema: the page names its parts here alone.

/** Return {low, high} at 90 %, or null. */
export function intervalOf(result) {
  if (result.count_low != null) return { low: result.count_low, high: result.count_high };
  const pair = result.intervals?.["0.9"];
  return pair ? { low: pair[0], high: pair[1] } : null;
}

export const firstPassOf = (result) => result.first_pass_count ?? result.first_count;
export const headsOf = (result) => result.heads ?? result.points ?? [];
export const sizeOf = (result) => result.size ?? [result.width, result.height];
export const zoomOf = (region) => region.zoom ?? region.factor;
export const readScaleOf = (result) => result.read_scale ?? result.reduction ?? 1;

/** Return a count as people read it: whole, with separators. */
export const whole = (count) => Math.round(count).toLocaleString("en");
