// Groups of strokes, as app/data/preprocessing/segment.py: strokes that nearly touch or overlap horizontally are one digit.

import { canvasOf, drawPath, extentOf } from "./rasterize.js";

const MAX_GROUPS = 32;
const MAX_PARTS = 128;
const CELLS = 48; // of the grid, along the drawing's height
const MAX_ASPECT = 40;
const TOUCH = 5; // cells; the distance below which strokes touch
const OVERLAP = 0.3; // share of the narrower width at which two patches overlap ...
const MARGIN = 0.02; // ... after a margin of this share of the height on both sides

/** The indices of the strokes of each group, left to right, without empty strokes. */
export function segmentStrokes(strokes) {
  const inked = [...strokes.keys()].filter((index) => strokes[index].length > 0);
  if (inked.length < 2 || inked.length > MAX_PARTS) return inked.length > 0 ? [inked] : [];
  const halves = inked.map((index) => strokes[index].map(([x, y]) => [x * 0.5, y * 0.5]));
  const { low, high } = extentOf(halves.flat());
  const extent = [high[0] - low[0], high[1] - low[1]];
  const unit = Math.max(extent[1], extent[0] / MAX_ASPECT);
  if (unit === 0) return [inked];
  const placed = halves.map((half) => half.map((point) => point.map((value, axis) => ((value - low[axis]) / unit) * CELLS + TOUCH)));
  const [width, height] = extent.map((side) => Math.trunc((side / unit) * CELLS) + 2 * TOUCH + 1);
  const canvas = canvasOf(width, height);
  for (const stroke of placed) drawPath(canvas, stroke.map((point) => point.map(Math.trunc)));
  const { labels, count } = labelComponents(dilated(canvas, (TOUCH - 1) / 2));
  if (count < 2) return [inked];
  const patches = Array.from({ length: count }, () => []);
  placed.forEach((stroke, i) => {
    const [x, y] = stroke[0].map(Math.trunc);
    patches[labels[y * width + x] - 1].push(i);
  });
  const spans = patches.map((patch) => {
    const across = extentOf(patch.flatMap((i) => placed[i]));
    return [across.low[0], across.high[0]];
  });
  const groups = aboveOneAnother(spans, MARGIN * CELLS);
  if (groups.length > MAX_GROUPS) return [inked];
  return groups.map((group) => group.flatMap((patch) => patches[patch].map((i) => inked[i])).sort((a, b) => a - b));
}

/** Dilates the image by `reach` pixels along each axis. */
function dilated({ width, height, data }, reach) {
  const wide = canvasOf(width, height);
  data.forEach((value, place) => {
    if (value === 0) return;
    const [x, y] = [place % width, Math.floor(place / width)];
    for (let row = Math.max(0, y - reach); row <= Math.min(height - 1, y + reach); row += 1) {
      wide.data.fill(1, row * width + Math.max(0, x - reach), row * width + Math.min(width - 1, x + reach) + 1);
    }
  });
  return wide;
}

/** Labels the patches connected at sides or corners, from 1 in the order of their first pixels: `{labels, count}`. */
function labelComponents({ width, height, data }) {
  const labels = new Int32Array(data.length);
  let count = 0;
  for (let start = 0; start < data.length; start += 1) {
    if (data[start] === 0 || labels[start] !== 0) continue;
    count += 1;
    labels[start] = count;
    const ahead = [start];
    while (ahead.length > 0) {
      const place = ahead.pop();
      const [x, y] = [place % width, Math.floor(place / width)];
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row += 1) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column += 1) {
          const next = row * width + column;
          if (data[next] === 0 || labels[next] !== 0) continue;
          labels[next] = count;
          ahead.push(next);
        }
      }
    }
  }
  return { labels, count };
}

/** Indices of spans [left, right] in groups that overlap enough, from left to right. */
function aboveOneAnother(spans, margin) {
  const groups = spans.map(([left, right], index) => ({ members: [index], left: left - margin, right: right + margin }));
  groups.sort((a, b) => a.left - b.left);
  for (let pair = overlapping(groups); pair !== null; pair = overlapping(groups)) {
    const [one, other] = pair.map((place) => groups[place]);
    groups[pair[0]] = {
      members: [...one.members, ...other.members],
      left: Math.min(one.left, other.left),
      right: Math.max(one.right, other.right),
    };
    groups.splice(pair[1], 1);
  }
  return groups.sort((a, b) => a.left + a.right - (b.left + b.right)).map(({ members }) => members);
}

function overlapping(groups) {
  for (let first = 0; first < groups.length; first += 1) {
    for (let second = first + 1; second < groups.length; second += 1) {
      const [one, other] = [groups[first], groups[second]];
      const shared = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      if (shared >= OVERLAP * Math.min(one.right - one.left, other.right - other.left)) return [first, second];
    }
  }
  return null;
}
