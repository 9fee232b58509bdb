// People in the cells of a grid, in pixels of the photo. A cell's people are spread evenly over it.

export const BLOCK = 16;

/** Return the grid of a network's blocks over a view; the last blocks end with the view. */
export function blocksOver(values, stride, width, height) {
  const rows = Math.ceil(height / BLOCK);
  const columns = Math.ceil(width / BLOCK);
  const people = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      people[row * columns + column] = Math.max(values[row * stride + column], 0);
    }
  }
  return { people, x: edges(columns, BLOCK, width), y: edges(rows, BLOCK, height) };
}

/** Return the borders of cells of `side` pixels, the last cut at `length`. */
export function edges(cells, side, length) {
  return Float64Array.from({ length: cells + 1 }, (_, i) => Math.min(i * side, length));
}

export function countOf(blocks) {
  return blocks.people.reduce((sum, value) => sum + value, 0);
}

/** Return the people in each cell of another grid. */
export function resample(blocks, x, y) {
  const wide = blocks.x.length - 1;
  const columns = overlaps(x, blocks.x);
  const rows = overlaps(y, blocks.y);
  const high = blocks.y.length - 1;
  const between = new Float64Array(high * columns.length);
  columns.forEach((taps, to) => {
    for (let row = 0; row < high; row++) {
      let sum = 0;
      for (const [from, share] of taps) sum += blocks.people[row * wide + from] * share;
      between[row * columns.length + to] = sum;
    }
  });
  const people = new Float64Array(rows.length * columns.length);
  rows.forEach((taps, to) => {
    for (const [from, share] of taps) {
      for (let column = 0; column < columns.length; column++) {
        people[to * columns.length + column] += between[from * columns.length + column] * share;
      }
    }
  });
  return people;
}

/** Return for each of our intervals which of theirs it overlaps, and by what share of theirs. */
function overlaps(ours, theirs) {
  const found = [];
  let first = 0;
  for (let i = 0; i + 1 < ours.length; i++) {
    while (first < theirs.length - 2 && theirs[first + 1] <= ours[i]) first++;
    const taps = [];
    for (let j = first; j + 1 < theirs.length && theirs[j] < ours[i + 1]; j++) {
      const shared = Math.min(ours[i + 1], theirs[j + 1]) - Math.max(ours[i], theirs[j]);
      if (shared > 0) taps.push([j, shared / (theirs[j + 1] - theirs[j])]);
    }
    found.push(taps);
  }
  return found;
}

export function countIn(blocks, box) {
  const [people] = resample(blocks, Float64Array.of(box.left, box.right), Float64Array.of(box.top, box.bottom));
  return people;
}

/** Return the grid of an enlarged (width, height) view of `context` in the photo's pixels. */
export function placeBlocks(blocks, context, width, height) {
  const factorX = (context.right - context.left) / width;
  const factorY = (context.bottom - context.top) / height;
  return {
    people: blocks.people,
    x: blocks.x.map((value) => value * factorX + context.left),
    y: blocks.y.map((value) => value * factorY + context.top),
  };
}

/** Return the grid with the people in `box` taken from `second`; mass is kept exactly. */
export function replaceBlocks(blocks, box, second) {
  const x = blocks.x.map((value) => Math.min(Math.max(value, box.left), box.right));
  const y = blocks.y.map((value) => Math.min(Math.max(value, box.top), box.bottom));
  const inside = resample(second, x, y);
  const share = (clipped, whole, i) => (clipped[i + 1] - clipped[i]) / (whole[i + 1] - whole[i]);
  const columns = blocks.x.length - 1;
  const people = blocks.people.map((value, at) => {
    const row = Math.floor(at / columns);
    const covered = share(y, blocks.y, row) * share(x, blocks.x, at % columns);
    return value * (1 - covered) + inside[at];
  });
  return { people, x: blocks.x, y: blocks.y };
}

/** Return the mean of two grids of the same cells, with this share of the second. */
export function blendBlocks(first, second, share) {
  const people = first.people.map((value, at) => (1 - share) * value + share * second.people[at]);
  return { people, x: first.x, y: first.y };
}

/** Return the grid of a (width, height) photo from those of its parts, each owning its box. */
export function joinBlocks(parts, width, height) {
  const x = edges(Math.ceil(width / BLOCK), BLOCK, width);
  const y = edges(Math.ceil(height / BLOCK), BLOCK, height);
  const people = new Float64Array((x.length - 1) * (y.length - 1));
  for (const [box, part] of parts) {
    const [top, left] = [Math.floor(box.top / BLOCK), Math.floor(box.left / BLOCK)];
    const [bottom, right] = [Math.ceil(box.bottom / BLOCK), Math.ceil(box.right / BLOCK)];
    const ours = resample(part, x.subarray(left, right + 1), y.subarray(top, bottom + 1));
    for (let row = top; row < bottom; row++) {
      const from = (row - top) * (right - left);
      people.set(ours.subarray(from, from + right - left), row * (x.length - 1) + left);
    }
  }
  return { people, x, y };
}
