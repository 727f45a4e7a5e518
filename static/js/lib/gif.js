// Animated GIFs (GIF89a): each frame with its own 256 colours, exact where a frame has no more.

const MOST_COLORS = 256;
const BITS = 5; // of a channel, where colours are reduced
const LEAST_CODE = 8; // bits of a colour's index
const MOST_CODE = 12;

/**
 * A GIF of frames of one size, shown again and again. `add(image, centiseconds)` takes an ImageData, `blob()` ends it.
 * What is transparent becomes black: paint a ground first.
 */
export function createGif(width, height) {
  const loop = [0x21, 0xff, 11, ...ascii("NETSCAPE2.0"), 3, 1, 0, 0, 0];
  const parts = [Uint8Array.from([...ascii("GIF89a"), ...word(width), ...word(height), 0x70, 0, 0, ...loop])];

  function add({ data }, centiseconds) {
    const { colors, indices } = indexed(new Uint32Array(data.buffer, data.byteOffset, width * height));
    const palette = new Uint8Array(3 * MOST_COLORS);
    colors.forEach((color, i) => palette.set([color & 255, (color >>> 8) & 255, (color >>> 16) & 255], 3 * i));
    const control = [0x21, 0xf9, 4, 4, ...word(centiseconds), 0, 0];
    const descriptor = [0x2c, 0, 0, 0, 0, ...word(width), ...word(height), 0x87];
    parts.push(Uint8Array.from([...control, ...descriptor]), palette, Uint8Array.of(LEAST_CODE), ...blocks(compressed(indices)), Uint8Array.of(0));
  }

  return { add, blob: () => new Blob([...parts, Uint8Array.of(0x3b)], { type: "image/gif" }) };
}

const ascii = (text) => Array.from(text, (letter) => letter.charCodeAt(0));
const word = (value) => [value & 255, value >> 8];

/** Data in blocks of at most 255 bytes, each after its length. */
function blocks(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.subarray(at, at + 255);
    found.push(Uint8Array.of(block.length), block);
  }
  return found;
}

/** At most 256 colours, as 0xBBGGRR, and each pixel's index; `pixels` are 0xAABBGGRR. */
export function indexed(pixels) {
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel & 0xffffff, (counts.get(pixel & 0xffffff) ?? 0) + 1);
  const nearest = new Map();
  let colors = [...counts.keys()];
  if (colors.length > MOST_COLORS) colors = reduced(counts, nearest);
  else colors.forEach((color, i) => nearest.set(color, i));
  const indices = new Uint8Array(pixels.length);
  pixels.forEach((pixel, i) => {
    indices[i] = nearest.get(pixel & 0xffffff);
  });
  return { colors, indices };
}

/** The 256 colours that are the means of as many boxes (median cut, Heckbert 1982), and in `nearest` each colour's box. */
function reduced(counts, nearest) {
  const shift = 8 - BITS;
  const cells = new Map(); // colours that agree in the first bits of each channel
  for (const [color, count] of counts) {
    const channels = [color & 255, (color >>> 8) & 255, color >>> 16];
    const key = channels.reduce((sum, value) => (sum << BITS) | (value >> shift), 0);
    if (!cells.has(key)) cells.set(key, { count: 0, sums: [0, 0, 0], colors: [] });
    const cell = cells.get(key);
    cell.count += count;
    cell.colors.push(color);
    channels.forEach((value, i) => (cell.sums[i] += value * count));
  }
  const boxes = [boxOf([...cells.values()].map((cell) => ({ ...cell, mean: cell.sums.map((sum) => sum / cell.count) })))];
  while (boxes.length < MOST_COLORS) {
    const widest = boxes.reduce((best, box, i) => (box.cells.length > 1 && box.weight > (boxes[best]?.weight ?? -1) ? i : best), -1);
    if (widest < 0) break;
    boxes.splice(widest, 1, ...split(boxes[widest]));
  }
  return boxes.map(({ cells: inside }, index) => {
    const total = inside.reduce((sum, { count }) => sum + count, 0);
    for (const { colors } of inside) for (const color of colors) nearest.set(color, index);
    const [red, green, blue] = [0, 1, 2].map((i) => Math.round(inside.reduce((sum, { sums }) => sum + sums[i], 0) / total));
    return red | (green << 8) | (blue << 16);
  });
}

/** Cells with the channel in which they differ most, and how urgent it is to split them. */
function boxOf(cells) {
  const ranges = [0, 1, 2].map((i) => {
    let [low, high] = [255, 0];
    for (const { mean } of cells) [low, high] = [Math.min(low, mean[i]), Math.max(high, mean[i])];
    return high - low;
  });
  const axis = ranges.indexOf(Math.max(...ranges));
  const count = cells.reduce((sum, cell) => sum + cell.count, 0);
  return { cells, axis, weight: ranges[axis] * Math.sqrt(count) };
}

function split({ cells, axis }) {
  const sorted = [...cells].sort((a, b) => a.mean[axis] - b.mean[axis]);
  const half = sorted.reduce((sum, { count }) => sum + count, 0) / 2;
  let [sum, at] = [0, 0];
  while (at < sorted.length - 1 && (at === 0 || sum + sorted[at].count <= half)) {
    sum += sorted[at].count;
    at += 1;
  }
  return [boxOf(sorted.slice(0, at)), boxOf(sorted.slice(at))];
}

/** Indices compressed by LZW, as in appendix F of the specification. */
function compressed(indices) {
  const [clear, end] = [1 << LEAST_CODE, (1 << LEAST_CODE) + 1];
  const bytes = new Uint8Array(indices.length * 2 + 64); // more than any code takes
  let [size, bits, buffer, length, next] = [LEAST_CODE + 1, 0, 0, 0, end + 1];
  let table = new Map(); // the code of a sequence and one more index
  function put(code) {
    buffer |= code << bits;
    bits += size;
    while (bits >= 8) {
      bytes[length] = buffer & 255;
      [buffer, bits, length] = [buffer >>> 8, bits - 8, length + 1];
    }
  }
  put(clear);
  let code = indices[0];
  for (let i = 1; i < indices.length; i += 1) {
    const key = (code << 8) | indices[i];
    const longer = table.get(key);
    if (longer !== undefined) {
      code = longer;
      continue;
    }
    put(code);
    if (next < 1 << MOST_CODE) {
      if (next === 1 << size) size += 1;
      table.set(key, next);
      next += 1;
    } else {
      put(clear);
      [table, size, next] = [new Map(), LEAST_CODE + 1, end + 1];
    }
    code = indices[i];
  }
  put(code);
  put(end);
  if (bits > 0) bytes[length] = buffer & 255;
  return bytes.subarray(0, length + (bits > 0 ? 1 : 0));
}
