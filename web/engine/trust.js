// Whether a photo is like those a model was trained on, and how far its count may be off.

import { resizeArea, resizeImage, roundEven } from "./resize.js";
import { nearestDistances } from "./points.js";

const FEWEST_HEADS = 5; // below that spacing and confidence say nothing
const TURN_PIXELS = 400_000;
const TURN_MARGIN = 0.2;
const AS_TURNED = 1; // reading to which turned training photos were fitted

/** Which side of a measure's limit is strange, and the warning. The last stands only where no other does. */
export const WARNINGS = {};
export const TURNED = {};
let unlikeAll = ""; // leads where the count must not be used

/** Take over the sentences of the Python package, so that both say the same. */
export function useSentences({ measures, turned, unlike }) {
  Object.assign(WARNINGS, measures);
  Object.assign(TURNED, turned);
  unlikeAll = unlike;
}

/** Measure a picture: light, contrast, detail, and the mean features that the network returned. */
export function measurePicture(image, features) {
  const grey = toGrey(image);
  let [sum, squares] = [0, 0];
  for (let i = 0; i < grey.length; i++) {
    sum += grey[i];
    squares += grey[i] * grey[i];
  }
  return {
    pixels: grey.length,
    light: sum / grey.length,
    square: squares / grey.length,
    detail: meanDetail(grey, image.width, image.height),
    features: meanFeatures(features),
  };
}

function toGrey(image) {
  const grey = new Uint8Array(image.width * image.height);
  for (let at = 0, from = 0; at < grey.length; at++, from += 3) {
    const sum = image.data[from] * 9798 + image.data[from + 1] * 19235 + image.data[from + 2] * 3735;
    grey[at] = (sum + 16384) >> 15;
  }
  return grey;
}

/** Return the mean square of the Laplacian at half size. */
function meanDetail(grey, width, height) {
  const [wide, high] = [Math.max(1, width >> 1), Math.max(1, height >> 1)];
  const half = halve(grey, width, height, wide, high);
  const at = (row, column) => half[mirror(row, high) * wide + mirror(column, wide)];
  let sum = 0;
  for (let row = 0; row < high; row++) {
    for (let column = 0; column < wide; column++) {
      const around = at(row - 1, column) + at(row + 1, column) + at(row, column - 1) + at(row, column + 1);
      sum += (around - 4 * half[row * wide + column]) ** 2;
    }
  }
  return sum / (wide * high);
}

function halve(grey, width, height, wide, high) {
  const rgb = new Uint8Array(3 * grey.length);
  for (let i = 0; i < grey.length; i++) rgb[3 * i] = grey[i];
  const small = resizeArea({ data: rgb, width, height }, wide, high).data;
  return Uint8Array.from({ length: wide * high }, (_, i) => small[3 * i]);
}

function mirror(index, length) {
  if (length === 1) return 0;
  if (index < 0) return -index;
  return index >= length ? 2 * length - 2 - index : index;
}

/** Return the mean of each channel. */
export function meanFeatures({ data, channels, width, height }) {
  const area = width * height;
  return Float64Array.from({ length: channels }, (_, channel) => {
    let sum = 0;
    for (let i = channel * area; i < (channel + 1) * area; i++) sum += data[i];
    return sum / area;
  });
}

/** Return the measures of a photo from those of its tiles. */
export function joinMeasures(parts) {
  if (parts.length === 1) return parts[0];
  const pixels = parts.reduce((sum, part) => sum + part.pixels, 0);
  const mean = (pick) => parts.reduce((sum, part) => sum + (part.pixels / pixels) * pick(part), 0);
  return {
    pixels,
    light: mean((part) => part.light),
    square: mean((part) => part.square),
    detail: mean((part) => part.detail),
    features: parts[0].features.map((_, i) => mean((part) => part.features[i])),
  };
}

function measuresOf({ look, heads, people, width, height }) {
  const contrast = Math.sqrt(Math.max(look.square - look.light ** 2, 0));
  const enough = heads.x.length >= FEWEST_HEADS;
  return {
    luminance: look.light,
    glare: look.light,
    contrast,
    sharpness: Math.sqrt(look.detail) / Math.max(contrast, 1),
    side: Math.min(width, height),
    spacing: enough ? median(nearestDistances(heads)) : NaN,
    confidence: enough ? heads.confidence.reduce((sum, value) => sum + value, 0) / heads.x.length : NaN,
    people,
  };
}

function median(values) {
  const ordered = Float64Array.from(values).sort();
  return (ordered[(ordered.length - 1) >> 1] + ordered[ordered.length >> 1]) / 2;
}

/**
 * Return {warnings, usable}: a sentence for each way in which a photo is unlike the training photos, and whether its
 * count may be used. `lookAt` gives the mean features of a picture and the confidence of its heads; one that may be turned is looked at at each turn.
 */
export async function judge(profile, seen, image, lookAt) {
  if (!profile) return { warnings: [], usable: true };
  const readings = await turnReadings(profile, seen, image, lookAt);
  const turn = bestTurn(readings);
  const warnings = warningsOf(profile, seen, turn);
  if (!readings.length || !isNowhere(profile, seen, Math.min(...readings.map((each) => each.reading)))) {
    return { warnings, usable: true };
  }
  const replaced = [`${WARNINGS.distance[1]}.`, `${TURNED[turn]}.`];
  return { warnings: [`${unlikeAll}.`, ...warnings.filter((each) => !replaced.includes(each))], usable: false };
}

