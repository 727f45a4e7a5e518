// The normalization of MNIST, as app/data/preprocessing/normalize.py: ink of any size into 28×28, its centre of mass in the middle.

import { BOX_SIZE, STROKE_WIDTH } from "./rasterize.js";

export const IMAGE_SIZE = 28;
const CENTRE = 14;
const TIE_MARGIN = 0.1; // pixels, a tolerance for rounding
const DOT_FILL = 0.72; // ink that fills more of a nearly square box is a dot
const DOT_ASPECT = 0.75;
const SLIVER = 1e-3;

/** Fits ink `{width, height, data}` into the field: 784 numbers, 0 to 1. `box` is [top, left, bottom, right]. */
export function normalize(ink, box) {
  const field = new Float64Array(IMAGE_SIZE * IMAGE_SIZE);
  const [top, left, bottom, right] = box;
  const ratio = (isDot(ink, box) ? STROKE_WIDTH : BOX_SIZE) / Math.max(bottom - top, right - left);
  const small = averaged(ink, averaging(top, bottom, ratio, ink.height), averaging(left, right, ratio, ink.width));
  let [mass, sumY, sumX] = [0, 0, 0];
  small.forEach((row, y) =>
    row.forEach((value, x) => {
      mass += value;
      sumY += value * y;
      sumX += value * x;
    }),
  );
  if (mass <= 0) return field;
  const y = position(sumY / mass, small.length);
  const x = position(sumX / mass, small[0].length);
  small.forEach((row, i) => field.set(row, (y + i) * IMAGE_SIZE + x));
  return field;
}

/** The start of ink `size` pixels long, given its centre of mass, without cutting any off. */
const position = (centre, size) =>
  Math.min(Math.max(Math.floor(CENTRE + 0.5 + TIE_MARGIN - centre), 0), IMAGE_SIZE - size);

/** For each output its weights `{first, weights}`, which average [start, stop) into pixels 1 / scale long. */
function averaging(start, stop, scale, size) {
  const outputs = Math.max(1, Math.ceil((stop - start) * scale - SLIVER));
  const edge = (i) => Math.min(start + i / scale, stop);
  const covered = (at, pixel) => Math.min(Math.max(at - pixel, 0), 1);
  return Array.from({ length: outputs }, (_, i) => {
    const first = Math.floor(edge(i));
    const last = Math.min(Math.ceil(edge(i + 1)), size);
    const weights = [];
    for (let pixel = first; pixel < last; pixel += 1) {
      weights.push(Math.fround((covered(edge(i + 1), pixel) - covered(edge(i), pixel)) * scale));
    }
    return { first, weights };
  });
}

function averaged({ width, data }, down, across) {
  return down.map((vertical) => {
    const row = new Float64Array(width);
    vertical.weights.forEach((weight, i) => {
      const start = (vertical.first + i) * width;
      for (let x = 0; x < width; x += 1) row[x] += weight * data[start + x];
    });
    return across.map(({ first, weights }) => {
      const sum = weights.reduce((total, weight, i) => total + weight * row[first + i], 0);
      return Math.fround(Math.min(Math.max(sum, 0), 1));
    });
  });
}

function isDot({ width, height, data }, box) {
  const [top, left] = [Math.trunc(box[0]), Math.trunc(box[1])];
  const [bottom, right] = [Math.ceil(box[2]) - 1, Math.ceil(box[3]) - 1];
  const inRow = (y) => data.subarray(y * width, (y + 1) * width).reduce((most, value) => Math.max(most, value), 0);
  const inColumn = (x) => {
    let most = 0;
    for (let y = 0; y < height; y += 1) most = Math.max(most, data[y * width + x]);
    return most;
  };
  const tall = bottom - top - 1 + inRow(top) + inRow(bottom);
  const wide = right - left - 1 + inColumn(left) + inColumn(right);
  if (Math.min(tall, wide) < DOT_ASPECT * Math.max(tall, wide)) return false;
  return data.reduce((sum, value) => sum + value, 0) > DOT_FILL * tall * wide;
}
