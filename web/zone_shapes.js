// Shapes of zones as their file holds them: parts, holes and shares of the picture, which are drawn and moved in pixels.

import { isInside } from "./edits.js";

const SAME_SHAPE = 0.02; // by which width over height may differ from the picture that zones were drawn on

/** Return the rings of a zone as its file holds them: its corners, further parts, holes. */
export function ringsOf(zone) {
  return [zone.points, ...(zone.more ?? []), ...(zone.holes ?? [])];
}

/** Return the pixels of one unit of a zone's corners, across and down. */
function unit(zone, size) {
  return zone.relative ? [size.width, size.height] : [1, 1];
}

/** Return corners of a zone in pixels. */
export function inPixels(zone, ring, size) {
  const [across, down] = unit(zone, size);
  return ring.map(([x, y]) => [x * across, y * down]);
}

/** Put a corner of one of a zone's rings at a pixel; the others keep their numbers. */
export function moveCorner(zone, ring, index, [x, y], size) {
  const [across, down] = unit(zone, size);
  ring[index] = [x / across, y / down];
}

/** Whether a head lies in one of the parts of an area, and in no hole. */
function holdsHead(zone, [x, y], size) {
  const within = (ring) => isInside(inPixels(zone, ring, size), x + 0.5, y + 0.5);
  return [zone.points, ...(zone.more ?? [])].some(within) && !(zone.holes ?? []).some(within);
}

/** Return the heads of an area that are counted: in a region of interest where there is one, and in nothing left out. */
export function countHeads(zone, zones, heads, size) {
  const regions = zones.filter((each) => each.roi);
  const excluded = zones.filter((each) => each.exclude);
  const counted = (head) =>
    holdsHead(zone, head, size) &&
    (!regions.length || regions.some((each) => holdsHead(each, head, size))) &&
    !excluded.some((each) => holdsHead(each, head, size));
  return heads.filter(counted).length;
}

/** Return the zones of a file for a picture of this size. Throws a sentence where they do not fit. */
export function readZones(content, size) {
  if (!Array.isArray(content?.zones)) throw new Error("expected zones");
  const [x, y] = content.size ? [size.width / content.size[0], size.height / content.size[1]] : [1, 1];
  if (Math.abs(x / y - 1) > SAME_SHAPE) {
    throw new RangeError(`These zones were drawn on a picture of ${content.size.join("×")}. This one has ${size.width}×${size.height}.`);
  }
  const scaled = (ring) => pairs(ring).map(([px, py]) => [px * x, py * y]);
  return { zones: content.zones.map((zone) => fitted(zone, scaled, x)), ground: content.ground ? { ...content.ground, points: scaled(content.ground.points) } : null };
}

function fitted(zone, scaled, x) {
  const place = zone.relative ? pairs : scaled;
  const read = { ...zone, points: place(zone.points) };
  for (const key of ["more", "holes"]) if (zone[key]) read[key] = zone[key].map(place);
  if (zone.width && !zone.relative) read.width = zone.width * x;
  return read;
}

/** Return corners as pairs: files may hold them in a row, or as text. Throws where they are no numbers. */
function pairs(ring) {
  const values = typeof ring === "string" ? ring.split(",").map(Number) : ring;
  const found = typeof values[0] === "number" ? values.flatMap((value, i) => (i % 2 ? [] : [[value, values[i + 1]]])) : values;
  if (!found.length || !found.every((pair) => pair.length === 2 && pair.every(Number.isFinite))) throw new Error("expected corners");
  return found.map(([x, y]) => [x, y]);
}
