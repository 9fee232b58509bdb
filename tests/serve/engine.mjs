// Runs parts of the page's engine under Node for the tests: reads a job as JSON from a file, prints the result as JSON.
// Arguments: the folder of the page, the job's file.

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [page, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.join(page, "engine", name)).href);
const job = JSON.parse(fs.readFileSync(file));
const picture = ({ file, width, height }) => ({ data: new Uint8Array(fs.readFileSync(file)), width, height });

const tasks = {
  async resize({ pictures }) {
    const { resizeArea, resizeLinear } = await load("resize.js");
    return pictures.map(({ to, how, ...from }) => {
      const made = (how === "area" ? resizeArea : resizeLinear)(picture(from), ...to);
      return Buffer.from(made.data).toString("base64");
    });
  },
  async allot({ grids }) {
    const { allot } = await load("agreement.js");
    return grids.map(({ masses, capacities, rows, columns }) => [...allot(masses, capacities, rows, columns)]);
  },
  async minima({ maps }) {
    const { windowMinima } = await load("minima.js");
    return maps.map(({ values, width, height, window, ceiling }) => {
      const found = windowMinima({ data: Float32Array.from(values), width, height }, window, ceiling);
      return [...found.x].map((x, i) => [x, found.y[i], found.confidence[i]]);
    });
  },
  async count({ runtime, model, sentences, pictures, tiles, readScale }) {
    const ort = await import(pathToFileURL(path.join(runtime, "ort.wasm.bundle.min.mjs")).href);
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = fs.readFileSync(path.join(runtime, "ort-wasm-simd-threaded.wasm"));
    const [{ Network }, { Predictor }, { useSentences }] = await Promise.all(["network.js", "predictor.js", "trust.js"].map(load));
    useSentences(sentences);
    Object.assign((await load("boxes.js")).TILES, tiles);
    Object.assign((await load("read_scale.js")).READ_SCALE, readScale);
    const read = (name) => new Uint8Array(fs.readFileSync(path.join(model, name)));
    const config = JSON.parse(Buffer.from(read("model.json")).toString());
    const predictor = new Predictor(await Network.open(ort, config, read("network.onnx"), read("scale.onnx")));
    const results = [];
    for (const each of pictures) results.push(await predictor.predict(picture(each)));
    return results;
  },
};

process.stdout.write(JSON.stringify(await tasks[job.task](job)));
