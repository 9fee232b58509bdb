// Binary annotations: MATLAB's .mat as ShanghaiTech nests it, and density maps as .npy and .tif.

const MATRIX = 14;
const CLASSES = { cell: 1, struct: 2, float64: 6, uint16: 11, uint32: 13 };
const TYPES = { int8: 1, uint16: 4, int32: 5, uint32: 6, float64: 9 };
const FIELD = 9; // bytes of a field's name: the longest, and its end

const text = (value) => new TextEncoder().encode(value);

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Return little-endian bytes of numbers. */
function numbers(type, values) {
  const bytes = { uint16: 2, uint32: 4, int32: 4, float64: 8 }[type];
  const view = new DataView(new ArrayBuffer(bytes * values.length));
  const put = { uint16: "setUint16", uint32: "setUint32", int32: "setInt32", float64: "setFloat64" }[type];
  values.forEach((value, i) => view[put](i * bytes, value, true));
  return new Uint8Array(view.buffer);
}

/** Return an element of a .mat: its tag, its bytes, and zeros up to 8 bytes; up to 4 bytes stand in the tag. */
function tagged(type, bytes) {
  if (bytes.length > 0 && bytes.length <= 4) {
    return joined([numbers("uint16", [type, bytes.length]), bytes, new Uint8Array(4 - bytes.length)]);
  }
  return joined([numbers("uint32", [type, bytes.length]), bytes, new Uint8Array(-bytes.length & 7)]);
}

/** Return an array of a .mat, without a name but at the top. */
function matrix(kind, shape, content, name = "") {
  const head = [
    tagged(TYPES.uint32, numbers("uint32", [CLASSES[kind], 0])), tagged(TYPES.int32, numbers("int32", shape)),
    tagged(TYPES.int8, text(name)),
  ];
  return tagged(MATRIX, joined([...head, ...content]));
}

/** Return heads as a .mat: image_info, a cell of a struct with location and number. */
export function matFile(heads) {
  const count = heads.length < 65536 ? "uint16" : "uint32";
  const columns = [...heads.map(([x]) => x), ...heads.map(([, y]) => y)];
  const fields = joined(["location", "number"].map((name) => joined([text(name), new Uint8Array(FIELD - name.length)])));
  const struct = matrix("struct", [1, 1], [
    tagged(TYPES.int32, numbers("int32", [FIELD])), tagged(TYPES.int8, fields),
    matrix("float64", [heads.length, 2], [tagged(TYPES.float64, numbers("float64", columns))]),
    matrix(count, [1, 1], [tagged(TYPES[count], numbers(count, [heads.length]))]),
  ]);
  const header = new Uint8Array(128).fill(0, 116);
  header.set(text("MATLAB 5.0 MAT-file, written by crowdscale".padEnd(116)));
  header.set([0, 1, 0x49, 0x4d], 124); // version 1, little-endian
  return joined([header, matrix("cell", [1, 1], [struct], "image_info")]);
}

const SIGMA = 4;
const REACH = 16; // 4 σ

/** Return the weights of a Gaussian line, of mass 1. */
function gaussian() {
  const line = Array.from({ length: 2 * REACH + 1 }, (_, i) => Math.exp(-((i - REACH) ** 2) / (2 * SIGMA ** 2)));
  const sum = line.reduce((total, value) => total + value, 0);
  return line.map((value) => value / sum);
}

/** Return the density map of a label: a Gaussian of mass 1 a head; what the border cuts off goes to the rest. */
export function densityMap({ name, size: [width, height], heads }) {
  const beyond = heads.filter(([x, y]) => x < -0.5 || y < -0.5 || x >= width - 0.5 || y >= height - 0.5).length;
  if (beyond) throw new Error(`A density map of ${name} would lose the ${beyond} heads outside the photo.`);
  const [map, line] = [new Float32Array(width * height), gaussian()];
  for (const [x, y] of heads) {
    const [column, row] = [Math.floor(x + 0.5), Math.floor(y + 0.5)];
    const [left, right] = [Math.max(0, column - REACH), Math.min(width, column + REACH + 1)];
    const [top, bottom] = [Math.max(0, row - REACH), Math.min(height, row + REACH + 1)];
    const part = (from, to, centre) => line.slice(from - centre + REACH, to - centre + REACH);
    const [across, down] = [part(left, right, column), part(top, bottom, row)];
    const mass = across.reduce((a, b) => a + b) * down.reduce((a, b) => a + b);
    for (let j = top; j < bottom; j++) {
      for (let i = left; i < right; i++) map[j * width + i] += (down[j - top] * across[i - left]) / mass;
    }
  }
  return map;
}

const bytesOf = (map) => new Uint8Array(map.buffer);

/** Return a label's density map as NumPy's file: float32, rows by columns. */
export function densityNpy(label) {
  const [width, height] = label.size;
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  const length = Math.ceil((10 + head.length + 1) / 64) * 64 - 10;
  const start = joined([new Uint8Array([0x93]), text("NUMPY"), new Uint8Array([1, 0]), numbers("uint16", [length])]);
  return joined([start, text(`${head.padEnd(length - 1)}\n`), bytesOf(densityMap(label))]);
}

/** Return a label's density map as an uncompressed TIFF, marked as a drawn picture: a search for photos passes over it. */
export function densityTif(label) {
  const [width, height] = label.size;
  const map = bytesOf(densityMap(label));
  const mark = text("crowdscale picture\0");
  const [short, long, ascii] = [3, 4, 2];
  const data = 8 + 2 + 11 * 12 + 4 + mark.length + (mark.length & 1);
  const entries = [
    [256, long, 1, width], [257, long, 1, height], [258, short, 1, 32], [259, short, 1, 1], [262, short, 1, 1],
    [270, ascii, mark.length, 8 + 2 + 11 * 12 + 4], [273, long, 1, data], [277, short, 1, 1], [278, long, 1, height],
    [279, long, 1, map.length], [339, short, 1, 3],
  ];
  const table = entries.map(([tag, type, count, value]) =>
    joined([numbers("uint16", [tag, type]), numbers("uint32", [count, value])]),
  );
  const head = joined([text("II"), numbers("uint16", [42]), numbers("uint32", [8]), numbers("uint16", [entries.length])]);
  return joined([head, ...table, new Uint8Array(4), mark, new Uint8Array(mark.length & 1), map]);
}
