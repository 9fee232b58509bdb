// Teach: corrected photos become a better model. The service trains in a process of its own; nothing is replaced unasked.

import { at, say } from "./app.js";
import { element } from "./elements.js";
import { askJson } from "./engines.js";

const FEWEST = 50; // corrected photos below which a comparison gives no verdict: one in five is held out, ten are needed
const EVERY = 1500; // milliseconds between two looks at a training
const BUSY = ["training", "measuring"];

export class TeachTab {
  constructor(app, panel) {
    this.app = app;
    this.panel = panel;
  }

  async enter() {
    if (this.app.site?.mode !== "service") {
      this.state = this.byHand("");
      return this.show();
    }
    if (this.state) this.show();
    await this.look();
  }

  leave() {
    clearTimeout(this.timer);
  }

  /** Ask the service for the state, now and again while it trains. */
  async look() {
    clearTimeout(this.timer);
    try {
      this.take(await askJson("teach"));
    } catch (error) {
      say(error.message, 12);
      this.wait();
    }
  }

  take(state) {
    this.state = state.commands.length ? state : { ...this.byHand(state.reason), corrected: state.corrected };
    if (this.app.active !== "teach") return;
    this.show();
    if (BUSY.includes(state.phase)) this.wait();
  }

  wait() {
    clearTimeout(this.timer);
    if (this.app.active === "teach") this.timer = setTimeout(() => this.look(), EVERY);
  }

  /** The state where no service trains: the commands alone. */
  byHand(reason) {
    const { site } = this.app;
    const data = quoted(site?.corrections ?? "corrections");
    const model = site?.models?.[0]?.name ?? "lite";
    return {
      available: false, reason, phase: "idle", corrected: null,
      commands: [
        `crowdscale data split ${data} --share 0.2 --out lists`,
        `crowdscale train --data folder:${data} --init ${model} --only lists/train.txt --hold-out lists/validation.txt --out taught`,
        `crowdscale evaluate ${model} taught/best --cross --data ${data} --only lists/validation.txt`,
      ],
    };
  }

  async ask(action) {
    for (const button of this.panel.querySelectorAll("button")) button.disabled = true;
    try {
      this.take(await askJson(`teach/${action}`, { method: "POST" }));
      return true;
    } catch (error) {
      say(error.message, 12);
      await this.look();
      return false;
    }
  }

  show() {
    const focused = document.activeElement?.id;
    this.panel.replaceChildren(element("h2", {}, "Teach"), ...this.parts(), this.details(this.opened ?? !this.state.available));
    if (focused && this.panel.contains(at(focused))) at(focused).focus();
  }

  parts() {
    const { phase, accepted, available, reason } = this.state;
    if (BUSY.includes(phase)) return this.running();
    if (phase === "stopped") return this.halted("Training is stopped. What was learned so far is kept.", "Resume");
    if (phase === "failed") return this.halted(this.state.problem, "Try again", "bad");
    if (phase === "done") return this.finished();
    const parts = [element("p", {}, "Corrected photos and audited tiles are training data. A part of them is held out, and both models are compared there before you choose.")];
    if (accepted) parts.push(element("p", { className: "card", id: "teach-accepted" }, `The service counts with ${nameOf(accepted)}. To start it so again: `, element("code", {}, `crowdscale serve --model ${quoted(accepted)}`), this.cameras()));
    parts.push(element("p", { className: "note", id: "teach-photos" }, this.photos()));
    if (reason) parts.push(element("p", { className: "card", id: "teach-reason" }, reason));
    if (available) {
      const start = this.button("Train", () => this.ask("start"), { className: "main", id: "teach-start", disabled: this.state.corrected < 2 });
      parts.push(element("div", { className: "row" }, start));
      parts.push(element("p", { className: "note" }, "It takes minutes on two quiet cores. You can count meanwhile, stop it, and resume it later."));
    }
    return parts;
  }

  /** The cameras of a service take no new model while it runs: their files of rows name the one that they began with. */
  cameras() {
    const { cameras_keep: kept } = this.state;
    return kept ? ` Cameras count with ${kept} until the service starts again.` : "";
  }

  photos() {
    const { corrected } = this.state;
    if (!this.app.site?.corrections) return "Corrections need a folder: crowdscale serve --corrections DIR. Correct and Audit then offer “Save for training”.";
    const few = corrected < FEWEST ? ` Fewer than ${FEWEST} teach little, and too few are held out for a verdict.` : "";
    return `${corrected ?? 0} corrected ${corrected === 1 ? "photo is" : "photos are"} in ${this.app.site.corrections}.${few}`;
  }

