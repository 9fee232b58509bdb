// Resizing of RGB bytes, equal to OpenCV's: by area when reducing, bilinear when enlarging.
//
// A picture is {data: Uint8Array of RGB, width, height}. The canvas of a browser resizes in another way,
// and counts would differ.

const BITS = 11; // OpenCV's bilinear weights are whole numbers of 1 / 2048
const ONE = 1 << BITS;

/** Return the picture at a new size, as the first pass reads it. */
export function resizeImage(image, width, height) {
  if (width === image.width && height === image.height) return image;
  const shrinks = width * height < image.width * image.height;
  return shrinks ? resizeArea(image, width, height) : resizeLinear(image, width, height);
}

/** Return the part of a picture in a box. */
export function crop(image, box) {
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  if (width === image.width && height === image.height) return image;
  const data = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const start = 3 * ((box.top + row) * image.width + box.left);
    data.set(image.data.subarray(start, start + 3 * width), 3 * row * width);
  }
  return { data, width, height };
}

/** Return the RGB of a canvas's RGBA, laid over white as Python does it. */
export function fromRgba(rgba, width, height) {
  const data = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    const alpha = rgba[from + 3];
    for (let channel = 0; channel < 3; channel++) {
      const value = rgba[from + channel];
      data[to + channel] = alpha === 255 ? value : Math.round((value * alpha + 255 * (255 - alpha)) / 255);
    }
  }
  return { data, width, height };
}

/** Bilinear. `areaMode` places the samples as OpenCV's area resizing does where one side grows. */
export function resizeLinear(image, width, height, areaMode = false) {
  const columns = linearTaps(image.width, width, areaMode, true);
  const rows = linearTaps(image.height, height, areaMode, false);
  const out = new Uint8Array(3 * width * height);
  const lines = [new Int32Array(3 * width), new Int32Array(3 * width)];
  const held = [-1, -1];
  for (let y = 0; y < height; y++) {
    const wanted = [rows.first[y], rows.second[y]];
    if (held[1] === wanted[0] && held[0] !== wanted[0]) {
      lines.reverse();
      held.reverse();
    }
    for (let k = 0; k < 2; k++) {
      if (held[k] !== wanted[k]) {
        blendRow(image, wanted[k], columns, lines[k]);
        held[k] = wanted[k];
      }
    }
    mixRows(lines[0], lines[1], rows.near[y], rows.far[y], out, 3 * y * width);
  }
  return { data: out, width, height };
}

function blendRow(image, row, columns, line) {
  const base = 3 * row * image.width;
  for (let x = 0, to = 0; x < columns.first.length; x++) {
    const left = base + 3 * columns.first[x];
    const right = base + 3 * columns.second[x];
    const near = columns.near[x];
    const far = columns.far[x];
    for (let channel = 0; channel < 3; channel++, to++) {
      line[to] = image.data[left + channel] * near + image.data[right + channel] * far;
    }
  }
}

function mixRows(upper, lower, near, far, out, start) {
  for (let i = 0; i < upper.length; i++) {
    const sum = (((upper[i] >> 4) * near) >> 16) + (((lower[i] >> 4) * far) >> 16);
    out[start + i] = Math.min(255, Math.max(0, (sum + 2) >> 2));
  }
}

/** Return the two samples of each place along an axis, and their weights in 1 / 2048. At the border OpenCV
 * resets the weights of columns, but repeats the row: the last bit differs. */
