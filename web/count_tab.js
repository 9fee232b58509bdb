// Count: photos in, numbers out.

import { at, say } from "./app.js";
import { element } from "./elements.js";
import { GONE, mayWorkLater } from "./engines.js";
import { FORMATS, download } from "./formats.js";
import { FormatChoice } from "./format_choice.js";
import { heatLayer } from "./heat.js";
import { drawHeads, drawRegions } from "./overlays.js";
import { droppedFiles, fileOf, turnedPhoto } from "./photos.js";
import { keepResult, light, recallResult } from "./kept_results.js";
import { firstPassOf, headsOf, intervalOf, readScaleOf, sizeOf, whole, zoomOf } from "./results.js";
import { failedRow, rowOf } from "./table.js";
import { howSure, peopleWord, quote, rangeOf } from "./wording.js";

const MOST_PICTURE = 40_000_000; // pixels of a saved picture

export class CountTab {
  constructor(app) {
    this.app = app;
    this.photos = app.photos;
    this.busy = null;
    this.photos.addEventListener("change", () => this.list());
    this.connectInputs();
    this.connectLayers();
    this.connectNext();
    this.connectSaving();
    this.enter();
  }

  enter() {
    this.app.viewer.tool = null;
    this.showLayers();
    this.show();
  }

  photoChanged() {
    this.show();
    this.list();
  }

