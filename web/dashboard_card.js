// One camera: its people with their range, its state in words, picture, curve, zones, lines and alarms.

import { clockOf, curveOf } from "./dashboard_curve.js";
import { element } from "./elements.js";
import { askJson, askService } from "./engines.js";
import { peopleText, peopleWord } from "./wording.js";

const PICTURE_EVERY = 2000; // milliseconds between two pictures of a camera
const CURVE_EVERY = 10_000;
const BRIEF = 10; // seconds that a camera may be away without being called lost
const LONG = 60; // seconds after which a frame is old although the camera counts
const STEP = 160; // pixels: pictures are asked in few sizes
const EVENTS = 4;

export class Card {
  constructor(name, settings) {
    this.name = name;
    this.settings = settings;
    this.visible = false;
    const part = (tag, properties, ...children) => element(tag, properties, ...children);
    this.heading = part("h2", { textContent: name, id: `camera-${Card.number++}` });
    this.status = part("p", { className: "status" });
    this.number = part("p", { className: "number" });
    this.range = part("p", { className: "range" });
    this.warnings = part("ul", { className: "warnings" });
    this.picture = part("img", { hidden: true });
    this.caption = part("figcaption");
    this.curve = part("figure", { className: "curve" }, this.caption);
    this.tables = part("div");
    this.events = part("div");
    this.view = part("div", {}, this.picture);
    const facts = part("div", {}, this.heading, this.status, this.number, this.range, this.warnings, this.curve, this.tables, this.events);
    this.box = part("article", { className: "camera" }, this.view, facts);
    this.box.setAttribute("aria-labelledby", this.heading.id);
    new IntersectionObserver((entries) => this.appear(entries[0].isIntersecting)).observe(this.box);
    new ResizeObserver(() => this.drawCurve()).observe(this.curve);
  }

  static number = 1;

  appear(visible) {
    this.visible = visible;
    if (visible) this.renew();
  }

  /** Take the state of the camera that an event brought. */
  take(row) {
    this.row = row;
    this.seen = row.age === null ? null : performance.now() - 1000 * row.age;
    this.show();
    this.renew();
  }

  get age() {
    return this.seen === null || this.seen === undefined ? null : (performance.now() - this.seen) / 1000;
  }

  get standing() {
    const { raised, events } = this.row;
    return raised.map((zone) => {
      const event = events.findLast((each) => each.zone === zone && each.kind === "raised");
      const people = this.row.zones.find((each) => each.name === zone)?.count ?? null;
      return { camera: this.name, zone, people, clock: event?.clock ?? null };
    });
  }

  show() {
    const { row } = this;
    this.tick();
    this.box.toggleAttribute("data-alarm", row.raised.length > 0);
    this.showNumber(row);
    this.warnings.replaceChildren(...row.warnings.map((each) => element("li", { textContent: each })));
    this.tables.replaceChildren(...zoneTable(row), ...lineTable(row));
    this.events.replaceChildren(...eventList(row));
  }

  showNumber(row) {
    this.number.classList.toggle("refused", !row.usable);
    if (row.count === null) {
      this.number.textContent = "—";
    } else if (!row.usable) {
      this.number.textContent = "Do not use the number";
    } else {
      this.number.replaceChildren(Math.round(row.count).toLocaleString(), element("small", { textContent: ` ${peopleWord(row.count)}` }));
    }
  }

  /** Say how old all is: each second, whether or not anything came. */
  tick() {
    const { row, age } = this;
    const old = this.settings.silent || !["counting", "ended"].includes(row.status) || (row.live && age > LONG);
    this.box.dataset.status = row.status === "lost" && age !== null && age < BRIEF ? "brief" : row.status;
    this.box.toggleAttribute("data-old", Boolean(old && row.count !== null));
    const text = stateOf(row, age);
    if (this.status.textContent !== text) this.status.textContent = text;
    const range = row.usable && row.count_low !== null ? `likely ${row.count_low.toLocaleString()}–${row.count_high.toLocaleString()}` : "";
    const when = row.count !== null && old ? `the last count, ${durationOf(age)} ago` : "";
    this.range.textContent = [range, when].filter(Boolean).join(" · ");
  }

  /** Ask for a new picture and a new curve where they are due and somebody sees them. */
  renew(force = false) {
    if (!this.visible || !this.row || this.row.count === null) return;
    this.showPicture(force);
    this.askCurve(force);
  }

  async showPicture(force) {
    this.picture.hidden = !this.settings.pictures;
    this.box.classList.toggle("blind", !this.settings.pictures);
    const due = force || !this.drawn || performance.now() - this.drawn > PICTURE_EVERY;
    if (!this.settings.pictures || !due || this.asking || this.counts === this.row.counts) return;
    this.asking = true;
    const { counts, count } = this.row;
    const wanted = Math.ceil((this.view.clientWidth * devicePixelRatio) / STEP) * STEP;
    const side = Math.min(1280, Math.max(STEP, wanted));
    try {
      const answer = await askService(`cameras/${encodeURIComponent(this.name)}/picture?side=${side}`);
      if (!answer.ok) return;
      const before = this.picture.src;
      this.picture.src = URL.createObjectURL(await answer.blob());
      await this.picture.decode();
      this.picture.alt = `Last frame of ${this.name}, ${Math.round(count)} heads marked`;
      if (before) URL.revokeObjectURL(before);
      this.counts = counts;
    } catch {
      return; // the next event asks again
    } finally {
      this.drawn = performance.now();
      this.asking = false;
    }
  }

