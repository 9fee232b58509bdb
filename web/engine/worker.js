// The engine in a worker: photos in, results out. Nothing leaves the browser.

import { Network } from "./network.js";
import { refuseHuge } from "./photo_size.js";
import { Predictor } from "./predictor.js";
import { fromRgba } from "./resize.js";
import { useSentences } from "./trust.js";

const MOST_PIXELS = 60_000_000; // beyond that browsers run out of memory

let predictor = null;
let last = Promise.resolve();

self.onmessage = ({ data }) => {
  last = last.then(() => answer(data));
};

async function answer(message) {
  try {
    const value = message.type === "open" ? await open(message) : await count(message);
    self.postMessage({ id: message.id, value });
  } catch (error) {
    self.postMessage({ id: message.id, error: sentenceOf(error) });
  }
}

async function open({ runtime, model, sentences }) {
  const ort = await import(runtime);
  ort.env.wasm.wasmPaths = { wasm: new URL("./ort-wasm-simd-threaded.wasm", runtime).href };
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
  useSentences(sentences);
  const [config, network, scale] = await Promise.all([
    fetchPart(`${model}/model.json`, "json"),
    fetchPart(`${model}/network.onnx`, "arrayBuffer"),
    fetchPart(`${model}/scale.onnx`, "arrayBuffer"),
  ]);
  predictor = new Predictor(await Network.open(ort, config, new Uint8Array(network), new Uint8Array(scale)));
  return { name: config.name };
}

async function fetchPart(address, how) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`The model's file ${address.split("/").at(-1)} is missing on this site.`);
  return response[how]();
}

async function count({ id, photo }) {
  const image = await decode(photo);
  const result = await predictor.predict(image, (share) => self.postMessage({ id, progress: share }));
  return { ...result, photo: photo.name ?? "" };
}

/** Return a photo's pixels, upright, without colour management, as Python reads them. */
async function decode(photo) {
  await refuseHuge(photo, MOST_PIXELS, "a browser", "Reduce it or use the local service.");
  const bitmap = await createImageBitmap(photo, { colorSpaceConversion: "none", premultiplyAlpha: "none" }).catch(() => {
    throw new Error("This browser cannot read the file. Use a JPEG, PNG or WebP photo.");
  });
  const { width, height } = bitmap;
  try {
    if (width * height > MOST_PIXELS) {
      const megapixels = Math.round((width * height) / 1e6);
      throw new Error(`The photo has ${megapixels} megapixels, and a browser counts up to ${MOST_PIXELS / 1e6}. Reduce it or use the local service.`);
    }
    const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    pen.drawImage(bitmap, 0, 0);
    return fromRgba(pen.getImageData(0, 0, width, height).data, width, height);
  } finally {
    bitmap.close();
  }
}

function sentenceOf(error) {
  const text = String(error?.message ?? error);
  if (/memory|alloc|Array buffer/i.test(text)) return "This photo needs more memory than the browser has. Reduce it first.";
  return text;
}