  running() {
    const { phase, progress, photos, name } = this.state;
    const [trained, held] = photos;
    const share = phase === "measuring" ? null : progress && progress.step / progress.steps;
    const bar = element("progress", { max: 1, ariaLabel: "Progress of the training", ...(share === null || share === undefined ? {} : { value: share }) });
    return [
      element("p", {}, `${name} learns from ${trained} ${trained === 1 ? "photo" : "photos"}. ${held} held out.`), bar,
      element("p", { id: "teach-progress", className: "note" }, progressText(phase, progress)),
      element("div", { className: "row" }, this.button("Stop", () => this.ask("cancel"), { id: "teach-stop" })),
      element("p", { className: "note" }, "You may leave this page. The training runs as long as the service does."),
    ];
  }

  halted(sentence, label, kind = "") {
    return [
      element("p", { id: "teach-halted", className: kind }, sentence),
      element("div", { className: "row" },
        this.button(label, () => this.ask("start"), { className: "main", id: "teach-start" }),
        this.button("Discard", () => this.discard("Discard this training?"), { id: "teach-discard" })),
    ];
  }

  finished() {
    const { comparison, name } = this.state;
    const row = (label, value) => element("tr", {}, element("th", { scope: "row" }, label), element("td", { className: "figure" }, value));
    const table = element("table", { id: "teach-comparison" },
      element("caption", { className: "hidden" }, "Both models on the photos held out"),
      element("tbody", {},
        row("Held-out photos", String(comparison.photos)), row("People in them", comparison.heads.toLocaleString("en")),
        row(`Mean error of ${nameOf(this.state.model)}`, comparison.old_error.toFixed(1)), row(`Mean error of ${name}`, comparison.new_error.toFixed(1)),
        ...(comparison.low === null ? [] : [row("95 % interval of the difference", `${signed(comparison.low)} to ${signed(comparison.high)}`)])));
    const better = comparison.verdict === "better";
    return [
      element("p", { id: "teach-verdict", className: better ? "" : "card" }, comparison.sentence), table,
      element("div", { className: "row" },
        this.button("Use the new model", () => this.accept(), { className: better ? "main" : "", id: "teach-accept" }),
        this.button("Keep the old model", () => this.discard(`Discard ${name}?`), { className: better ? "" : "main", id: "teach-discard" })),
      element("p", { className: "note" }, "The new model is put beside the old one, which stays as it is."),
    ];
  }

  async accept() {
    const { name, model } = this.state;
    if (!confirm(`Count with ${name} from now on? ${nameOf(model)} is kept.`)) return;
    if (!(await this.ask("accept"))) return;
    this.app.site.models = await askJson("models");
    at("engine").textContent = `Counted on this machine by ${this.app.site.models[0].name}`;
    say(`Photos are counted by ${name} from now on. Counts that are shown stay those of the old model.${this.cameras()}`, 10);
  }

  async discard(question) {
    if (confirm(question)) await this.ask("discard");
  }

  /** The commands that are run, or that can be typed. */
  details(open) {
    const parts = this.state.commands.flatMap((text) => {
      const button = element("button", {}, "Copy");
      button.addEventListener("click", () =>
        navigator.clipboard.writeText(text).then(() => say("Copied."), () => say("Select the command and copy it by hand.")),
      );
      return [element("pre", {}, text), button];
    });
    const summary = element("summary", {}, "The commands");
    summary.addEventListener("click", () => (this.opened = !made.open));
    const made = element("details", { open }, summary, ...parts);
    return made;
  }

  button(label, action, properties = {}) {
    const made = element("button", properties, label);
    made.addEventListener("click", action);
    return made;
  }
}

function progressText(phase, progress) {
  if (phase === "measuring") return "Both models count the photos held out …";
  if (!progress) return "The training starts …";
  const left = progress.seconds_left;
  if (progress.step === progress.steps) return "The new model is written and checked …";
  const time = left < 90 ? "less than two minutes left" : left < 5400 ? `about ${Math.round(left / 60)} minutes left` : `about ${(left / 3600).toFixed(1)} hours left`;
  return `Step ${progress.step} of ${progress.steps} · ${progress.crops_per_second.toFixed(1)} crops a second · ${time}`;
}

const nameOf = (path) => path.split(/[\\/]/).at(-1);
const signed = (value) => (value > 0 ? `+${value.toFixed(1)}` : value.toFixed(1).replace("-", "−"));

/** Return a path as a shell reads it. */
const quoted = (path) => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
