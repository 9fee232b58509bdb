// A ZIP of several files, for saves of one file a photo.

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = CRC[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

async function deflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Return bytes of little-endian numbers, given as [bytes of the number, number] pairs. */
function fields(pairs) {
  const view = new DataView(new ArrayBuffer(pairs.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of pairs) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

const UTF8 = 0x800;
const DEFLATE = 8;
const MIDNIGHT_1980 = 0x21; // a fixed date: the same heads give the same file

/** Return a ZIP as a Blob. `files` gives [name, bytes] pairs one after the other: each may be made when it is its turn. */
export async function zipOf(files) {
  const [parts, entries] = [[], []];
  let offset = 0;
  for await (const [name, content] of files) {
    const [label, bytes] = [new TextEncoder().encode(name), typeof content === "string" ? new TextEncoder().encode(content) : content];
    const packed = await deflated(bytes);
    const common = [[2, 20], [2, UTF8], [2, DEFLATE], [2, 0], [2, MIDNIGHT_1980], [4, crc32(bytes)], [4, packed.length], [4, bytes.length], [2, label.length]];
    const head = fields([[4, 0x04034b50], ...common, [2, 0]]);
    entries.push(fields([[4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), label);
    parts.push(head, label, new Blob([packed])); // a Blob may lie on the disk
    offset += head.length + label.length + packed.length;
  }
  const size = entries.reduce((sum, part) => sum + part.length, 0);
  const count = entries.length / 2;
  const end = fields([[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]]);
  return new Blob([...parts, ...entries, end], { type: "application/zip" });
}
