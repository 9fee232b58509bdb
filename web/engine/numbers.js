// Numbers as Python writes them: halves go to the even digit, thousands have commas.

import { roundEven } from "./resize.js";

/** Return a number with so many decimals, as `f"{value:.1f}"`. */
export function fixed(value, decimals) {
  const steps = Math.abs(value) * 10 ** decimals;
  const exact = Number.isInteger(value * 2 ** (decimals + 1)); // else no tie: 0.35 lies below
  if (exact && steps % 1 === 0.5) return (Math.sign(value) * (roundEven(steps) / 10 ** decimals)).toFixed(decimals);
  return value.toFixed(decimals);
}

/** Return the same with commas between thousands, as `f"{value:,.1f}"`. */
export function grouped(value, decimals = 0) {
  const [whole, rest] = fixed(value, decimals).split(".");
  const commas = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? commas : `${commas}.${rest}`;
}

/** Return a number of at most six digits, as `f"{value:g}"`. */
export const short = (value) => String(Number(value.toPrecision(6)));
