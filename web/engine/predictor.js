// Photo → base scale → tiles → first pass → dense region → learned zoom → second pass → merged people (AutoScale, Fig. 3).

import { chooseReadScale } from "./read_scale.js";
import { grow, areaOf, planTiles, scaleBox, shift, TILES, widthOf, heightOf } from "./boxes.js";
import { Canvas } from "./canvas.js";
import { scale as scalePoints } from "./points.js";
import { blend, count, countInBox, heads, join, place, readOutput, replace, trustedShare } from "./reading.js";
import { denseBox, poolRegion } from "./regions.js";
import { crop, resizeImage, roundEven } from "./resize.js";
import { intervalOf, intervalsOf, isOwn, joinMeasures, meanFeatures, judge, measurePicture, notesOf } from "./trust.js";

const MOST_BASE = 2; // a small photo is read at no more than twice its side

export class Predictor {
  constructor(network) {
    this.network = network;
    this.config = network.config;
  }

  /** Return the people in a picture {data: RGB, width, height}, in its own pixels. */
  async predict(image, progress = () => {}) {
    const started = performance.now();
    const canvas = new Canvas(image, await this.base(image));
    const tiles = planTiles(canvas.width, canvas.height);
    const found = [];
    for (const tile of tiles) {
      progress(found.length / tiles.length);
      found.push(await this.readTile(canvas, tile, tiles.length > 1));
    }
    const result = await this.finish(image, canvas, tiles, found);
    return { ...result, seconds: (performance.now() - started) / 1000 };
  }

  /** Return the side factor at which a photo is read. */
  async base(image) {
    const enlarged = this.enlargement(image);
    if (enlarged > 1) return enlarged;
    return chooseReadScale(async (view) => this.read(await this.network.predict(view)), image);
  }

  /** Return the side factor by which the model enlarges a small picture; 1 for others. */
  enlargement({ width, height }) {
    const least = this.config.enlarge_below ?? 0;
    return width * height >= least ? 1 : Math.min(MOST_BASE, Math.sqrt(least / (width * height)));
  }

  /** Return a small picture enlarged as it is when it is counted: the profile was learned so. */
  enlarged(view) {
    const factor = this.enlargement(view);
    if (factor === 1) return view;
    const side = (length) => Math.max(1, roundEven(length * factor));
    return resizeImage(view, side(view.width), side(view.height));
  }

  read(answer) {
    return readOutput(this.config, answer);
  }

  /** Return the first pass of a tile, and the same with its dense region taken from a second pass. */
  async readTile(canvas, tile, several) {
    const view = canvas.cut(tile.seen);
    const first = await this.network.predict(view);
    const begun = place(this.read(first), tile.seen, view.width, view.height);
    const look = measurePicture(view, first.features);
    const refined = this.config.refines ? await this.refine(canvas, tile, first, begun, several) : null;
    return { begun, look, reading: refined?.reading ?? begun, region: refined?.region ?? null };
  }

  async refine(canvas, tile, first, begun, several) {
    const { left, top } = tile.seen;
    const inner = shift(tile.owned, -left, -top);
    const found = denseBox(this.config, first, inner, several ? TILES.side ** 2 : 0);
    if (!found) return null;
    const box = shift(found, left, top);
    const { zoom, feature_stride: stride } = this.config;
    const wanted = (await this.network.areaFactor(poolRegion(first.features, found, stride))) * zoom.gain ** 2;
    const area = Math.min(Math.max(wanted, zoom.area_low), zoom.area_high);
    const context = grow(box, zoom.context, canvas.width, canvas.height);
    const limit = zoom.max_pixels / Math.max(1, areaOf(context));
    const factor = Math.sqrt(Math.min(area, limit));
    if (factor < (zoom.least ?? 0)) return null;
    const second = await this.secondPass(canvas.enlarge(context, factor), context);
    const before = countInBox(begun, box);
    const growth = (reading) => count(reading) - (count(begun) - before);
    const replaced = replace(begun, box, second);
    const share = trustedShare(before, growth(replaced), zoom.doubt ?? 0);
    const reading = share < 1 ? blend(begun, replaced, share) : replaced;
    const after = growth(reading);
    return { reading, region: { box, factor, before, after, capped: area > limit } };
  }

