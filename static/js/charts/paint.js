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
export function frameOf({ isLog = false, isWhole = false, xText, yText, margin = MARGIN, ...axes }) {
  const { width, height, xRange, yRange } = axes;
  const columns = Math.max(2, Math.floor((width - margin.left - margin.right) / TICK_ROOM.x));
  const rows = Math.max(3, Math.floor((height - margin.top - margin.bottom) / TICK_ROOM.y));
  const written = (values, text) => values.map((value) => ({ value, text: text(value) }));
  return { ...axes, margin, isLog, xTicks: written(ticks(...xRange, columns, isWhole), xText), yTicks: written(isLog ? logTicks(...yRange) : ticks(...yRange, rows), yText) };
}

/**
 * Paints the axes of a frame (of `frameOf`) and series `{x, y, raw, style}`; `raw` is y before smoothing, or null.
 */
export function paintChart(pen, frame, series) {
  const { width, height, theme, margin } = frame;
  const place = placing(frame);
  pen.fillStyle = theme.sheet;
  pen.fillRect(0, 0, width, height);
  paintAxes(pen, frame, place);
  pen.save();
  pen.beginPath();
  pen.rect(margin.left - 6, margin.top - 6, width - margin.left - margin.right + 12, height - margin.top - margin.bottom + 12);
  pen.clip();
  for (const line of series) if (line.raw !== null) paintLine(pen, frame, place, { ...line, y: line.raw, style: { ...line.style, dash: [] } }, 0.22, 1);
  for (const line of series) paintLine(pen, frame, place, line, line.style.alpha ?? 1, line.style.width ?? 2);
  series.forEach((line, i) => paintMarkers(pen, frame, place, line, (i * 0.37) % 1));
  pen.restore();
  if (frame.isNamed) paintNames(pen, frame, place, series);
}

/** `x(value)` and `y(value)`, pixels of a value; `xAt(pixels)`, the value there. */
export function placing({ width, height, xRange, yRange, isLog, margin: own }, margin = own ?? MARGIN) {
  const scale = isLog ? Math.log : (value) => value;
  const [low, high] = yRange.map(scale);
  const [across, up] = [width - margin.left - margin.right, height - margin.top - margin.bottom];
  return {
    x: (value) => margin.left + ((value - xRange[0]) / (xRange[1] - xRange[0])) * across,
    y: (value) => margin.top + (1 - (scale(value) - low) / (high - low)) * up,
    xAt: (pixels) => xRange[0] + ((pixels - margin.left) / across) * (xRange[1] - xRange[0]),
  };
}

function paintAxes(pen, { width, height, xTicks, yTicks, xTitle, yTitle, theme, margin }, place) {
  const [left, right, bottom] = [margin.left, width - margin.right, height - margin.bottom];
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
  pen.translate(12, (margin.top + bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.textBaseline = "middle";
  pen.fillText(yTitle, 0, 0);
  pen.restore();
}

function paintLine(pen, { width, xRange, isLog, theme, margin }, place, line, alpha, lineWidth) {
  const points = linePoints(line, xRange, Math.max(1, Math.round(width - margin.left - margin.right)));
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
  if (marker === null) return;
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

/** The name of every line at its end, in its colour; names that would overlap move apart. */
function paintNames(pen, { width, height, xRange, isLog, theme, margin }, place, series) {
  const size = parseFloat(theme["chart-type"]);
  const [top, bottom] = [margin.top + size / 2, height - margin.bottom - size / 2];
  const names = series
    .map(({ x, y, name, style }) => {
      const end = firstFrom(x, xRange[1] + 1e-9) - 1;
      const isDrawn = end >= 0 && x[end] >= xRange[0] && Number.isFinite(y[end]) && (!isLog || y[end] > 0);
      return isDrawn ? { name, color: theme[style.color], x: place.x(x[end]) + 10, y: Math.min(bottom, Math.max(top, place.y(y[end]))) } : null;
    })
    .filter((one) => one !== null)
    .sort((a, b) => a.y - b.y);
  const gap = size + 3;
  for (let i = 1; i < names.length; i++) names[i].y = Math.max(names[i].y, names[i - 1].y + gap);
  for (let i = names.length - 1, most = bottom; i >= 0; i--, most = names[i + 1].y - gap) names[i].y = Math.min(names[i].y, most);
  pen.font = `${theme["chart-type"]} ${theme.font}`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  for (const { name, color, x, y } of names) {
    pen.fillStyle = color;
    pen.fillText(shortened(pen, name, width - x - 4), x, y);
  }
}

function shortened(pen, text, most) {
  if (pen.measureText(text).width <= most) return text;
  let end = text.length;
  while (end > 1 && pen.measureText(`${text.slice(0, end)}…`).width > most) end--;
  return `${text.slice(0, end)}…`;
}

/** The margin with room for the names of lines at the right: for the longest, up to a quarter of `width`. */
export function marginWithNames(pen, theme, names, width) {
  pen.font = `${theme["chart-type"]} ${theme.font}`;
  const longest = Math.max(0, ...names.map((name) => pen.measureText(name).width));
  return { ...MARGIN, right: MARGIN.right + Math.min(Math.ceil(longest), width / 4) };
}
