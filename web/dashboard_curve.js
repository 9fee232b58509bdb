// The people of a camera over time: the mean of each bin as a line, its lowest and highest count as a band.

import { drawn } from "./elements.js";
import { peopleText } from "./wording.js";

const HEIGHT = 112;
const EDGE = { left: 30, right: 6, top: 8, bottom: 18 };
const SHORTEST = 60; // seconds that a curve spans at least
const GAP = 3; // times the usual distance of two bins that is a gap
const LENGTH = { hour: 3600, day: 86400 };

/** Return the drawing of a curve, as wide as asked, and a sentence that says the same. */
export function curveOf({ bins, seconds, span }, width, now) {
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img" });
  if (!bins.length) return { svg, sentence: "No count yet." };
  const last = bins[bins.length - 1].begin + seconds;
  const end = now ?? last;
  const shown = bins.filter((bin) => bin.begin + seconds > end - LENGTH[span]);
  if (!shown.length) return { svg, sentence: `No count in the last ${span}.` };
  const begin = Math.min(shown[0].begin, end - SHORTEST);
  const top = ceiling(Math.max(...shown.map((bin) => bin.high)));
  const x = (time) => EDGE.left + ((time - begin) / (end - begin)) * (width - EDGE.left - EDGE.right);
  const y = (people) => HEIGHT - EDGE.bottom - (people / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  for (const level of [0, top / 2, top]) {
    svg.append(drawn("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(level), y2: y(level) }));
    svg.append(drawn("text", { x: EDGE.left - 5, y: y(level) + 4, "text-anchor": "end" }, level.toLocaleString()));
  }
  const middle = (bin) => Math.min(end, bin.begin + seconds / 2);
  for (const part of parts(shown, seconds)) {
    const upper = part.map((bin) => `${x(middle(bin))},${y(bin.high)}`);
    const lower = part.map((bin) => `${x(middle(bin))},${y(bin.low)}`).reverse();
    const mean = part.map((bin) => `${x(middle(bin))},${y(bin.mean)}`);
    svg.append(drawn("polygon", { class: "band", points: [...upper, ...lower].join(" ") }));
    svg.append(drawn("polyline", { class: "mean", points: mean.join(" ") }));
    if (part.length === 1) svg.append(drawn("circle", { class: "dot", cx: x(middle(part[0])), cy: y(part[0].mean), r: 3 }));
  }
  svg.append(drawn("text", { x: EDGE.left, y: HEIGHT - 4 }, clockOf(begin)));
  svg.append(drawn("text", { x: width - EDGE.right, y: HEIGHT - 4, "text-anchor": "end" }, now ? "now" : clockOf(end)));
  const low = Math.min(...shown.map((bin) => bin.low));
  const high = Math.max(...shown.map((bin) => bin.high));
  const counts = shown.reduce((sum, bin) => sum + bin.counts, 0);
  const mean = shown.reduce((sum, bin) => sum + bin.mean * bin.counts, 0) / counts;
  const round = (people) => Math.round(people).toLocaleString();
  const range = round(low) === round(high) ? peopleText(low) : `${round(low)} to ${round(high)} people, ${round(mean)} on average`;
  const sentence = `Since ${clockOf(begin)}: ${range}.`;
  svg.setAttribute("aria-label", sentence);
  return { svg, sentence };
}

/** Split the bins where the camera was away. */
function parts(bins, seconds) {
  const steps = bins.slice(1).map((bin, index) => bin.begin - bins[index].begin).sort((a, b) => a - b);
  const usual = Math.max(seconds, steps[Math.floor(steps.length / 2)] ?? seconds);
  const found = [[bins[0]]];
  bins.slice(1).forEach((bin, index) => {
    if (bin.begin - bins[index].begin > GAP * usual) found.push([]);
    found[found.length - 1].push(bin);
  });
  return found;
}

/** Return the top of the axis: an even 1, 2, 4, 6 or 10 of a power of ten, at least 2. */
function ceiling(people) {
  const power = 10 ** Math.floor(Math.log10(Math.max(people, 1)));
  return Math.max(2, [1, 2, 4, 6, 10].map((step) => step * power).find((value) => value >= people) ?? people);
}

export function clockOf(time) {
  return new Date(time * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
