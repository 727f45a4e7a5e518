// Painting of line charts on a canvas: ten runs of a thousand epochs take a few milliseconds.

import { firstFrom, linePoints, logTicks, ticks } from "./scale.js";

export const MARGIN = { left: 70, right: 14, top: 12, bottom: 46 };
const MARKERS_ON_A_LINE = 9;
const MARKER_RADIUS = 4;
const TICK_ROOM = { x: 64, y: 48 }; // pixels

/**
 * The axes of a chart of `width` × `height` CSS pixels in the colours of `theme`, with as many ticks as fit.
 * `xText(value)` and `yText(value)` format them; with `isWhole` the x axis has whole numbers only.
 */
export function frameOf({ isLog = false, isWhole = false, xText, yText, ...axes }) {
  const { width, height, xRange, yRange } = axes;
  const columns = Math.max(2, Math.floor((width - MARGIN.left - MARGIN.right) / TICK_ROOM.x));
  const rows = Math.max(3, Math.floor((height - MARGIN.top - MARGIN.bottom) / TICK_ROOM.y));
  const written = (values, text) => values.map((value) => ({ value, text: text(value) }));
  return { ...axes, isLog, xTicks: written(ticks(...xRange, columns, isWhole), xText), yTicks: written(isLog ? logTicks(...yRange) : ticks(...yRange, rows), yText) };
}

/**
 * Paints the axes of a frame (of `frameOf`) and series `{x, y, raw, style}`; `raw` is y before smoothing, or null.
 */
export function paintChart(pen, frame, series) {
  const { width, height, theme } = frame;
  const place = placing(frame);
  pen.fillStyle = theme.sheet;
  pen.fillRect(0, 0, width, height);
  paintAxes(pen, frame, place);
  pen.save();
  pen.beginPath();
  pen.rect(MARGIN.left - 6, MARGIN.top - 6, width - MARGIN.left - MARGIN.right + 12, height - MARGIN.top - MARGIN.bottom + 12);
  pen.clip();
  for (const line of series) if (line.raw !== null) paintLine(pen, frame, place, { ...line, y: line.raw, style: { ...line.style, dash: [] } }, 0.22, 1);
  for (const line of series) paintLine(pen, frame, place, line, 1, 2);
  series.forEach((line, i) => paintMarkers(pen, frame, place, line, (i * 0.37) % 1));
  pen.restore();
}

/** `x(value)` and `y(value)`, pixels of a value; `xAt(pixels)`, the value there. */
export function placing({ width, height, xRange, yRange, isLog }, margin = MARGIN) {
  const scale = isLog ? Math.log : (value) => value;
  const [low, high] = yRange.map(scale);
  const [across, up] = [width - margin.left - margin.right, height - margin.top - margin.bottom];
  return {
    x: (value) => margin.left + ((value - xRange[0]) / (xRange[1] - xRange[0])) * across,
    y: (value) => margin.top + (1 - (scale(value) - low) / (high - low)) * up,
    xAt: (pixels) => xRange[0] + ((pixels - margin.left) / across) * (xRange[1] - xRange[0]),
  };
}

function paintAxes(pen, { width, height, xTicks, yTicks, xTitle, yTitle, theme }, place) {
  const [left, right, bottom] = [MARGIN.left, width - MARGIN.right, height - MARGIN.bottom];
  pen.font = `${theme["chart-type"]} ${theme.font}`;
  pen.lineWidth = 1;
  pen.setLineDash([]);
  pen.strokeStyle = theme.line;
  pen.fillStyle = theme.soft;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const { value, text } of yTicks) {
    const y = Math.round(place.y(value)) + 0.5;
    pen.beginPath();
    pen.moveTo(left, y);
    pen.lineTo(right, y);
    pen.stroke();
    pen.fillText(text, left - 8, y);
  }
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const { value, text } of xTicks) {
    const most = width - 2 - pen.measureText(text).width / 2; // the last one is not cut off
    pen.fillText(text, Math.min(place.x(value), most), bottom + 7);
  }
  pen.fillText(xTitle, (left + right) / 2, bottom + 27);
  pen.save();
  pen.translate(12, (MARGIN.top + bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.textBaseline = "middle";
  pen.fillText(yTitle, 0, 0);
  pen.restore();
}

function paintLine(pen, { width, xRange, isLog, theme }, place, line, alpha, lineWidth) {
  const points = linePoints(line, xRange, Math.max(1, Math.round(width - MARGIN.left - MARGIN.right)));
  pen.globalAlpha = alpha;
  pen.strokeStyle = theme[line.style.color];
  pen.lineWidth = lineWidth;
  pen.lineJoin = "round";
  pen.setLineDash(line.style.dash);
  pen.beginPath();
  let isOpen = false;
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i], points[i + 1]];
    if (!Number.isFinite(y) || (isLog && y <= 0)) {
      isOpen = false;
      continue;
    }
    if (isOpen) pen.lineTo(place.x(x), place.y(y));
    else pen.moveTo(place.x(x), place.y(y));
    isOpen = true;
  }
  pen.stroke();
  pen.globalAlpha = 1;
  pen.setLineDash([]);
}

/** A few markers on every line, at different positions on each, and one at its end. */
function paintMarkers(pen, { xRange, isLog, theme }, place, { x, y, style: { color, marker } }, shift) {
  const [start, end] = [firstFrom(x, xRange[0]), firstFrom(x, xRange[1] + 1e-9)];
  if (end <= start) return;
  const step = Math.max(1, (end - start) / MARKERS_ON_A_LINE);
  const places = new Set([end - 1]);
  for (let at = start + (step > 1 ? step * shift : 0); at < end; at += step) places.add(Math.floor(at));
  pen.fillStyle = theme[color];
  pen.strokeStyle = theme.sheet;
  pen.lineWidth = 1;
  for (const i of places) {
    if (!Number.isFinite(y[i]) || (isLog && y[i] <= 0)) continue;
    pen.beginPath();
    marker(pen, place.x(x[i]), place.y(y[i]), MARKER_RADIUS);
    pen.fill();
    pen.stroke();
  }
}
