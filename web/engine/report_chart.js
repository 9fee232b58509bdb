// The chart of a report: the number and its interval after each counted tile, as crowdscale.trust.audit.report_chart.

import { fixed, grouped } from "./numbers.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, ABOVE, BELOW] = [640, 240, 64, 16, 8, 28];
const LABELS = 12;
const PADDING = 0.1;

/** Return the chart of estimates as a figure; empty with fewer than two intervals. */
export function reportChart(all, part) {
  const steps = all.filter(({ low }) => low !== null);
  if (steps.length < 2) return "";
  const axes = axesOf(steps);
  const line = (key) => steps.map((step) => `${fixed(axes.x(step.audited), 1)},${fixed(axes.y(step[key]), 1)}`);
  const band = [...line("low"), ...line("high").reverse()].join(" ");
  const model = fixed(axes.y(steps.at(-1).predicted), 1);
  return part("chart", {
    width: WIDTH, height: HEIGHT, left: LEFT, right: WIDTH - RIGHT, band, line: line("count").join(" "), model,
    labels: labels(steps, axes, part),
  });
}

function axesOf(steps) {
  const ends = steps.slice(Math.min(2, steps.length - 1)).flatMap(({ low, high, predicted }) => [low, high, predicted]);
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const padding = PADDING * Math.max(most - least, 1);
  const [bottom, top, tiles] = [Math.max(0, least - padding), most + padding, steps.at(-1).audited];
  const y = (people) => {
    const share = (Math.min(Math.max(people, bottom), top) - bottom) / (top - bottom);
    return ABOVE + (HEIGHT - BELOW - ABOVE) * (1 - share);
  };
  return { bottom, top, x: (tile) => LEFT + ((WIDTH - LEFT - RIGHT) * (tile - 2)) / Math.max(1, tiles - 2), y };
}

function labels(steps, axes, part) {
  const people = [0, 1, 2, 3].map((i) => {
    const value = i === 3 ? axes.top : axes.bottom + i * ((axes.top - axes.bottom) / 3);
    return part("label", { x: LEFT - 6, y: fixed(axes.y(value) + 4, 1), anchor: "end", text: grouped(value) });
  });
  const every = Math.ceil(steps.length / LABELS);
  const tiles = steps
    .filter((_, i) => i % every === 0)
    .map(({ audited }) => part("label", { x: fixed(axes.x(audited), 1), y: HEIGHT - 8, anchor: "middle", text: audited }));
  return [...people, ...tiles].join("");
}
