// Painting of drawings on a canvas, sharp on every screen.

import { placed } from "./drawing.js";
import { SIZE } from "./strokes.js";

const LIGHTEST = 0.4; // of the brush's width, without pressure; a pressure of 0.5 gives the full width

/** Fits the canvas's bitmap and calls `onResize`, now and whenever the canvas or the screen's density changes. */
export function fitToScreen(canvas, onResize) {
  let density = null;

  function fit() {
    const box = canvas.getBoundingClientRect();
    const side = Math.max(1, Math.round(box.width * devicePixelRatio));
    if (canvas.width !== side) canvas.width = canvas.height = side;
    onResize();
  }

  function watchDensity() {
    density?.removeEventListener("change", watchDensity);
    density = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    density.addEventListener("change", watchDensity);
    fit();
  }

  new ResizeObserver(fit).observe(canvas);
  watchDensity();
}

/** Paints a drawing in the canvas's text colour. */
export function paint(canvas, { strokes, picture }) {
  const context = canvas.getContext("2d");
  const scale = canvas.width / SIZE;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, SIZE, SIZE);
  if (picture !== null) paintBrought(context, picture);
  context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
  context.lineCap = context.lineJoin = "round";
  for (const { line, width } of strokes) paintLine(context, line, width);
}

/** The painted width of a brush with this pressure. */
export const pressed = (width, pressure) =>
  pressure === undefined ? width : width * (LIGHTEST + (1 - LIGHTEST) * 2 * pressure);

function paintBrought(context, { shown, width, height }) {
  const { scale, left, top } = placed(width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(shown, left, top, width * scale, height * scale);
}

function paintLine(context, line, width) {
  const [first, ...rest] = line;
  if (rest.length === 0) {
    context.beginPath();
    context.arc(first[0], first[1], pressed(width, first[2]) / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  if (first.length > 2) return paintPressed(context, line, width);
  context.beginPath();
  context.lineWidth = width;
  context.moveTo(first[0], first[1]);
  for (const [x, y] of rest) context.lineTo(x, y);
  context.stroke();
}

function paintPressed(context, line, width) {
  for (let i = 1; i < line.length; i += 1) {
    const [from, to] = [line[i - 1], line[i]];
    context.beginPath();
    context.lineWidth = pressed(width, (from[2] + to[2]) / 2);
    context.moveTo(from[0], from[1]);
    context.lineTo(to[0], to[1]);
    context.stroke();
  }
}
