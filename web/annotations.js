// Annotations in the formats of other tools, equal in content to those that crowdscale.data.formats writes.
//
// A label is {name, size: [width, height], heads: [[x, y], …], sizes: [[width, height], …] or null}.

import { densityNpy, densityTif, matFile } from "./annotation_bytes.js";

/** Writers by format: `all(labels)` fills one file named `file`, `one(label)` a file a photo, beside it or at `target`. */
export const WRITERS = {
  csv: { suffix: ".csv", one: csv },
  table: { file: "points.csv", all: table },
  json: { suffix: ".json", one: json },
  coco: { file: "coco.json", all: coco },
  yolo: { suffix: ".txt", one: yolo },
  voc: { suffix: ".xml", one: voc },
  labelstudio: { file: "labelstudio.json", all: (labels) => asJson(labels.map(labelStudioTask)) },
  cvat: { file: "cvat.xml", all: cvat },
  labelme: { suffix: ".json", one: labelme },
  via: { file: "via.json", all: via },
  mat: { target: truthName, one: ({ heads }) => matFile(heads) },
  "density-npy": { suffix: ".npy", one: densityNpy },
  "density-tif": { target: (name) => `${withoutSuffix(name)}_density.tif`, one: densityTif },
};

/** Return the path of a photo's own annotation. */
export const targetOf = ({ target, suffix }, name) => (target ? target(name) : withoutSuffix(name) + suffix);

const baseName = (name) => name.split("/").at(-1);
const withoutSuffix = (name) => name.replace(/(?<=[^/])\.[^./]*$/, "");

function truthName(name) {
  const folders = name.split("/").slice(0, -1);
  if (folders.at(-1) === "images") folders[folders.length - 1] = "ground_truth";
  return [...folders, `GT_${withoutSuffix(baseName(name))}.mat`].join("/");
}

const asJson = (value, indent) => `${JSON.stringify(value, null, indent)}\n`;
const digits = (value) => String(Number(value.toPrecision(10))); // as %.10g

/** Return the boxes [left, top, width, height] of a label: x + (width - 1) / 2 is the centre. */
const boxesOf = ({ heads, sizes }) =>
  heads.map(([x, y], i) => [x - (sizes[i][0] - 1) / 2, y - (sizes[i][1] - 1) / 2, ...sizes[i]]);

const rowsOf = ({ heads, sizes }) => heads.map((head, i) => [...head, ...(sizes?.[i] ?? [])].map(digits));

function csv(label) {
  const head = label.sizes ? "x,y,width,height" : "x,y";
  return `${[head, ...rowsOf(label).map((row) => row.join())].join("\n")}\n`;
}

const cell = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function table(labels) {
  const boxed = labels.length > 0 && labels.every(({ heads, sizes }) => sizes || !heads.length);
  const lines = labels.flatMap((label) => {
    const own = rowsOf(label).map((row) => [cell(label.name), ...(boxed ? row : row.slice(0, 2))].join());
    return own.length ? own : [`${cell(label.name)},,`];
  });
  const head = boxed && labels.some(({ sizes }) => sizes) ? "image,x,y,width,height" : "image,x,y";
  return `${[head, ...lines].join("\n")}\n`;
}

function json({ name, heads, sizes }) {
  return asJson({ image: baseName(name), points: heads, ...(sizes ? { sizes } : {}) });
}

function coco(labels) {
  const annotations = [];
  labels.forEach((label, image) => {
    const boxes = label.sizes && boxesOf(label);
    label.heads.forEach(([x, y], i) => {
      annotations.push({
        id: annotations.length + 1, image_id: image + 1, category_id: 1, iscrowd: 0, keypoints: [x, y, 2], num_keypoints: 1,
        ...(boxes ? { bbox: boxes[i], area: boxes[i][2] * boxes[i][3] } : {}),
      });
    });
  });
  const images = labels.map(({ name, size }, i) => ({ id: i + 1, file_name: name, width: size[0], height: size[1] }));
  return asJson({ images, annotations, categories: [{ id: 1, name: "person", keypoints: ["head"], skeleton: [] }] });
}