  /** Return the reading of an enlarged view in pixels of the base scale; a very large one is cut into tiles. */
  async secondPass(view, context) {
    const parts = [];
    for (const tile of planTiles(view.width, view.height)) {
      const answer = await this.network.predict(crop(view, tile.seen));
      parts.push([tile.owned, place(this.read(answer), tile.seen, widthOf(tile.seen), heightOf(tile.seen))]);
    }
    const reading = parts.length === 1 ? parts[0][1] : join(parts, view.width, view.height);
    return place(reading, context, view.width, view.height);
  }

  /** Join the tiles and move everything into the pixels of the photo. */
  async finish(image, canvas, tiles, found) {
    const joined = (name) =>
      tiles.length === 1
        ? found[0][name]
        : join(tiles.map((tile, i) => [tile.owned, found[i][name]]), canvas.width, canvas.height);
    const [begun, reading] = [joined("begun"), joined("reading")];
    const [x, y] = [image.width / canvas.width, image.height / canvas.height];
    const located = heads(reading);
    const people = count(reading);
    const { width, height } = image;
    const seen = { look: joinMeasures(found.map((part) => part.look)), heads: located, people, width, height };
    const lookAt = async (view) => {
      const answer = await this.network.predict(this.enlarged(view));
      const sure = heads(this.read(answer)).confidence.reduce((sum, each) => sum + each, 0);
      return { features: meanFeatures(answer.features), sure };
    };
    const { warnings, usable } = await judge(this.config.familiar, seen, image, lookAt);
    const intervals = intervalsOf(this.config.calibration, people, warnings);
    return {
      count: people,
      count_low: intervals?.["0.9"]?.[0] ?? null,
      count_high: intervals?.["0.9"]?.[1] ?? null,
      first_pass_count: count(begun),
      model: this.config.name,
      width,
      height,
      read_scale: Math.min(canvas.width / width, canvas.height / height),
      tiles: tiles.length,
      intervals,
      interval_of: intervalOf(this.config.calibration, intervals, this.config.name),
      turn: 0,
      warnings,
      notes: notesOf(warnings),
      usable,
      calibrated: isOwn(this.config.calibration),
      calibrated_heads: Boolean(this.config.confidence),
      regions: regionRows(found, x, y, width, height),
      heads: this.headRows(located, x, y, width, height),
      density: densityOf(reading.blocks, x, y),
    };
  }

  /** Return [x, y, confidence] of each head, moved to where annotators put heads. */
  headRows(points, x, y, width, height) {
    const [right, down] = this.config.offset ?? [0, 0];
    const moved = scalePoints(points, x, y, right, down);
    const clip = (value, last) => (right || down ? Math.min(Math.max(value, 0), last) : value);
    return Array.from(moved.x, (value, i) => [
      thousandth(clip(value, width - 1)), thousandth(clip(moved.y[i], height - 1)), thousandth(this.probability(moved.confidence[i])),
    ]);
  }

  /** Return the probability of a head from the network's value; the value itself where the model is uncalibrated. */
  probability(value) {
    const curve = this.config.confidence;
    return curve ? 1 / (1 + Math.exp(-(curve.offset + curve.slope * value))) : value;
  }
}

function thousandth(value) {
  return Math.round(value * 1000) / 1000;
}

function regionRows(found, x, y, width, height) {
  return found
    .filter((part) => part.region)
    .map(({ region }) => ({ ...region, box: scaleBox(region.box, x, y, width, height) }))
    .sort((a, b) => areaOf(b.box) - areaOf(a.box))
    .map(({ box, factor, before, after, capped }) => ({
      box: [box.left, box.top, box.right, box.bottom], zoom: factor, first_pass_count: before, count: after, capped,
    }));
}

/** Return people in each cell of a grid over the photo, for the heat. */
function densityOf(blocks, x, y) {
  const [columns, rows] = [blocks.x.length - 1, blocks.y.length - 1];
  return { cell: [16 * x, 16 * y], rows, columns, people: Array.from(blocks.people) };
}
