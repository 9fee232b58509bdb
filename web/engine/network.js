// Runs a model's two graphs with ONNX Runtime Web: a picture → maps, features and people in blocks.

/** A model with its graphs loaded. */
export class Network {
  constructor(runtime, config, network, scale) {
    Object.assign(this, { runtime, config, network, scale });
    this.bytes = network.inputNames[0] === "pixels";
  }

  /** Load a model's graphs from their bytes. */
  static async open(runtime, config, networkBytes, scaleBytes) {
    if (config.method !== "hybrid") {
      throw new Error(`The page counts with hybrid models, and ${config.name} is a ${config.method} model. Use the local service.`);
    }
    const options = { executionProviders: ["wasm"], logSeverityLevel: 3 };
    const network = await runtime.InferenceSession.create(networkBytes, options);
    const scale = config.refines ? await runtime.InferenceSession.create(scaleBytes, options) : null;
    return new Network(runtime, config, network, scale);
  }

  /** Run the counting network on a picture. */
  async predict(image) {
    const input = this.bytes ? this.paddedBytes(image) : this.paddedFloats(image);
    const result = await this.network.run({ [this.network.inputNames[0]]: input });
    const answer = readMaps(result, image.width, image.height);
    for (const tensor of Object.values(result)) tensor.dispose?.();
    input.dispose?.();
    return answer;
  }

  /** Run the scale net on (c, 14, 14) pooled features; returns the unclamped area factor r². */
  async areaFactor(pooled) {
    const shape = [1, pooled.length / 196, 14, 14];
    const result = await this.scale.run({ pooled: new this.runtime.Tensor("float32", pooled, shape) });
    return Number(result.area_factor.data[0]);
  }

  padded({ width, height }) {
    const { stride } = this.config;
    return [Math.ceil(width / stride) * stride, Math.ceil(height / stride) * stride];
  }

  paddedFloats(image) {
    const [wide, high] = this.padded(image);
    const data = new Float32Array(3 * wide * high);
    const unit = Math.fround(1 / 255);
    for (let channel = 0; channel < 3; channel++) {
      const plane = data.subarray(channel * wide * high, (channel + 1) * wide * high);
      plane.fill(this.config.mean[channel]);
      for (let row = 0; row < image.height; row++) {
        let from = 3 * row * image.width + channel;
        const to = row * wide;
        for (let column = 0; column < image.width; column++, from += 3) plane[to + column] = image.data[from] * unit;
      }
    }
    return new this.runtime.Tensor("float32", data, [1, 3, high, wide]);
  }

  paddedBytes(image) {
    const [wide, high] = this.padded(image);
    const mean = this.config.mean.map((value) => Math.round(value * 255));
    const data = new Uint8Array(3 * wide * high);
    for (let at = 0; at < data.length; at++) data[at] = mean[at % 3];
    for (let row = 0; row < image.height; row++) {
      data.set(image.data.subarray(3 * row * image.width, 3 * (row + 1) * image.width), 3 * row * wide);
    }
    return new this.runtime.Tensor("uint8", data, [1, high, wide, 3]);
  }
}

/** Return what a graph says of a picture: planes cut to it, and features and blocks over the padded one. */
function readMaps(result, width, height) {
  const blocks = result.blocks;
  const [, channels, high, wide] = result.features.dims;
  const features = { data: result.features.data.slice(), channels, width: wide, height: high };
  const answer = { width, height, features, blocks: blocks.data.slice(), blockColumns: blocks.dims.at(-1) };
  if (result.output) {
    const [, , rows, columns] = result.output.dims;
    const plane = (index) => {
      const whole = result.output.data.subarray(index * rows * columns, (index + 1) * rows * columns);
      return cutPlane(whole, columns, width, height);
    };
    return { ...answer, cell: 1, label: plane(0), likeliest: plane(1) };
  }
  const [, , rows, columns] = result.labels.dims;
  const cell = (blocks.dims.at(-1) * 16) / columns;
  const [cellsWide, cellsHigh] = [Math.ceil(width / cell), Math.ceil(height / cell)];
  const coarse = result.likeliest.dims;
  const likeliest = enlargeSquares(result.likeliest.data, coarse[3], columns / coarse[3], cellsWide, cellsHigh);
  return { ...answer, cell, label: cutPlane(result.labels.data, columns, cellsWide, cellsHigh), likeliest };
}

function cutPlane(values, columns, width, height) {
  const data = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    data.set(values.subarray(row * columns, row * columns + width), row * width);
  }
  return { data, width, height };
}

function enlargeSquares(values, columns, side, width, height) {
  const data = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    const from = Math.floor(row / side) * columns;
    for (let column = 0; column < width; column++) data[row * width + column] = values[from + Math.floor(column / side)];
  }
  return { data, width, height };
}
