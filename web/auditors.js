// Who computes an audit: the service on this machine, or this browser. Both keep the same record.

import { askJson, askService } from "./engines.js";
import { auditState, startAudit } from "./engine/audit.js";
import { sha256 } from "./engine/sha256.js";
import { fileOf } from "./photos.js";

export class ServiceAuditor {
  /** Return the state of a new audit: record, estimate, sentences, next tile. */
  async start(items) {
    return askJson("audit/start", { method: "POST", body: await withPhotos(new FormData(), items) });
  }

  /** Return the state of a record. */
  check(record) {
    const headers = { "content-type": "application/json" };
    return askJson("audit/state", { method: "POST", body: JSON.stringify(record), headers });
  }

  /** Return the name and content of the report. */
  async report(record, items) {
    const form = new FormData();
    form.append("record", JSON.stringify(record));
    const answer = await askService("audit/report", { method: "POST", body: await withPhotos(form, items) });
    if (!answer.ok) throw new Error((await answer.json()).error);
    return ["report.html", await answer.blob()];
  }
}

async function withPhotos(form, items) {
  for (const item of items) form.append("photos", await fileOf(item), item.name);
  return form;
}

export class BrowserAuditor {
  constructor(site) {
    this.site = site;
  }

  async start(items) {
    if (items.some((item) => !item.result)) throw new Error("Wait until all photos are counted, then start the audit.");
    const photos = [];
    for (const item of items) {
      const [{ name, result }, file] = [item, await fileOf(item)];
      photos.push({ name, sha256: sha256(new Uint8Array(await file.arrayBuffer())), result });
    }
    return startAudit(photos, await this.model());
  }

  async model() {
    const { name } = this.site.models[0];
    const description = await (await fetch(`graphs/${name}/model.json`)).json();
    return { name, sha256: description.files["network.onnx"], version: this.site.version };
  }

  async check(record) {
    return auditState(record);
  }

  /** Return the name and content of the report, made in this browser. */
  async report(record, items) {
    const [{ reportHtml }, { openPhoto }] = await Promise.all([import("./engine/report.js"), import("./report_pictures.js")]);
    const design = await (await fetch("report.json")).json();
    const open = (index) => openPhoto(items.find(({ name }) => name === record.plan.photos[index].name));
    return ["report.html", new Blob([await reportHtml(record, design, open)], { type: "text/html" })];
  }
}
