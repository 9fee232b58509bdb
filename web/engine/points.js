// Heads: parallel lists of x, y and confidence.

import { contains } from "./boxes.js";

export function makePoints(x = [], y = [], confidence = []) {
  return { x: Float64Array.from(x), y: Float64Array.from(y), confidence: Float64Array.from(confidence) };
}

/** Return the heads for which `keep(index)` holds. */
export function select(points, keep) {
  const chosen = [];
  for (let i = 0; i < points.x.length; i++) if (keep(i)) chosen.push(i);
  const take = (values) => Float64Array.from(chosen, (i) => values[i]);
  return { x: take(points.x), y: take(points.y), confidence: take(points.confidence) };
}

export const inside = (points, box) => select(points, (i) => contains(box, points.x[i], points.y[i]));
export const outside = (points, box) => select(points, (i) => !contains(box, points.x[i], points.y[i]));

export function concatenate(parts) {
  const join = (name) => {
    const out = new Float64Array(parts.reduce((sum, part) => sum + part[name].length, 0));
    let at = 0;
    for (const part of parts) {
      out.set(part[name], at);
      at += part[name].length;
    }
    return out;
  };
  return { x: join("x"), y: join("y"), confidence: join("confidence") };
}

/** Return heads after a resize: x' = (x + ½) · f - ½, then moved. */
export function scale(points, factorX, factorY, dx = 0, dy = 0) {
  return {
    x: points.x.map((value) => (value + 0.5) * factorX - 0.5 + dx),
    y: points.y.map((value) => (value + 0.5) * factorY - 0.5 + dy),
    confidence: points.confidence,
  };
}

/** Return the distance of each head to its nearest neighbour. */
export function nearestDistances(points) {
  const { x, y } = points;
  const order = Array.from(x.keys()).sort((a, b) => x[a] - x[b]);
  const found = new Float64Array(x.length).fill(Infinity);
  for (let at = 0; at < order.length; at++) {
    const i = order[at];
    for (let k = at + 1; k < order.length && x[order[k]] - x[i] < found[i]; k++) {
      found[i] = Math.min(found[i], Math.hypot(x[order[k]] - x[i], y[order[k]] - y[i]));
    }
    for (let k = at - 1; k >= 0 && x[i] - x[order[k]] < found[i]; k--) {
      found[i] = Math.min(found[i], Math.hypot(x[order[k]] - x[i], y[order[k]] - y[i]));
    }
  }
  return found;
}
