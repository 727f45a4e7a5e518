// A heatmap: blue above zero, orange with a stroke below, stronger for larger values. The pointer or the arrow keys show
// values, and a press selects one. A cell has a whole number of the screen's pixels, so that nothing is blurred.

import { t } from "../i18n/translate.js";
import { element, setText } from "../lib/dom.js";
import { beside, decode, gridOf, num } from "./heatmap-data.js";

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FAINT = 0.2; // of the largest value, below which the sign is not marked
const MOST_WIDTH = 600; // CSS pixels
const LARGEST_CELL = 26;
const LEAST_CELL = 5;
const ONE_MAP = 226; // CSS pixels
const SEVERAL_MAPS = 160;
const REPAINT = "repaint";
const SHADES = 0.7; // the exponent of the colour scale, which keeps small values visible

/** Repaints all heatmaps of the page in its current colours. */
export function repaintCells() {
  for (const canvas of document.querySelectorAll(".cells canvas")) canvas.dispatchEvent(new Event(REPAINT));
}

/**
 * A heatmap in `place`. The page calls `repaintCells` when its colours change, as a listener per heatmap would keep
 * removed ones in memory. `onChoose(index)` gets a press, `onDrag(index)` each number that a pressed pointer moves over, and
 * with `followsKeys` each that the arrow keys lead to; `name(index)` is the name of a number, and `size` the width of a
 * map in CSS pixels. Returns `show(picture, options)` and `mark(index)`; `options` are `chosen`, an index to mark,
 * `ink`, pixels marked with dots, `most`, the value with the full colour, `absent`, 1 for each number that is not there,
 * and `frame`, the cells {row, column, height, width} of the picture to put a frame around.
 */