  async askCurve(force) {
    if (this.plotting || (!force && this.plotted && performance.now() - this.plotted < CURVE_EVERY)) return;
    this.plotting = true;
    try {
      this.curveData = await askJson(`cameras/${encodeURIComponent(this.name)}/curve?span=${this.settings.span}`);
      this.drawCurve();
    } catch {
      return; // as above
    } finally {
      this.plotted = performance.now();
      this.plotting = false;
    }
  }

  drawCurve() {
    if (!this.curveData || !this.curve.clientWidth) return;
    const now = this.row.live ? Date.now() / 1000 : undefined;
    const { svg, sentence } = curveOf(this.curveData, this.curve.clientWidth, now);
    this.caption.textContent = sentence;
    this.curve.replaceChildren(svg, this.caption);
  }
}

/** Return the state of a camera in words. */
function stateOf(row, age) {
  const since = age === null ? "" : durationOf(age);
  const reason = row.problems.at(-1) ?? row.notes.at(-1) ?? "";
  switch (row.status) {
    case "starting":
      return "Starting: no frame yet.";
    case "lost":
      if (age === null) return `Lost: it does not answer and is tried again. ${reason}`.trim();
      return age < BRIEF ? `Reconnecting. Last count ${since} ago.` : `Lost: no frame for ${since}. It is tried again. The number is old.`;
    case "failed":
      return `Failed: ${reason}`;
    case "ended":
      return row.live === false ? "Ended: the film is counted to its end." : "Ended.";
    default:
      return row.live && age > LONG ? `No new count for ${since}. The number is old.` : `Counting. Last count ${since} ago.`;
  }
}

export function durationOf(seconds) {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

export function momentOf(clock) {
  return clock ? clockOf(Date.parse(clock) / 1000) : "before this start";
}

function tableOf(title, heads, rows) {
  const names = heads.map((text, index) => element("th", { scope: "col", textContent: text, className: index ? "figure" : "" }));
  const body = rows.map((cells) =>
    element("tr", {}, ...cells.map(([text, className], index) => element("td", { textContent: text, className: [index ? "figure" : "", className].filter(Boolean).join(" ") }))));
  return element("table", {}, element("caption", { className: "hidden", textContent: title }), element("thead", {}, element("tr", {}, ...names)), element("tbody", {}, ...body));
}

function zoneTable(row) {
  if (!row.zones.length) return [];
  const measured = row.zones.some((zone) => zone.per_square_metre !== null);
  const isFull = (zone) => row.raised.includes(zone.name) || (zone.capacity !== null && zone.count > zone.capacity);
  const marked = row.zones.some(isFull);
  const rows = row.zones.map((zone) => {
    const full = isFull(zone);
    const people = Math.round(zone.count).toLocaleString() + (zone.capacity === null ? "" : ` of ${zone.capacity.toLocaleString()}`);
    const state = row.raised.includes(zone.name) ? "alarm" : full ? "over capacity" : "";
    const density = zone.per_square_metre === null ? "" : `${zone.per_square_metre.toFixed(2)} ${zone.level ?? ""}`.trim();
    return [[zone.name], [people, full ? "full" : ""], ...(measured ? [[density]] : []), ...(marked ? [[state, full ? "full" : ""]] : [])];
  });
  return [tableOf(`Zones of ${row.camera}`, ["Zone", "People", ...(measured ? ["per m², level"] : []), ...(marked ? [""] : [])], rows)];
}

function lineTable(row) {
  if (!row.lines.length) return [];
  const rate = (value) => (value === null ? "" : ` (${value.toFixed(0)}/min)`);
  const rows = row.lines.map((line) => [
    [line.name], [line.forward.toLocaleString() + rate(line.forward_per_minute)], [line.backward.toLocaleString() + rate(line.backward_per_minute)],
  ]);
  return [tableOf(`Lines of ${row.camera}`, ["Line", "Forward", "Backward"], rows)];
}

function eventList(row) {
  if (!row.events.length) return [];
  const items = row.events.slice(-EVENTS).reverse().map((event) => {
    const people = event.count === null ? "" : `, ${peopleText(event.count)}`;
    return element("li", {}, element("span", { textContent: `${event.zone} ${event.kind}${people}` }), element("time", { textContent: momentOf(event.clock), dateTime: event.clock ?? "" }));
  });
  return [element("h3", { textContent: "Last alarms" }), element("ul", { className: "events" }, ...items)];
}