function yolo(label) {
  const [width, height] = label.size;
  return boxesOf(label)
    .map(([left, top, wide, high]) => {
      const shares = [(left + wide / 2) / width, (top + high / 2) / height, wide / width, high / height];
      if (shares.some((share) => share < 0 || share > 1)) {
        throw new Error(`YOLO cannot hold the heads of ${label.name}: some lie outside the photo.`);
      }
      return `0 ${shares.map((share) => share.toFixed(8)).join(" ")}\n`;
    })
    .join("");
}

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const quoted = (text) =>
  `"${escaped(text).replaceAll('"', "&quot;").replaceAll("\r", "&#13;").replaceAll("\n", "&#10;").replaceAll("\t", "&#09;")}"`;

/** Return an XML element: attributes, then a text or elements. */
function xml(name, attributes, content, depth = 0) {
  const open = `<${name}${Object.entries(attributes).map(([key, value]) => ` ${key}=${quoted(String(value))}`).join("")}`;
  if (typeof content === "string") return `${open}>${escaped(content)}</${name}>`;
  if (!content?.length) return `${open} />`;
  const space = `\n${"  ".repeat(depth)}`;
  const inner = content.map(([child, own, below]) => `${space}  ${xml(child, own, below, depth + 1)}`);
  return `${open}>${inner.join("")}${space}</${name}>`;
}

function voc(label) {
  const corners = ["xmin", "ymin", "xmax", "ymax"];
  const objects = boxesOf(label).map(([left, top, width, height]) => {
    const sides = [left, top, left + width, top + height].map((value, i) => [corners[i], {}, digits(value)]);
    return ["object", {}, [["name", {}, "head"], ["bndbox", {}, sides]]];
  });
  const size = [...label.size, 3].map((value, i) => [["width", "height", "depth"][i], {}, String(value)]);
  return `${xml("annotation", {}, [["filename", {}, baseName(label.name)], ["size", {}, size], ...objects])}\n`;
}

function cvat(labels) {
  const images = labels.map((label, id) => {
    const shapes = label.sizes
      ? boxesOf(label).map(([left, top, width, height]) => {
          const [xtl, ytl, xbr, ybr] = [left, top, left + width, top + height].map(digits);
          return ["box", { label: "head", xtl, ytl, xbr, ybr }];
        })
      : label.heads.map((head) => ["points", { label: "head", points: head.map(digits).join() }]);
    return ["image", { id, name: label.name, width: label.size[0], height: label.size[1] }, shapes];
  });
  return `${xml("annotations", {}, [["version", {}, "1.1"], ...images])}\n`;
}

function labelStudioTask(label) {
  const [width, height] = label.size;
  const kind = label.sizes ? "rectanglelabels" : "keypointlabels";
  const places = label.sizes ? boxesOf(label) : label.heads.map(([x, y]) => [x + 0.5, y + 0.5]);
  const result = places.map(([x, y, wide, high]) => ({
    type: kind, from_name: "label", to_name: "image", original_width: width, original_height: height,
    value: {
      x: x * (100 / width), y: y * (100 / height),
      ...(label.sizes ? { width: wide * (100 / width), height: high * (100 / height) } : { width: 0.5 }), [kind]: ["head"],
    },
  }));
  return { data: { image: label.name }, annotations: [{ was_cancelled: false, result }] };
}

function labelme(label) {
  const common = { label: "head", group_id: null, description: "", flags: {} };
  const shapes = label.sizes
    ? boxesOf(label).map(([left, top, width, height]) => ({
        ...common, points: [[left, top], [left + width, top + height]], shape_type: "rectangle",
      }))
    : label.heads.map((head) => ({ ...common, points: [head], shape_type: "point" }));
  return asJson({
    version: "5.2.1", flags: {}, shapes, imagePath: baseName(label.name), imageData: null,
    imageHeight: label.size[1], imageWidth: label.size[0],
  }, 1);
}

function via(labels) {
  const photos = labels.map((label) => {
    const shapes = label.sizes
      ? boxesOf(label).map(([x, y, width, height]) => ({ name: "rect", x, y, width, height }))
      : label.heads.map(([cx, cy]) => ({ name: "point", cx, cy }));
    const regions = shapes.map((shape) => ({ shape_attributes: shape, region_attributes: { class: "head" } }));
    return [`${label.name}-1`, { filename: label.name, size: -1, regions, file_attributes: {} }];
  });
  return asJson(Object.fromEntries(photos));
}
