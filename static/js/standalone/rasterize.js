// Pen strokes to ink, pixel by pixel as app/data/preprocessing/rasterize.py: a path one pixel thin, and a disc swept along it.

export const BOX_SIZE = 20; // pixels of the 28×28 image that a digit fills
export const STROKE_WIDTH = 2.6; // of the pen, in those pixels
const SUPERSAMPLING = 8; // pixels of the canvas for each of them

/** An image of bytes, `{width, height, data}`, row by row. */
export const canvasOf = (width, height) => ({ width, height, data: new Uint8Array(width * height) });

/** Sets the pixels of strokes of integers [[x, y], ...], each at least its first point. */
export function drawPath(canvas, path) {
  set(canvas, path[0][0], path[0][1]);
  for (let i = 1; i < path.length; i += 1) drawLine(canvas, path[i - 1], path[i]);
}

/** Bresenham's line as Pillow draws it (src/libImaging/Draw.c, line8). */
function drawLine(canvas, [x0, y0], [x1, y1]) {
  const [dx, dy] = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
  const [xStep, yStep] = [x1 < x0 ? -1 : 1, y1 < y0 ? -1 : 1];
  const flat = dx > dy;
  const [long, short] = flat ? [dx, dy] : [dy, dx];
  let [x, y] = [x0, y0];
  let error = 2 * short - long;
  for (let i = 0; i <= long; i += 1) {
    set(canvas, x, y);
    if (short !== 0 && error >= 0) {
      if (flat) y += yStep;
      else x += xStep;
      error -= 2 * long;
    }
    error += 2 * short;
    if (flat) x += xStep;
    else y += yStep;
  }
}

function set({ width, height, data }, x, y) {
  if (x >= 0 && y >= 0 && x < width && y < height) data[y * width + x] = 1;
}

/** The lowest and highest x and y of a non-empty list of points: `{low: [x, y], high: [x, y]}`. */
export function extentOf(points) {
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (const point of points) {
    for (const axis of [0, 1]) {
      low[axis] = Math.min(low[axis], point[axis]);
      high[axis] = Math.max(high[axis], point[axis]);
    }
  }
  return { low, high };
}

/** Draws strokes as large as the 20×20 box: `{ink: {width, height, data}, box: [top, left, bottom, right]}`; null for none. */
export function drawStrokes(strokes) {
  const drawn = strokes.filter((stroke) => stroke.length > 0);
  if (drawn.length === 0) return null;
  const pen = STROKE_WIDTH * SUPERSAMPLING;
  const origin = pen / 2 + 1;
  const reach = BOX_SIZE * SUPERSAMPLING - pen;
  const { low, high } = extentOf(drawn.flat());
  const halfLow = low.map((value) => value * 0.5);
  const half = Math.max(high[0] * 0.5 - halfLow[0], high[1] * 0.5 - halfLow[1]);
  const place = (value, axis) => (half === 0 ? 0 : (value * 0.5 - halfLow[axis]) / half) * reach + origin;
  const [right, bottom] = [place(high[0], 0) + pen / 2, place(high[1], 1) + pen / 2];
  const canvas = canvasOf(Math.trunc(right) + 2, Math.trunc(bottom) + 2);
  for (const stroke of drawn) drawPath(canvas, stroke.map(([x, y]) => [Math.trunc(place(x, 0)), Math.trunc(place(y, 1))]));
  return { ink: sweep(canvas, pen / 2), box: [1, 1, bottom, right] };
}

/** Coverage, 0 to 1, of a disc of that radius swept over the set pixels, with soft edges. */
export function sweep({ width, height, data }, radius) {
  const reach = Math.ceil(radius + 0.5);
  const far = reach + 1;
  const across = new Int32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    const row = y * width;
    for (let x = 0, away = far; x < width; x += 1) {
      away = data[row + x] ? 0 : Math.min(away + 1, far);
      across[row + x] = away;
    }
    for (let x = width - 1, away = far; x >= 0; x -= 1) {
      away = data[row + x] ? 0 : Math.min(away + 1, far);
      across[row + x] = Math.min(across[row + x], away) ** 2;
    }
  }
  const squared = across.slice();
  for (let down = 1; down <= Math.min(reach, height - 1); down += 1) {
    const lower = down * width;
    for (let i = lower; i < squared.length; i += 1) squared[i] = Math.min(squared[i], across[i - lower] + down * down);
    for (let i = lower; i < squared.length; i += 1) {
      squared[i - lower] = Math.min(squared[i - lower], across[i] + down * down);
    }
  }
  const edge = Math.fround(radius + 0.5);
  const coverage = Float32Array.from(squared, (value) => Math.min(Math.max(edge - Math.fround(Math.sqrt(value)), 0), 1));
  return { width, height, data: coverage };
}
