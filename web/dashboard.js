// The dashboard: a card for each camera, renewed by the events of the service, and the alarms that stand.

import { Card, momentOf } from "./dashboard_card.js";
import { element } from "./elements.js";
import { askJson, askService } from "./engines.js";
import { connectTheme } from "./theme.js";
import { peopleText } from "./wording.js";

const AGAIN = 2000; // milliseconds until the service is asked again
const SILENCE = 30_000; // milliseconds without an event or a sign of life after which the service is away
const FEW = 2; // cameras that get the whole width

const at = (id) => document.getElementById(id);

class Dashboard {
  constructor() {
    this.cards = new Map();
    this.known = new Set(JSON.parse(sessionStorage.getItem("acknowledged") ?? "[]"));
    this.settings = { pictures: localStorage.getItem("pictures") !== "off", span: "hour", silent: false };
    connectTheme(at("theme"));
    at("pictures").checked = this.settings.pictures;
    at("pictures").addEventListener("change", () => {
      this.settings.pictures = at("pictures").checked;
      localStorage.setItem("pictures", this.settings.pictures ? "on" : "off");
      this.renew();
    });
    at("span").addEventListener("change", () => {
      this.settings.span = at("span").value;
      this.renew();
    });
    setInterval(() => this.tick(), 1000);
  }

  async start() {
    for (;;) {
      try {
        for (const row of await askJson("cameras")) this.take(row);
        this.say(this.cards.size ? "" : "This service watches no camera. Start it with: crowdscale serve --cameras cameras.toml");
        document.body.dataset.ready = "1";
        if (!this.cards.size) return;
        await this.listen();
      } catch (error) {
        if (error.status === 401) return this.say("Open the address with the token that the terminal printed.");
        this.say(`${error.message} The numbers are old. It is asked again.`, true);
      }
      document.body.dataset.ready = "1";
      await new Promise((done) => setTimeout(done, AGAIN));
    }
  }

  /** Take events until the service ends or falls silent. */
  async listen() {
    const stop = new AbortController();
    const silence = () => stop.abort();
    let timer = setTimeout(silence, SILENCE);
    try {
      const answer = await askService("cameras/events", { signal: stop.signal });
      if (!answer.ok) throw new Error((await answer.json()).error);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) throw new Error("The service ended.");
        clearTimeout(timer);
        timer = setTimeout(silence, SILENCE);
        const events = (text + value).split("\n\n");
        text = events.pop();
        for (const event of events) if (event.startsWith("data: ")) this.take(JSON.parse(event.slice(6)));
      }
    } catch (error) {
      throw error.name === "AbortError" || error instanceof TypeError ? new Error("The service does not answer. Is it still running?") : error;
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
  }

  take(row) {
    if (!this.cards.has(row.camera)) {
      this.cards.set(row.camera, new Card(row.camera, this.settings));
      at("cameras").append(this.cards.get(row.camera).box);
      at("cameras").toggleAttribute("data-few", this.cards.size <= FEW);
      at("limits").hidden = false;
    }
    this.cards.get(row.camera).take(row);
    this.showAlarms();
    this.summarise();
  }

  /** Show a sentence on the service itself; none where all is well. */
  say(sentence, silent = false) {
    this.settings.silent = silent;
    at("trouble").hidden = !sentence;
    if (at("trouble").textContent !== sentence) at("trouble").textContent = sentence;
    this.tick();
  }

  tick() {
    for (const card of this.cards.values()) if (card.row) card.tick();
  }

  renew() {
    for (const card of this.cards.values()) {
      card.counts = undefined;
      card.renew(true);
    }
  }

  summarise() {
    const rows = [...this.cards.values()].map((card) => card.row);
    const states = ["counting", "starting", "lost", "failed", "ended"].map((status) => [status, rows.filter((row) => row.status === status).length]);
    const alarms = rows.reduce((sum, row) => sum + row.raised.length, 0);
    const parts = states.filter(([, number]) => number).map(([status, number]) => `${number} ${status}`);
    if (alarms) parts.push(alarms === 1 ? "1 alarm" : `${alarms} alarms`);
    const text = parts.join(" · ");
    if (at("summary").textContent !== text) at("summary").textContent = text;
    document.title = `${alarms ? `(${alarms}) ` : ""}Cameras · crowdscale`;
  }

  showAlarms() {
    const standing = [...this.cards.values()].flatMap((card) => card.standing);
    const keys = standing.map((alarm) => `${alarm.camera}\n${alarm.zone}\n${alarm.clock}`);
    const state = JSON.stringify([standing.map((alarm) => [alarm, Math.round(alarm.people)]), [...this.known]]);
    at("alarms").hidden = !standing.length;
    at("alarms").toggleAttribute("data-calm", keys.every((key) => this.known.has(key)));
    if (state === this.shownAlarms) return;
    this.shownAlarms = state;
    const focused = document.activeElement?.dataset?.key;
    at("alarms").querySelector("ul").replaceChildren(...standing.map((alarm, index) => this.alarmItem(alarm, keys[index])));
    if (focused) [...at("alarms").querySelectorAll("button")].find((button) => button.dataset.key === focused)?.focus();
  }

  alarmItem(alarm, key) {
    const people = alarm.people === null ? "" : `: ${peopleText(alarm.people)}`;
    const text = element("span", { textContent: `${alarm.camera}, ${alarm.zone}${people}, raised ${alarm.clock ? `at ${momentOf(alarm.clock)}` : momentOf(null)}` });
    const item = element("li", {}, text);
    if (this.known.has(key)) {
      item.dataset.known = "1";
      item.append("acknowledged on this page");
      return item;
    }
    const button = element("button", { textContent: "Acknowledge" });
    button.setAttribute("aria-label", `Acknowledge ${alarm.zone} of ${alarm.camera}`);
    button.dataset.key = key;
    button.addEventListener("click", () => {
      this.known.add(key);
      sessionStorage.setItem("acknowledged", JSON.stringify([...this.known].slice(-200)));
      this.showAlarms();
    });
    item.append(button);
    return item;
  }
}

globalThis.dashboard = new Dashboard(); // for tests, and for the curious
globalThis.dashboard.start();