function linearTaps(from, to, areaMode, resets) {
  const scale = from / to;
  const taps = {
    first: new Int32Array(to), second: new Int32Array(to), near: new Int32Array(to), far: new Int32Array(to),
  };
  for (let i = 0; i < to; i++) {
    let place = Math.fround((i + 0.5) * scale - 0.5);
    let at = Math.floor(place);
    let weight = Math.fround(place - at);
    if (areaMode) {
      at = Math.floor(i * scale);
      weight = Math.fround(i + 1 - (at + 1) / scale);
      weight = weight <= 0 ? 0 : Math.fround(weight - Math.floor(weight));
    }
    if (resets && at < 0) [at, weight] = [0, 0];
    if (resets && at >= from - 1) [at, weight] = [from - 1, 0];
    taps.first[i] = Math.min(Math.max(at, 0), from - 1);
    taps.second[i] = Math.min(Math.max(at + 1, 0), from - 1);
    taps.far[i] = roundEven(Math.fround(weight * ONE));
    taps.near[i] = roundEven(Math.fround(Math.fround(1 - weight) * ONE));
  }
  return taps;
}

/** Mean of the area that each new pixel covers. */
export function resizeArea(image, width, height) {
  const x = image.width / width;
  const y = image.height / height;
  if (x < 1 || y < 1) return resizeLinear(image, width, height, true);
  const whole = (value) => Math.abs(value - Math.round(value)) < 2.220446049250313e-16;
  if (whole(x) && whole(y)) return resizeBlocks(image, width, height, Math.round(x), Math.round(y));
  return resizeFractions(image, width, height, x, y);
}

function resizeBlocks(image, width, height, x, y) {
  const out = new Uint8Array(3 * width * height);
  const line = 3 * image.width;
  const share = Math.fround(1 / (x * y));
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const start = row * y * line + 3 * column * x;
      for (let channel = 0; channel < 3; channel++, to++) {
        let sum = 0;
        for (let j = 0; j < y; j++) {
          for (let i = 0; i < x; i++) sum += image.data[start + j * line + 3 * i + channel];
        }
        out[to] = x === 2 && y === 2 ? (sum + 2) >> 2 : roundEven(Math.fround(sum * share));
      }
    }
  }
  return { data: out, width, height };
}

function resizeFractions(image, width, height, x, y) {
  const columns = areaTaps(image.width, width, x);
  const rows = areaTaps(image.height, height, y);
  const out = new Uint8Array(3 * width * height);
  const line = new Float32Array(3 * width);
  const sum = new Float32Array(3 * width);
  let current = rows.length ? rows[0].to : 0;
  const write = () => {
    for (let i = 0; i < sum.length; i++) out[3 * current * width + i] = clampByte(sum[i]);
  };
  for (const { from, to, share } of rows) {
    line.fill(0);
    addColumns(image, from, columns, line);
    if (to !== current) {
      write();
      sum.fill(0);
      current = to;
    }
    const weight = share;
    for (let i = 0; i < sum.length; i++) sum[i] += Math.fround(line[i] * weight);
  }
  write();
  return { data: out, width, height };
}

function addColumns(image, row, columns, line) {
  const base = 3 * row * image.width;
  for (const { from, to, share } of columns) {
    const at = base + 3 * from;
    for (let channel = 0; channel < 3; channel++) {
      line[3 * to + channel] += Math.fround(image.data[at + channel] * share);
    }
  }
}

/** Return which old pixels each new one covers along an axis, and the share of each. */
function areaTaps(from, to, scale) {
  const taps = [];
  for (let i = 0; i < to; i++) {
    const low = i * scale;
    const high = low + scale;
    const cell = Math.min(scale, from - low);
    let first = Math.ceil(low);
    const last = Math.min(Math.floor(high), from - 1);
    first = Math.min(first, last);
    if (first - low > 1e-3) taps.push({ from: first - 1, to: i, share: Math.fround((first - low) / cell) });
    for (let at = first; at < last; at++) taps.push({ from: at, to: i, share: Math.fround(1 / cell) });
    if (high - last > 1e-3) {
      const share = Math.fround(Math.min(Math.min(high - last, 1), cell) / cell);
      taps.push({ from: last, to: i, share });
    }
  }
  return taps;
}

/** Round half to even, as the processors that Python runs on do. */
export function roundEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

function clampByte(value) {
  return Math.min(255, Math.max(0, roundEven(value)));
}
