// Width and height of a photo from its first bytes: a huge one is refused before it is decoded.

const FIRST = 512 * 1024; // bytes: a camera's preview and notes stand before the size

/** Return [width, height] of a JPEG, PNG, WebP, GIF or BMP; null of others. */
export async function photoSize(blob) {
  const bytes = new Uint8Array(await blob.slice(0, FIRST).arrayBuffer());
  const view = new DataView(bytes.buffer);
  const text = (at, length) => String.fromCharCode(...bytes.subarray(at, at + length));
  if (bytes.length < 30) return null;
  if (text(1, 3) === "PNG") return [view.getUint32(16), view.getUint32(20)];
  if (text(0, 3) === "GIF") return [view.getUint16(6, true), view.getUint16(8, true)];
  if (text(0, 2) === "BM") return [Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true))];
  if (text(0, 4) === "RIFF" && text(8, 4) === "WEBP") return webpSize(view, text(12, 4));
  return bytes[0] === 0xff && bytes[1] === 0xd8 ? jpegSize(view) : null;
}

function webpSize(view, kind) {
  if (kind === "VP8X") return [1 + (view.getUint32(24, true) & 0xffffff), 1 + (view.getUint32(26, true) >>> 8)];
  if (kind === "VP8 ") return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  if (kind !== "VP8L") return null;
  const bits = view.getUint32(21, true);
  return [1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff)];
}

function jpegSize(view) {
  for (let at = 2; at + 9 < view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return null;
    const mark = view.getUint8(at + 1);
    if (mark === 0xff) at += 1;
    else if (mark >= 0xc0 && mark <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(mark)) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    else at += 2 + view.getUint16(at + 2);
  }
  return null;
}

/** Refuse a photo by the size in its header: `most` is in pixels, `who` cannot take more, and `remedy` helps. */
export async function refuseHuge(blob, most, who, remedy) {
  if (!blob.size) throw new Error("The file is empty.");
  const size = await photoSize(blob);
  if (!size || size[0] * size[1] <= most) return;
  const megapixels = (pixels) => Math.round(pixels / 1e6);
  throw new Error(`The photo has ${megapixels(size[0] * size[1])} megapixels, and ${who} takes up to ${megapixels(most)}. ${remedy}`);
}
