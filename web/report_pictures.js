// Pictures of a report, drawn in this browser: a photo as a whole, and its tiles with a darkened margin.

import { fileOf } from "./photos.js";

const QUALITY = 0.82;
const DARK = "#00000099"; // leaves 0.4 of the margin
const BORDER = "#ffd600";

async function jpeg(canvas) {
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY })).arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return `data:image/jpeg;base64,${btoa(text)}`;
}

/** Open a photo to draw from it, as the report asks. */
export async function openPhoto(item) {
  if (!item) throw new Error("A photo of this audit is not on the page. Add it under Count.");
  const bitmap = await createImageBitmap(await fileOf(item)).catch(() => {
    throw new Error(`This browser cannot read ${item.name} again. Add it under Count.`);
  });
  return {
    overview: (width, height) => jpeg(drawn(bitmap, [0, 0, bitmap.width, bitmap.height], width, height)),
    tile: (view, width, height) => jpeg(tile(bitmap, view, width, height)),
    close: () => bitmap.close(),
  };
}

function drawn(bitmap, [left, top, right, bottom], width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d", { alpha: false });
  pen.imageSmoothingQuality = "high";
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height);
  pen.drawImage(bitmap, left, top, right - left, bottom - top, 0, 0, width, height);
  return canvas;
}

function tile(bitmap, { box, shown, size, factors }, width, height) {
  const canvas = drawn(bitmap, shown, width, height);
  const pen = canvas.getContext("2d");
  const reduced = [width / size[0], height / size[1]];
  const [left, top, right, bottom] = box.map((edge, i) => Math.round((edge - shown[i % 2]) * factors[i % 2]) * reduced[i % 2]);
  const line = 3 * reduced[0]; // as wide as that of OpenCV, thickness 2
  pen.beginPath();
  pen.rect(0, 0, width, height);
  pen.rect(left, top, right - left, bottom - top);
  pen.fillStyle = DARK;
  pen.fill("evenodd");
  pen.strokeStyle = BORDER;
  pen.lineWidth = line;
  pen.strokeRect(left - line / 2, top - line / 2, right - left + line, bottom - top + line);
  return canvas;
}