/** Return whether a photo whose most upright orientation has this reading is like no training photo. */
function isNowhere(profile, seen, reading) {
  if (reading <= profile.doubt) return false;
  const far = isStrange(profile, "distance", cloudDistance(profile, seen.look.features));
  return reading >= AS_TURNED || far || isStrange(profile, "confidence", measuresOf(seen).confidence);
}

function warningsOf(profile, seen, turn) {
  const found = measuresOf(seen);
  const strange = Object.keys(found).filter((name) => isStrange(profile, name, found[name]));
  const said = strange.map((name) => WARNINGS[name][1]);
  if (turn && strange.every((name) => name === "confidence")) said.unshift(TURNED[turn]);
  if (!said.length && isStrange(profile, "distance", cloudDistance(profile, seen.look.features))) {
    said.push(WARNINGS.distance[1]);
  }
  return said.map((sentence) => `${sentence}.`);
}

function isStrange(profile, name, value) {
  const limit = profile.limits[name] ?? NaN;
  return WARNINGS[name][0] === "low" ? value < limit : value > limit;
}

/** Return how far features lie from those of the training photos: about 1 for a usual photo. */
function cloudDistance(profile, features) {
  const table = halfFloats(profile.cloud);
  const size = profile.channels;
  const away = features.map((value, i) => value - table[i]);
  const count = table.length / size - 1;
  let [inside, left] = [0, away.reduce((sum, value) => sum + value * value, 0)];
  for (let k = 1; k <= count; k++) {
    let [along, length] = [0, 0];
    for (let i = 0; i < size; i++) {
      along += table[k * size + i] * away[i];
      length += table[k * size + i] ** 2;
    }
    inside += along ** 2 / count;
    left -= along ** 2 / length;
  }
  if (!profile.beside) return Math.sqrt(inside);
  return Math.sqrt((inside + Math.max(0, left) / profile.beside) / 2);
}

/** Return the quarters of a turn, counter-clockwise, after which a photo would stand upright. */
function bestTurn(looks) {
  if (!looks.length) return 0;
  const read = looks.map(({ reading, sure }, turn) => (turn === 0 || sure > looks[0].sure ? reading : Infinity));
  const best = read.indexOf(Math.min(...read));
  return read[0] - read[best] > TURN_MARGIN ? best : 0;
}

/** Return how upright a photo in doubt reads at each turn; nothing without doubt. */
async function turnReadings(profile, seen, image, lookAt) {
  if (!profile.upright || seen.people < 1) return [];
  const slopes = new Float32Array(decode(profile.upright).buffer);
  const turned = (features) => features.reduce((sum, value, i) => sum + value * slopes[i], slopes.at(-1));
  if (turned(seen.look.features) <= profile.doubt) return [];
  const factor = Math.min(1, Math.sqrt(TURN_PIXELS / (image.width * image.height)));
  const side = (length) => Math.max(1, roundEven(length * factor));
  let view = resizeImage(image, side(image.width), side(image.height));
  const read = [];
  for (let turn = 0; turn < 4; turn++) {
    const { features, sure } = await lookAt(view);
    read.push({ reading: turned(features), sure });
    view = quarterTurn(view);
  }
  return read;
}

/** Return a picture turned by 90° counter-clockwise. */
function quarterTurn({ data, width, height }) {
  const out = new Uint8Array(data.length);
  for (let row = 0; row < width; row++) {
    for (let column = 0; column < height; column++) {
      const from = 3 * (column * width + width - 1 - row);
      out.set(data.subarray(from, from + 3), 3 * (row * height + column));
    }
  }
  return { data: out, width: height, height: width };
}

function decode(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}

function halfFloats(text) {
  const bits = new Uint16Array(decode(text).buffer);
  return Float64Array.from(bits, (value) => {
    const exponent = (value >> 10) & 31;
    const fraction = value & 1023;
    const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction;
    return value & 0x8000 ? -size : size;
  });
}

/** Return the option of `crowdscale count` for each warning that has one; a browser decodes one picture a file. */
export function notesOf(warnings) {
  const turned = /^The photo seems to (lie on its side|be upside down)\b/;
  return warnings.filter((each) => turned.test(each)).map(() => "Run with --turn auto.");
}

/** Return whether a calibration comes from a user's own folders alone, and not from public sets. */
export function isOwn(calibration) {
  const data = calibration?.data ?? [];
  return data.length > 0 && data.every((label) => label.split(/\s+/)[0] === "folder");
}

/** Return for which photos the 90 % interval holds, as a sentence; empty without an interval. */
export function intervalOf(calibration, intervals, model) {
  if (!intervals) return "";
  if (isOwn(calibration)) return `In 9 of 10 photos like those of the calibration: ${calibration.data.join(", ")}.`;
  return (
    "In 9 of 10 photos like those trained on. Your camera is not calibrated: " +
    `crowdscale models calibrate ${model} --data my_photos/ --write`
  );
}

/** Return {level: [low, high]} about a count, or null where there is no calibration or a warning. */
export function intervalsOf(calibration, count, warnings) {
  if (!calibration || warnings.length) return null;
  const { offset, growth, smallest, largest } = calibration;
  const grown = (Math.min(Math.max(count, smallest), largest) + offset) / 100;
  const width = (Math.max(count, 0) + offset) * grown ** growth;
  return Object.fromEntries(
    calibration.levels.map((level, i) => {
      const reach = calibration.quantiles[i] * width;
      return [String(level), [Math.max(0, Math.floor(count - reach)), Math.ceil(count + reach)]];
    }),
  );
}
