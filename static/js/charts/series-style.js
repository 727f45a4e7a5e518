// Styles of lines: colour, dash and marker, each of which alone distinguishes most lines.

import { element } from "../lib/dom.js";
import { readTheme } from "./canvas.js";

const DASHES = [[], [8, 4], [2, 4], [10, 4, 2, 4], [16, 5]];
const COLORS = 8;
const SAMPLE = { width: 40, height: 16 };

// Each draws a closed path of radius about `r` around (x, y).
const MARKERS = [
  (path, x, y, r) => path.arc(x, y, r, 0, 2 * Math.PI),
  (path, x, y, r) => path.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8),
  (path, x, y, r) => polygon(path, x, y, r * 1.25, 3, -Math.PI / 2),
  (path, x, y, r) => polygon(path, x, y, r * 1.25, 4, 0),
  (path, x, y, r) => polygon(path, x, y, r * 1.25, 3, Math.PI / 2),
  (path, x, y, r) => star(path, x, y, r * 1.45),
  (path, x, y, r) => cross(path, x, y, r * 1.1, r * 0.4),
];

/** The style of line `index` of a chart; the first 280 are distinct. `color` is a name of the theme. */
export const styleAt = (index, color = `series-${(index % COLORS) + 1}`) => ({ color, dash: DASHES[index % DASHES.length], marker: MARKERS[index % MARKERS.length] });

const styles = new WeakMap(); // of the samples on the page

/** A canvas with a sample of a line and its marker. */
export function createSample(style, theme = readTheme()) {
  const canvas = element("canvas", { class: "chart-sample", "aria-hidden": "true" });
  styles.set(canvas, style);
  paintSample(canvas, theme);
  return canvas;
}

/** Repaints all samples of the page in its current colours. */
export function repaintSamples() {
  const theme = readTheme();
  for (const canvas of document.querySelectorAll(".chart-sample")) paintSample(canvas, theme);
}

function paintSample(canvas, theme) {
  const { color, dash, marker, width: lineWidth = 2 } = styles.get(canvas);
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = SAMPLE;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.strokeStyle = pen.fillStyle = theme[color];
  pen.lineWidth = lineWidth;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(1, height / 2);
  pen.lineTo(width - 1, height / 2);
  pen.stroke();
  if (marker === null) return;
  pen.beginPath();
  marker(pen, width / 2, height / 2, 4);
  pen.fill();
}

/** A button with the style and the name of a line that toggles it in `hidden`, the ids of hidden lines. */
export function createLegendItem({ id, name, style }, hidden, onToggle, value = null) {
  const button = element("button", { type: "button", class: "legend-item", "data-line": id, "aria-pressed": String(!hidden.has(id)) }, createSample(style), element("span", {}, name), value);
  button.addEventListener("click", () => {
    if (!hidden.delete(id)) hidden.add(id);
    button.setAttribute("aria-pressed", String(!hidden.has(id)));
    onToggle();
  });
  return button;
}

function polygon(path, x, y, r, corners, turn) {
  for (let i = 0; i < corners; i += 1) {
    const angle = turn + (2 * Math.PI * i) / corners;
    path[i === 0 ? "moveTo" : "lineTo"](x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  path.closePath();
}

function star(path, x, y, r) {
  for (let i = 0; i < 10; i += 1) {
    const angle = -Math.PI / 2 + (Math.PI * i) / 5;
    const reach = i % 2 === 0 ? r : r * 0.45;
    path[i === 0 ? "moveTo" : "lineTo"](x + reach * Math.cos(angle), y + reach * Math.sin(angle));
  }
  path.closePath();
}

function cross(path, x, y, r, half) {
  path.rect(x - r, y - half, 2 * r, 2 * half);
  path.rect(x - half, y - r, 2 * half, 2 * r);
}
