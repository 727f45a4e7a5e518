// Computations for axes and lines of charts, independent of the page.

const LEAST_SHARE_OF_LOG = 1e-12; // below this, a logarithm says nothing of a loss in float32

/** The smallest of 1, 2, 5 times a power of ten that is at least `step`. */
export function roundStep(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 5, 10].find((digit) => digit * power >= step * (1 - 1e-9)) * power;
}

/** Round numbers from `low` to `high`, about `count` of them; whole ones only if `whole`. */
export function ticks(low, high, count, whole = false) {
  if (!(high > low)) return [low];
  const step = whole ? Math.max(1, roundStep((high - low) / count)) : roundStep((high - low) / count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** 1, 2 and 5 times each power of ten from `low` to `high`; all digits for a small range, powers only for a large one. */
export function logTicks(low, high) {
  const decades = Math.log10(high / low);
  const digits = decades < 0.7 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : decades < 4 ? [1, 2, 5] : [1];
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const digit of digits) {
      const value = Number(`${digit}e${power}`);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) found.push(value);
    }
  }
  return found.length >= 2 ? found : ticks(low, high, 5).filter((value) => value > 0);
}

/**
 * An exponential moving average with bias correction (Kingma and Ba 2015); `weight` from 0, which changes nothing, to
 * under 1. NaN stays, and is left out of the average.
 */
export function smoothed(values, weight) {
  if (weight === 0) return values;
  let sum = 0;
  let mass = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    sum = sum * weight + (1 - weight) * value;
    mass = mass * weight + (1 - weight);
    return sum / mass;
  });
}

/** The index of the value in rising `xs` nearest to `x`; -1 if there is none. */
export function nearest(xs, x) {
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  if (high < 0) return -1;
  return Math.abs(xs[high] - x) < Math.abs(xs[low] - x) ? high : low;
}

/** The index of the first of rising `xs` that is at least `x`. */
export function firstFrom(xs, x) {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The range of an axis `width` pixels long after a pinch of two fingers from pixels `start`, with `range`, to `now`.
 * Within `whole`, and at least `least` long; null for all of it.
 */
export function pinched(range, start, now, width, whole, least) {
  const unit = (range[1] - range[0]) / width;
  const held = start.map((pixel) => range[0] + pixel * unit);
  const apart = now[1] - now[0];
  const stretched = Math.abs(apart) < 1 ? Infinity : ((held[1] - held[0]) / apart) * width;
  return within(held[0] - (now[0] / width) * stretched, stretched, whole, least);
}

/** The range scaled by `factor` around `at`; within `whole`, at least `least` long; null for all of it. */
export function zoomed([from, to], whole, factor, least, at = (from + to) / 2) {
  const length = Math.max(least, (to - from) * factor);
  return within(at - ((at - from) / (to - from)) * length, length, whole, least);
}

/** `[from, from + length]` moved into the limits, at least `least` long; null for all of it. */
export function within(from, length, [low, high], least) {
  const size = Math.max(least, Math.abs(length));
  if (!(size < high - low)) return null;
  const start = Math.min(Math.max(low, from), high - size);
  return [start, start + size];
}

/** `[low, high]` of the visible y values of all series within the x range; null if there are none. */
export function extent(series, [from, to], isLog) {
  let low = Infinity;
  let high = -Infinity;
  for (const { x, y } of series) {
    for (let i = firstFrom(x, from); i < x.length && x[i] <= to; i += 1) {
      if (!Number.isFinite(y[i]) || (isLog && y[i] <= LEAST_SHARE_OF_LOG)) continue;
      if (y[i] < low) low = y[i];
      if (y[i] > high) high = y[i];
    }
  }
  return low <= high ? [low, high] : null;
}

/** `[low, high]` with padding, never empty. */
export function padded([low, high], isLog, share = 0.05) {
  if (isLog) {
    const factor = Math.max((high / low) ** share, 1.02);
    return [low / factor, high * factor];
  }
  const room = (high - low) * share || Math.abs(high) * 0.05 || 0.5;
  return [low - room, high + room];
}

/**
 * The points `[x, y, ...]` of a line within `[from, to]`, and one beyond each end. With more than four per column, only
 * the first, lowest, highest and last of each column, which paint the same pixels. NaN breaks the line.
 */
export function linePoints({ x, y }, [from, to], columns) {
  const start = Math.max(0, firstFrom(x, from) - 1);
  const end = Math.min(x.length, firstFrom(x, to) + 1);
  const points = [];
  if (end - start <= 4 * columns) {
    for (let i = start; i < end; i += 1) points.push(x[i], y[i]);
    return points;
  }
  const width = (to - from) / columns;
  for (let i = start; i < end; ) {
    const limit = x[i] + width;
    const first = i;
    let [lowest, highest] = [i, i];
    for (; i < end && x[i] < limit; i += 1) {
      if (!(y[i] >= y[lowest])) lowest = i;
      if (!(y[i] <= y[highest])) highest = i;
    }
    for (const j of [...new Set([first, lowest, highest, i - 1])].sort((a, b) => a - b)) points.push(x[j], y[j]);
  }
  return points;
}
