// Teach: the exact commands by which corrected photos become a better model, and the comparison that decides.

import { say } from "./app.js";
import { element } from "./count_tab.js";

const FEWEST = 20; // corrected photos below which training is likely to do harm

export class TeachTab {
  constructor(app, panel) {
    this.app = app;
    this.panel = panel;
  }

  enter() {
    const { site } = this.app;
    const folder = site?.corrections ?? "corrections";
    const model = site?.models?.[0]?.name ?? "lite";
    const data = quoted(folder);
    const split = `crowdscale data split ${data} --share 0.2 --out lists`;
    const train = `crowdscale train --data ${data} --init ${model} --hold-out lists/validation.txt --out taught`;
    const compare = `crowdscale evaluate ${model} taught/best --cross --data ${data} --only lists/validation.txt`;
    const corrected = this.app.photos.items.filter((item) => item.sent).length;
    this.panel.replaceChildren(
      element("h2", {}, "Teach"),
      element("p", {}, "Corrected photos are training data. Train on this machine, then compare both models on the photos held out, before you use the new one."),
      element("h3", {}, "1. Save corrections"), element("p", { className: "note" }, saving(site, corrected)),
      element("h3", {}, "2. Hold photos out"), ...this.command(split),
      element("h3", {}, "3. Train"), ...this.command(train),
      element("h3", {}, "4. Compare old and new"), ...this.command(compare),
      element("p", { className: "note" }, `Training needs the extra [learn] and takes hours on a laptop. Fewer than ${FEWEST} photos teach little. Keep the old model unless the new one is better on held-out photos.`),
    );
  }

  command(text) {
    const button = element("button", {}, "Copy");
    button.addEventListener("click", () =>
      navigator.clipboard.writeText(text).then(() => say("Copied."), () => say("Select the command and copy it by hand.")),
    );
    return [element("pre", {}, text), button];
  }
}

function saving(site, corrected) {
  if (!site?.corrections) return "Start the service with crowdscale serve --corrections DIR. Correct then offers “Save for training”.";
  return `${corrected} ${corrected === 1 ? "photo was" : "photos were"} saved to ${site.corrections} on this page since it was opened.`;
}

/** Return a path as a shell reads it. */
const quoted = (path) => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