  connectInputs() {
    for (const [button, input] of [["choose", "files"], ["more", "files"], ["choose-folder", "folder"], ["take", "camera"]]) {
      at(button).addEventListener("click", () => at(input).click());
    }
    for (const input of ["files", "folder", "camera"]) {
      at(input).addEventListener("change", ({ target }) => {
        this.add(target.files);
        target.value = "";
      });
    }
    at("stop").addEventListener("click", () => this.busy?.abort());
    at("rest").addEventListener("click", () => {
      for (const item of this.photos.items) if (item.status === "stopped") Object.assign(item, { status: "waiting", error: "" });
      this.countWaiting();
    });
    const over = (event) => {
      event.preventDefault();
      at("stage").classList.toggle("over", event.type === "dragover");
    };
    for (const name of ["dragover", "dragleave"]) document.addEventListener(name, over);
    document.addEventListener("drop", async (event) => {
      over(event);
      this.add(await droppedFiles(event.dataTransfer));
    });
    document.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length) this.add(event.clipboardData.files);
    });
  }

  connectLayers() {
    for (const id of ["show-heads", "show-heat", "show-regions"]) at(id).addEventListener("change", () => this.showLayers());
    at("compare").addEventListener("input", ({ target }) => {
      this.app.viewer.split = target.value / 100;
      this.app.viewer.redraw();
    });
  }

  connectNext() {
    at("to-audit").addEventListener("click", () => this.app.open("audit"));
    at("to-correct").addEventListener("click", () => this.app.open("correct"));
    at("turn").addEventListener("click", () => this.turn());
    at("save-turned").addEventListener("click", () => {
      const { file } = this.photos.current;
      download(file.name, file);
    });
    at("quote").addEventListener("click", async () => {
      const sentence = quote(this.photos.current.result);
      await navigator.clipboard.writeText(sentence).then(() => say(`Copied: ${sentence}`, 10), () => say(sentence, 20));
    });
  }

  connectSaving() {
    const results = Object.entries(FORMATS).map(([value, { label }]) => [value, label]);
    this.choice = new FormatChoice({ select: "save-format", button: "save" }, [...results, ["picture", "Picture (PNG)"]], {
      photos: () => this.counted.map((item) => ({ name: item.name, size: item.size, heads: headsOf(item.result) })),
      site: () => this.app.site,
      own: (format) => this.save(format),
    });
    at("count-actions").append(this.choice.element);
  }

  get counted() {
    return this.photos.items.filter((item) => item.result);
  }

  add(files) {
    const { added, left } = this.photos.add(files);
    if (left) say(`${left} ${left === 1 ? "file is" : "files are"} no photo and left out.`);
    if (!added.length && !left) say("There is no photo in that.");
    this.countWaiting();
  }

  /** Count the photos that wait, one after the other. */
  async countWaiting() {
    if (this.app.problem) say(this.app.problem, 60);
    if (this.busy || !this.app.engine) return;
    this.busy = new AbortController();
    const { signal } = this.busy;
    for (let item = this.next(); item && !signal.aborted; item = this.next()) {
      item.status = "counting";
      this.list();
      this.progress(item, 0);
      await this.count(item, signal);
      this.photos.changed();
      if (item === this.photos.current) this.show();
    }
    for (const item of this.photos.items) if (item.status === "waiting" && signal.aborted) item.status = "stopped";
    this.busy = null;
    at("progress-box").hidden = true;
    at("rest-box").hidden = !this.photos.items.some((item) => item.status === "stopped");
    this.photos.changed();
  }

  next() {
    return this.photos.items.find((item) => item.status === "waiting");
  }

  async count(item, signal) {
    try {
      const onProgress = (share) => this.progress(item, share);
      item.result = (await recallResult(this.app.site, item)) ?? {
        ...light(await this.app.engine.count(await fileOf(item), { signal, onProgress })), photo: item.name,
      };
      keepResult(this.app.site, item);
      item.size = sizeOf(item.result);
      item.status = "counted";
    } catch (error) {
      const again = signal.aborted || mayWorkLater(error);
      item.status = again ? "stopped" : "failed";
      item.error = signal.aborted ? "Stopped." : error.message;
      if (error.status === GONE && !signal.aborted) this.lost(error);
    }
  }

  /** Stop where nobody answers: the photos that wait are not tried one by one. */
  lost(error) {
    say(`${error.message} Then choose “Count the rest”.`, 30);
    this.busy.abort();
  }

  /** Turn the current photo and count it again. */
  async turn() {
    const item = this.photos.current;
    at("turn").disabled = true;
    try {
      this.photos.replace(item, await turnedPhoto(item));
      this.countWaiting();
    } catch (error) {
      say(error.message, 12);
    }
    at("turn").disabled = false;
  }

  progress(item, share) {
    const { items } = this.photos;
    const done = items.filter((each) => ["counted", "failed", "stopped"].includes(each.status)).length;
    at("progress-box").hidden = false;
    at("rest-box").hidden = true;
    at("progress-text").textContent = items.length > 1 ? `Counting ${done + 1} of ${items.length}` : `Counting ${item.name}`;
    if (items.length > 1) at("progress").value = (done + share) / items.length;
    else at("progress").removeAttribute("value");
  }

  /** Show the result of the current photo. */
  show() {
    const item = this.photos.current;
    const result = item?.result;
    at("layers").hidden = at("next-steps").hidden = !result;
    at("turn").hidden = Boolean(item?.folder); // the heads of a folder's photo are saved beside it, as it lies there
    at("save-turned").hidden = !item?.turn;
    at("people").classList.toggle("refused", result?.usable === false);
    at("people").textContent = !result ? "" : result.usable === false ? "Do not use this number" : whole(result.count);
    if (result && result.usable !== false) at("people").append(element("small", {}, ` ${peopleWord(result.count)}`));
    at("interval").textContent = result ? intervalSentence(result) : item ? "" : "No photo yet.";
    at("promise").hidden = Boolean(item);
    at("warnings").replaceChildren(...listed(item?.error ? [item.error] : (result?.warnings ?? [])));
    this.showSure(result);
    at("details").textContent = result ? details(result) : "";
    this.showLayers();
  }

  /** Say in words how sure the number is and what to do with it; the step that is advised stands out. */
  showSure(result) {
    const [kind, advice] = result ? howSure(result) : ["", ""];
    at("sure").replaceChildren(...(result ? [element("strong", {}, kind), ` ${advice}`] : []));
    at("to-audit").classList.toggle("main", /[Aa]udit/.test(advice));
    at("quote").hidden = result?.usable === false;
  }

  showLayers() {
    if (this.app.active !== "count") return;
    const { viewer } = this.app;
    const result = this.photos.current?.result;
    viewer.split = at("compare").value / 100;
    viewer.layers = result ? this.layersOf(result) : [];
    viewer.redraw();
  }

  layersOf(result) {
    const layers = [];
    if (at("show-heat").checked) {
      const [width, height] = sizeOf(result);
      const layer = () => heatLayer({ width, height }, headsOf(result), result.density);
      this.heat = this.heat?.result === result ? this.heat : { result, layer: layer() };
      layers.push(this.heat.layer);
    }
    const regions = (result.regions ?? []).map((region) => ({ box: region.box, factor: zoomOf(region) }));
    if (at("show-regions").checked) layers.push((pen, viewer) => drawRegions(pen, viewer, regions));
    if (at("show-heads").checked) layers.push((pen, viewer) => drawHeads(pen, viewer, headsOf(result)));
    return layers;
  }

  /** Show all photos in the table, with their sum. */
  list() {
    const { items } = this.photos;
    at("count-actions").hidden = !items.length;
    at("list-box").hidden = items.length < 2;
    this.showRows(items);
    const counted = items.filter((item) => item.result);
    document.body.dataset.done = items.filter((item) => ["counted", "failed", "stopped"].includes(item.status)).length;
    const sum = counted.reduce((total, item) => total + item.result.count, 0);
    const foot = element("tr", {}, element("td", {}, `${counted.length} of ${items.length} counted`), element("td", { className: "figure" }, whole(sum)), element("td", {}), element("td", {}));
    at("list").tFoot.replaceChildren(foot);
    this.choice.disabled = !counted.length;
  }

  /** Show a row a photo; rows that stay the same are left alone, as there may be thousands. */
  showRows(items) {
    const body = at("list").tBodies[0];
    items.forEach((item, i) => {
      const state = [item.status, item.result?.count, item === this.photos.current].join();
      if (!item.row || item.rowState !== state) {
        const made = this.row(item);
        item.row?.replaceWith(made);
        Object.assign(item, { row: made, rowState: state });
      }
      if (body.rows[i] !== item.row) body.insertBefore(item.row, body.rows[i] ?? null);
    });
    while (body.rows.length > items.length) body.lastChild.remove();
  }

  row(item) {
    const interval = item.result && intervalOf(item.result);
    const words = { waiting: "waiting", counting: "…", failed: "failed", stopped: "stopped" };
    const name = element("button", { className: "name" }, item.name);
    const remove = element("button", { ariaLabel: `Remove ${item.name}`, className: "quiet" }, "×");
    const row = element(
      "tr", {},
      element("td", {}, name),
      element("td", { className: "figure" }, item.result ? whole(item.result.count) : words[item.status]),
      element("td", { className: "figure" }, interval ? `${whole(interval.low)}–${whole(interval.high)}` : ""),
      element("td", {}, remove),
    );
    if (item.error) row.title = item.error;
    if (item === this.photos.current) row.setAttribute("aria-current", "true");
    row.addEventListener("click", () => this.photos.select(item));
    remove.addEventListener("click", (event) => {
      event.stopPropagation();
      this.photos.remove(item);
    });
    return row;
  }

  async save(format) {
    if (format === "picture") return this.savePicture();
    const ended = this.photos.items.filter((item) => item.result || item.status === "failed");
    const rows = ended.map((item) => (item.result ? rowOf(item.result) : failedRow(item.name, item.error)));
    const { file, kind, write } = FORMATS[format];
    download(file, write(rows), kind);
  }

  /** Save the current photo with what is shown over it. */
  async savePicture() {
    const { viewer, bitmap } = this.app;
    const item = this.photos.current;
    if (!bitmap || !item?.result) return say("There is no counted photo to draw.");
    const factor = Math.min(1, Math.sqrt(MOST_PICTURE / (bitmap.width * bitmap.height)));
    const canvas = new OffscreenCanvas(Math.round(bitmap.width * factor), Math.round(bitmap.height * factor));
    const pen = canvas.getContext("2d");
    pen.scale(factor, factor);
    pen.drawImage(bitmap, 0, 0);
    const scale = canvas.width / 1600; // as if drawn on a screen 1600 pixels wide
    const frame = {
      canvas, scale: factor, x: bitmap.width / 2, y: bitmap.height / 2, reach: (length) => (length * Math.max(1, scale)) / factor,
    };
    for (const layer of viewer.layers) layer(pen, frame);
    const name = item.name.split("/").at(-1).replace(/\.[^.]*$/, "");
    download(`${name}_people.png`, await canvas.convertToBlob({ type: "image/png" }));
  }
}

function intervalSentence(result) {
  if (result.usable === false) return `${whole(result.count)} ${peopleWord(result.count)} counted`;
  const range = rangeOf(result);
  if (range) return `${range[0].toUpperCase()}${range.slice(1)}`;
  return result.warnings?.length ? "No range, because of the warning below" : "No range: this model is not calibrated";
}

function details(result) {
  const regions = result.regions ?? [];
  const parts = intervalOf(result) && result.usable !== false ? ["The range holds for 9 of 10 photos like those it was measured on."] : [];
  parts.push(`First pass ${whole(firstPassOf(result))}.`);
  if (regions.length) parts.push(`Second pass on ${regions.length} ${regions.length === 1 ? "region" : "regions"}.`);
  if (readScaleOf(result) !== 1) parts.push(`Read at ${Math.round(readScaleOf(result) * 100)} % of its side.`);
  parts.push(`${whole(headsOf(result).length)} heads located. ${sizeOf(result).join(" × ")} pixels, ${result.seconds.toFixed(1)} s.`);
  return parts.join(" ");
}

export function listed(sentences) {
  return sentences.map((sentence) => element("li", {}, sentence));
}
