// Corrected photos for training: they go into the folder that the service was started with.

import { askJson } from "./engines.js";
import { fileOf } from "./photos.js";

/** Hand a photo with its heads and areas to the service; return its answer. */
export async function sendCorrection(item, correction) {
  const form = new FormData();
  form.append("photo", await fileOf(item), item.name.split("/").at(-1));
  form.append("correction", JSON.stringify(correction));
  const answer = await askJson("corrections", { method: "POST", body: form });
  item.sent = true;
  return answer;
}