export function createCells(place, { label, name, onChoose = null, onDrag = null, followsKeys = false, size = null }) {
  const canvas = element("canvas", { tabindex: 0, role: "slider", "aria-label": label, "aria-valuemin": 0 });
  const caption = element("p", { class: "cells-said", "aria-hidden": "true" });
  canvas.toggleAttribute("data-drags", onDrag !== null);
  place.replaceChildren(element("div", { class: "cells" }, canvas, caption));
  let [values, grid, shape, first, at, options] = [null, null, [], 0, 0, {}];
  let side = 8; // of a cell, in the screen's pixels

  function show(picture, more = {}) {
    values = decode(picture);
    shape = picture.shape;
    grid = gridOf(shape);
    first = picture.first * (shape.length === 1 ? 1 : shape[1] * shape[2]);
    options = { most: Math.max(Math.abs(picture.low), Math.abs(picture.high)), ...more };
    at = Math.min(at, values.length - 1);
    canvas.setAttribute("aria-valuemax", first + values.length - 1);
    draw();
    select(options.chosen !== undefined && options.chosen !== null ? options.chosen - first : at, false);
  }

  function draw() {
    if (values === null || !canvas.isConnected) return;
    fit();
    const context = canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    const [plus, minus, zero, ink, track] = ["series-1", "series-2", "sheet", "ink", "track"].map((key) => style.getPropertyValue(`--${key}`).trim());
    context.globalAlpha = 1;
    context.fillStyle = style.getPropertyValue("--line").trim();
    context.fillRect(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < values.length; i += 1) {
      const [x, y] = grid.cell(i).map((position) => position * side);
      const part = options.most > 0 ? Math.min(1, Math.abs(values[i]) / options.most) : 0;
      context.globalAlpha = 1;
      context.fillStyle = options.absent?.[i] ? track : zero;
      context.fillRect(x, y, side + 1, side + 1);
      if (options.absent?.[i]) continue;
      context.globalAlpha = part ** SHADES;
      context.fillStyle = values[i] < 0 ? minus : plus;
      context.fillRect(x, y, side + 1, side + 1);
      context.globalAlpha = 1;
      if (values[i] < 0 && part > FAINT) stroke(context, part > 0.5 ? zero : ink, part > 0.5 ? 1 : 0.6, [x + 1, y + side - 1], [x + side - 1, y + 1]);
      if (options.ink !== undefined && options.ink[i] > 0.4) {
        context.fillStyle = ink;
        const dot = Math.max(2, Math.round(side / 4));
        context.fillRect(x + Math.round((side - dot) / 2), y + Math.round((side - dot) / 2), dot, dot);
      }
    }
    if (options.frame) frame(context, options.frame, ink, zero);
    const chosen = options.chosen === undefined || options.chosen === null ? -1 : options.chosen - first;
    if (chosen >= 0 && chosen < values.length) box(context, chosen, ink, 2.5);
    if (document.activeElement === canvas) box(context, at, ink, 1.5);
  }

  /** Sizes the canvas for its place on the page. */
  function fit() {
    const scale = window.devicePixelRatio || 1;
    const room = (place.clientWidth || Infinity) - 2; // for the border
    side = Math.max(1, Math.floor(Math.min(cellSize(shape, grid, size), room / grid.columns) * scale));
    canvas.width = grid.columns * side + 1;
    canvas.height = grid.rows * side + 1;
    canvas.style.width = `${canvas.width / scale}px`;
  }

  function box(context, index, color, width) {
    const [x, y] = grid.cell(index).map((position) => position * side);
    context.strokeStyle = color;
    context.lineWidth = width;
    context.strokeRect(x, y, side, side);
  }

  /** A frame around cells of the picture, which stands out from light and dark ones. */
  function frame(context, { row, column, height, width }, ink, halo) {
    for (const [color, line] of [[halo, 5], [ink, 2.5]]) {
      context.strokeStyle = color;
      context.lineWidth = line;
      context.strokeRect(column * side, row * side, width * side, height * side);
    }
  }

  function select(index, showCaption = true) {
    if (index < 0 || index >= values.length) return;
    at = index;
    const text = t("{name}: {value}", { name: name(first + index), value: num(values[index]) });
    canvas.setAttribute("aria-valuenow", first + index);
    canvas.setAttribute("aria-valuetext", text);
    if (showCaption) setText(caption, text);
  }

  function under(event) {
    const bounds = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - bounds.left) / bounds.width) * grid.columns);
    const y = Math.floor(((event.clientY - bounds.top) / bounds.height) * grid.rows);
    return grid.at(x, y);
  }

  canvas.addEventListener("pointermove", (event) => {
    const index = values === null ? null : under(event);
    if (index === null) return;
    select(index);
    if (canvas.hasPointerCapture(event.pointerId)) onDrag(first + index);
  });
  if (onDrag !== null) {
    canvas.addEventListener("pointerdown", (event) => {
      const index = values === null ? null : under(event);
      if (index === null) return;
      canvas.setPointerCapture(event.pointerId);
      onDrag(first + index);
    });
  }
  canvas.addEventListener("click", (event) => {
    const index = values === null ? null : under(event);
    if (index === null) return;
    select(index);
    onChoose?.(first + index);
  });
  canvas.addEventListener("keydown", (event) => {
    if (values === null) return;
    if (DIRECTIONS[event.key] !== undefined) select(beside(grid, at, DIRECTIONS[event.key]));
    else if (event.key === "Home") select(0);
    else if (event.key === "End") select(values.length - 1);
    else if ((event.key === "Enter" || event.key === " ") && onChoose !== null) onChoose(first + at);
    else return;
    event.preventDefault();
    if (followsKeys) onDrag(first + at);
    else draw();
  });
  canvas.addEventListener("focus", () => {
    if (values !== null) select(at);
    draw();
  });
  canvas.addEventListener("blur", draw);
  canvas.addEventListener(REPAINT, draw);

  return {
    canvas,
    show,
    /** Marks the selected number; null marks none. */
    mark(index) {
      options = { ...options, chosen: index };
      draw();
    },
  };
}

/** CSS pixels of a cell: units fill the page's width, a map is about as wide as a thumb. */
function cellSize(shape, { columns }, size) {
  if (shape.length === 1) return Math.min(LARGEST_CELL, MOST_WIDTH / columns);
  const side = size ?? (shape[0] === 1 ? ONE_MAP : SEVERAL_MAPS);
  return Math.min(LARGEST_CELL, Math.max(LEAST_CELL, side / shape[2]));
}

function stroke(context, color, alpha, from, to) {
  context.globalAlpha = alpha;
  context.strokeStyle = color;
  context.lineWidth = Math.max(1, (to[0] - from[0]) / 6);
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.globalAlpha = 1;
}
