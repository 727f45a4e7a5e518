// Paints strokes on a canvas, sharp on every screen.

import { SIZE } from "./strokes.js";

/** Calls `onResize` at once and whenever the canvas or the screen's density changes, its bitmap fitted. */
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

/** Paints lines of the square, `[{line, width}]`, in the canvas's own text colour. */
export function paint(canvas, lines) {
  const context = canvas.getContext("2d");
  const scale = canvas.width / SIZE;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, SIZE, SIZE);
  context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
  context.lineCap = context.lineJoin = "round";
  for (const { line, width } of lines) paintLine(context, line, width);
}

function paintLine(context, line, width) {
  const [first, ...rest] = line;
  context.beginPath();
  if (rest.length === 0) {
    context.arc(first[0], first[1], width / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  context.lineWidth = width;
  context.moveTo(first[0], first[1]);
  for (const [x, y] of rest) context.lineTo(x, y);
  context.stroke();
}
