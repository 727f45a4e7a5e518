// A plane of two numbers for lessons: axes, contour lines, shades, paths and points.

import { short } from "../lib/controls.js";
import { element } from "../lib/dom.js";
import { onThemeChange } from "../lib/theme.js";
import { fitted, readTheme } from "./canvas.js";
import { MARGIN, frameOf, paintChart, placing } from "./paint.js";

/** `show(range, paint)` calls `paint(pen, place, theme)` on the plane `{x: [low, high], y: [low, high]}`, after the axes. */
export function createPlane({ label, xTitle, yTitle, square = false }) {
  const canvas = element("canvas", { class: `figure-canvas${square ? " square" : ""}`, role: "img", "aria-label": label });
  const node = element("div", { class: `figure-plane${square ? " square" : ""}` }, canvas);
  let state = null;

  function show(range, paint, words = label) {
    state = { range, paint };
    canvas.setAttribute("aria-label", words);
    draw();
  }

  function draw() {
    const size = state === null ? null : fitted(canvas);
    if (size === null) return;
    const { pen, width, height } = size;
    const theme = readTheme();
    const frame = frameOf({ width, height, theme, xRange: state.range.x, yRange: state.range.y, xTitle, yTitle, xText: short, yText: short });
    paintChart(pen, frame, []);
    const place = placing(frame);
    pen.save();
    pen.beginPath();
    pen.rect(MARGIN.left, MARGIN.top, width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom);
    pen.clip();
    state.paint(pen, place, theme);
    pen.restore();
    pen.strokeStyle = theme.edge;
    pen.lineWidth = 1;
    pen.strokeRect(MARGIN.left, MARGIN.top, width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom);
  }

  new ResizeObserver(draw).observe(node);
  onThemeChange(draw);
  return { node, canvas, show };
}

/** The segments [[x, y], [x, y]] of the contour line of a grid (row by row) at `level`, in columns and rows (marching squares). */
export function levelLine(values, columns, rows, level) {
  const pieces = [];
  for (let row = 0; row < rows - 1; row += 1) {
    for (let column = 0; column < columns - 1; column += 1) {
      const at = row * columns + column;
      const corners = [
        [column, row, values[at]],
        [column + 1, row, values[at + 1]],
        [column + 1, row + 1, values[at + columns + 1]],
        [column, row + 1, values[at + columns]],
      ];
      const crossings = [];
      corners.forEach(([x1, y1, a], i) => {
        const [x2, y2, b] = corners[(i + 1) % 4];
        if (a < level === b < level) return;
        const share = (level - a) / (b - a);
        crossings.push([x1 + (x2 - x1) * share, y1 + (y2 - y1) * share]);
      });
      for (let i = 0; i + 1 < crossings.length; i += 2) pieces.push([crossings[i], crossings[i + 1]]);
    }
  }
  return pieces;
}

/** Strokes the segments of a contour line of a grid that covers a range. */
export function strokePieces(pen, place, pieces, { x, y }, columns, rows) {
  const across = (column) => place.x(x[0] + ((x[1] - x[0]) * column) / (columns - 1));
  const up = (row) => place.y(y[0] + ((y[1] - y[0]) * row) / (rows - 1));
  pen.beginPath();
  for (const [[x1, y1], [x2, y2]] of pieces) {
    pen.moveTo(across(x1), up(y1));
    pen.lineTo(across(x2), up(y2));
  }
  pen.stroke();
}

/** Shades a grid: each point as a rectangle with the opacity `strength(value)`, 0 to 1. */
export function shade(pen, place, values, { x, y }, columns, rows, color, strength) {
  const [wide, high] = [Math.abs(place.x(x[1]) - place.x(x[0])) / (columns - 1), Math.abs(place.y(y[1]) - place.y(y[0])) / (rows - 1)];
  pen.fillStyle = color;
  values.forEach((value, i) => {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    pen.globalAlpha = 0.55 * strength(value);
    // whole pixels that meet and never overlap
    const [left, right] = [column - 0.5, column + 0.5].map((at) => Math.round(place.x(x[0]) + at * wide));
    const [bottom, top] = [row - 0.5, row + 0.5].map((at) => Math.round(place.y(y[0]) - at * high));
    pen.fillRect(left, top, right - left, bottom - top);
  });
  pen.globalAlpha = 1;
}

/** The four inputs: ■ where the answer should be 1, ○ where it should be 0; `marked` has a ring around it. */
export function points(pen, place, theme, inputs, targets, marked = -1) {
  inputs.forEach(([x, y], i) => {
    const [left, top] = [place.x(x), place.y(y)];
    pen.lineWidth = 2.5;
    pen.strokeStyle = theme.ink;
    pen.fillStyle = targets[i] === 1 ? theme.ink : theme.sheet;
    pen.beginPath();
    if (targets[i] === 1) pen.rect(left - 8, top - 8, 16, 16);
    else pen.arc(left, top, 9, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
    if (i !== marked) return;
    pen.beginPath();
    pen.arc(left, top, 17, 0, 2 * Math.PI);
    pen.stroke();
  });
}
