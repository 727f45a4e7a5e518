// Arrays from the server, their layout as cells of a picture, and their number format.

import { fromBase64 } from "../images/bitmap.js";

const SMALL = 0.001;
const LARGE = 100_000;
const DIGITS = 4;
const WIDEST = 72; // the most cells across several maps
const ROW = 16; // the most units in a single row
const BROAD = 3; // the aspect ratio of a field of units

/** The numbers of `{values}`, float32 in base64, little-endian, or an array of them already. */
export function decode({ values }) {
  if (typeof values !== "string") return values;
  const bytes = fromBase64(values);
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** A number with four significant digits, in scientific notation if it is very small or large. */
export function num(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < SMALL || size >= LARGE) return value.toExponential(2).replace("-", "−").replace("e+", "e").replace("e-", "e−");
  return Number(value.toPrecision(DIGITS)).toString().replace("-", "−");
}

/** The same with a sign, as a term of a sum. */
export const signed = (value) => (value < 0 ? num(value) : `+${num(value)}`);

/**
 * The layout of an array of `shape`, (n) units or (C, H, W) maps: `columns` and `rows` of cells, `cell(index)` returns
 * [x, y], and `at(x, y)` the index, null between maps.
 */
export function gridOf(shape) {
  if (shape.length === 1) {
    const [count] = shape;
    const columns = count <= ROW ? count : columnsOf(count);
    const rows = Math.ceil(count / columns);
    return {
      columns,
      rows,
      cell: (index) => [index % columns, Math.floor(index / columns)],
      at: (x, y) => (x >= 0 && x < columns && y >= 0 && y * columns + x < count ? y * columns + x : null),
    };
  }
  const [maps, height, width] = shape;
  const across = Math.min(maps, Math.max(1, Math.floor((WIDEST + 1) / (width + 1))));
  const rows = Math.ceil(maps / across);
  return {
    columns: across * (width + 1) - 1,
    rows: rows * (height + 1) - 1,
    cell(index) {
      const map = Math.floor(index / (height * width));
      const [row, column] = [Math.floor((index % (height * width)) / width), index % width];
      return [(map % across) * (width + 1) + column, Math.floor(map / across) * (height + 1) + row];
    },
    at(x, y) {
      const [column, row] = [x % (width + 1), y % (height + 1)];
      const [left, top] = [Math.floor(x / (width + 1)), Math.floor(y / (height + 1))];
      const map = top * across + left;
      if (x < 0 || y < 0 || column >= width || row >= height || left >= across || map >= maps) return null;
      return (map * height + row) * width + column;
    },
  };
}

/** A number of columns for a field about three times as broad as high, in full rows where that is possible. */
function columnsOf(count) {
  const best = Math.ceil(Math.sqrt(count * BROAD));
  for (let off = 0; off <= best / 3; off += 1) {
    for (const columns of [best - off, best + off]) if (count % columns === 0) return columns;
  }
  return best;
}

/** The neighbour of an index in a direction; the same index if there is none. */
export function beside(grid, index, [dx, dy]) {
  const [x, y] = grid.cell(index);
  for (const distance of [1, 2]) {
    const found = grid.at(x + dx * distance, y + dy * distance); // 2 crosses the gap between two maps
    if (found !== null) return found;
  }
  return index;
}
