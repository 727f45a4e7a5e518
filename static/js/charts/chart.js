// A line chart over the epochs or seconds of runs; values and zoom work with pointer, touch and keyboard.

import { duration } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { element, setMessage } from "../lib/dom.js";
import { saveFile } from "../lib/save-file.js";
import { onThemeChange } from "../lib/theme.js";
import { fitted, readTheme } from "./canvas.js";
import { MARGIN, frameOf, marginWithNames, paintChart, placing } from "./paint.js";
import { extent, nearest, padded, pinched, smoothed, within, zoomed } from "./scale.js";
import { createSample, repaintSamples } from "./series-style.js";

const PNG = { width: 1100, height: 620, scale: 2, line: 24 };
const LEAST_DRAG = 8; // pixels
const DOUBLE_TAP = { milliseconds: 350, pixels: 30 };
const ZOOM_STEP = 2;
const WHEEL_STEP = 100; // pixels of a wheel for a zoom by e
const LOG_DECADES = 2; // of an empty axis
const NAMED_WIDTH = 520; // pixels of a chart with names beside its lines
const MOST_NAMED = 16; // more would not stand beside their lines
const LEAST_RANGE = { epoch: 2, elapsed: 0.01 };

/**
 * Binds the chart in `area`, which has the role of a slider and contains a `.chart-empty`. `show(figure)` draws
 *
 * - `lines`, `{id, name, style, x, y, isShown}` with rising x, smoothed with `weight` (0 to under 1), named at their
 *   ends if it `isNamed`; one that `isGuest` does not set the range of the y axis,
 * - over an `axis` of "epoch" or "elapsed" seconds, at least up to `lastX`, or over the range `zoom`,
 * - against `yTitle` in a `format` of runs/metrics.js, `isLog` or linear, and then `fromZero`; from 0 to `start` while
 *   there are no values, with the text `empty`; `order`, "high" or "low", sorts the values at the cursor. A line with
 *   `isDetail` has a value there and sets the axis only where no other line does.
 *
 * `onZoom(range)` gets the range of the x axis to show, null for all of it.
 */
export function createChart(area, { onZoom }) {
  const canvas = element("canvas", { class: "chart-canvas", "aria-hidden": "true" });
  const cursor = element("div", { class: "chart-cursor", hidden: true });
  const band = element("div", { class: "chart-band", hidden: true });
  const tip = element("div", { class: "chart-tip", hidden: true });
  const empty = area.querySelector(".chart-empty");
  area.prepend(canvas, cursor, band);
  area.append(tip);
  let figure = null;
  let series = []; // the visible lines, smoothed
  let frame = null;
  let theme = readTheme();
  let request = 0; // of an animation frame
  let hovered = null; // an x value
  let drag = null; // the start of a zoom, in pixels
  const fingers = new Map(); // positions in pixels, by pointer
  let pinch = null; // {start, range}: the initial positions of two fingers, and the range then
  let tap = { time: -Infinity, at: 0 };

  function show(next) {
    figure = next;
    redraw();
  }

  function redraw() {
    if (request === 0) request = requestAnimationFrame(draw);
  }

  function draw() {
    request = 0;
    const place = figure === null ? null : fitted(canvas);
    if (place === null) return;
    series = seriesOf();
    frame = axesOf(place, marginOf(place));
    paintChart(place.pen, frame, series);
    setMessage(empty, series.length === 0 ? emptyText() : "");
    if (hovered === null) speak();
    else renderTip();
  }

  const isDrawn = (value) => Number.isFinite(value) && (!figure.isLog || value > 0);

  function seriesOf() {
    const { lines, weight = 0 } = figure;
    return lines
      .filter(({ isShown, y }) => isShown && y.some(isDrawn))
      .map((line) => ({ ...line, y: smoothed(line.y, weight), raw: weight > 0 ? line.y : null }));
  }

  /** Lines have their names beside them where the figure asks for it, and where there is room. */
  function marginOf({ pen, width }) {
    const isNamed = figure.isNamed && width >= NAMED_WIDTH && series.length <= MOST_NAMED;
    return isNamed ? marginWithNames(pen, theme, series.map(({ name }) => name), width) : MARGIN;
  }

  function axesOf({ width, height }, margin = MARGIN) {
    const { axis, isLog, zoom, format, fromZero, start = 1 } = figure;
    const isWhole = axis === "epoch";
    const firstX = isWhole ? Math.floor(Math.min(1, ...series.map(({ x }) => x[0]))) : 0;
    const lastX = Math.max(figure.lastX ?? 0, ...series.map(({ x }) => x.at(-1))) || 10;
    const wholeX = [firstX, Math.max(lastX, firstX + 1)];
    const xRange = zoom ?? wholeX;
    const measured = series.filter(({ isGuest }) => !isGuest);
    const main = [measured.filter(({ isDetail }) => !isDetail), measured].find((lines) => lines.some(({ x }) => x.length > 1));
    const found = extent(main ?? series, xRange, isLog);
    const yRange = found === null ? [isLog ? start / 10 ** LOG_DECADES : 0, start] : padded(found, isLog);
    if (!isLog && fromZero && zoom === null) yRange[0] = 0;
    if (!isLog && format.isShare) yRange[1] = Math.min(yRange[1], 1 + (yRange[1] - yRange[0]) * 0.02);
    const xTitle = isWhole ? t("epoch") : t("seconds of training");
    return { ...frameOf({ width, height, theme, margin, isNamed: margin !== MARGIN, isLog, isWhole, xRange, yRange, xTitle, yTitle: figure.yTitle, xText: (value) => value.toLocaleString("en"), yText: format.tick }), wholeX };
  }

  function emptyText() {
    const { lines, isLog } = figure;
    if (lines.length > 0 && lines.every(({ isShown }) => !isShown)) return t("All lines are hidden. Show one in the list under the chart.");
    if (isLog && lines.some(({ y }) => y.some(Number.isFinite))) return t("There are no values above zero to draw on a logarithmic scale.");
    return figure.empty;
  }

  // The values at the cursor

  function valuesAt(x) {
    const reach = Math.max(0.5, (frame.xRange[1] - frame.xRange[0]) / 100);
    const all = series
      .map((line) => ({ line, i: nearest(line.x, x) }))
      .filter(({ line, i }) => Math.abs(line.x[i] - x) <= reach && Number.isFinite(line.y[i]))
      .map(({ line, i }) => ({ line, value: line.y[i] }));
    const main = all.filter(({ line }) => !line.isDetail);
    const found = main.length > 0 ? main : all;
    const sign = { low: 1, high: -1 }[figure.order] ?? 0;
    return found.sort((a, b) => sign * (a.value - b.value));
  }

  const nameOf = (x) => (figure.axis === "epoch" ? t("epoch {n}", { n: Number(x.toFixed(2)) }) : duration(x));

  /** The first and the last x of the lines within the visible range. */
  function ends() {
    const [from, to] = frame.xRange;
    const [first, last] = [Math.min(...series.map(({ x }) => x[0])), Math.max(...series.map(({ x }) => x.at(-1)))];
    const inside = [Math.max(from, first), Math.min(to, last)];
    const whole = [Math.ceil(inside[0]), Math.floor(inside[1])];
    return figure.axis === "epoch" && whole[0] <= whole[1] ? whole : inside;
  }

  /** Sets the values at the cursor, or the last ones, as the text for screen readers. */
  function speak() {
    const [first, last] = series.length === 0 ? [0, 0] : ends();
    const x = hovered ?? last;
    const words = series.length === 0 ? [empty.textContent] : [nameOf(x), ...valuesAt(x).map(({ line, value }) => `${line.name} ${figure.format.text(value)}`)];
    const values = { valuemin: first, valuemax: last, valuenow: x, valuetext: words.join(", ") };
    for (const [name, value] of Object.entries(values)) area.setAttribute(`aria-${name}`, String(value));
  }

  function renderTip() {
    const found = valuesAt(hovered);
    if (found.length === 0) return leave();
    tip.replaceChildren(element("p", { class: "chart-tip-head" }, nameOf(hovered)), ...found.map(tipRow));
    [tip.hidden, cursor.hidden] = [false, false];
    const x = Math.min(frame.width - frame.margin.right, Math.max(MARGIN.left, placing(frame).x(hovered)));
    cursor.style.transform = `translateX(${x}px)`;
    const width = tip.offsetWidth;
    const beside = x + 14 + width < frame.width ? x + 14 : Math.max(0, x - 14 - width);
    tip.style.transform = `translate(${beside}px, ${MARGIN.top}px)`;
    speak();
  }

  const tipRow = ({ line, value }) => element("p", {}, createSample(line.style, theme), element("span", { class: "chart-tip-name" }, line.name), element("strong", {}, figure.format.text(value)));

  function leave() {
    hovered = null;
    [tip.hidden, cursor.hidden] = [true, true];
    if (frame !== null) speak();
  }

  function hover(pixels) {
    if (series.length === 0) return;
    const x = placing(frame).xAt(pixels);
    if (x < frame.xRange[0] || x > frame.xRange[1]) return leave();
    hovered = figure.axis === "epoch" ? Math.round(x) : x;
    renderTip();
  }

  // Zoom: a drag, two fingers, a wheel with Ctrl (which is also a trackpad's pinch), the keys

  const pixelsOf = (event) => event.clientX - area.getBoundingClientRect().left;
  const least = () => LEAST_RANGE[figure.axis];
  const scaleZoom = (factor, at) => onZoom(zoomed(frame.xRange, frame.wholeX, factor, least(), at));

  area.addEventListener("pointermove", (event) => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, pixelsOf(event));
    if (pinch !== null) return onZoom(pinched(pinch.range, pinch.start, held(), frame.width - MARGIN.left - frame.margin.right, frame.wholeX, least()));
    if (drag === null) return hover(pixelsOf(event));
    const [from, to] = [drag, pixelsOf(event)].sort((a, b) => a - b);
    band.hidden = to - from < LEAST_DRAG;
    band.style.left = `${from}px`;
    band.style.width = `${to - from}px`;
  });
  area.addEventListener("pointerleave", () => {
    if (drag === null) leave();
  });
  area.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") return touch(event);
    if (event.button !== 0 || series.length === 0) return;
    drag = pixelsOf(event);
    area.setPointerCapture(event.pointerId);
  });
  area.addEventListener("pointerup", (event) => {
    const start = drag;
    lift(event);
    if (start === null) return;
    const [from, to] = [start, pixelsOf(event)].sort((a, b) => a - b);
    if (to - from < LEAST_DRAG) return;
    const [low, high] = [from, to].map(placing(frame).xAt);
    onZoom(within(low, high - low, frame.wholeX, least()));
  });
  area.addEventListener("pointercancel", lift);
  area.addEventListener("dblclick", () => onZoom(null));
  area.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey || series.length === 0) return;
      event.preventDefault();
      scaleZoom(Math.exp(event.deltaY / WHEEL_STEP), placing(frame).xAt(pixelsOf(event)));
    },
    { passive: false },
  );

  // One finger shows values, two zoom and pan, and a double tap resets.

  function touch(event) {
    const at = pixelsOf(event);
    const isSecond = event.timeStamp - tap.time < DOUBLE_TAP.milliseconds && Math.abs(at - tap.at) < DOUBLE_TAP.pixels;
    fingers.set(event.pointerId, at);
    area.setPointerCapture(event.pointerId);
    tap = { time: fingers.size === 1 ? event.timeStamp : -Infinity, at };
    if (fingers.size === 1 && isSecond) onZoom(null);
    if (fingers.size === 2 && series.length > 0) {
      pinch = { start: held(), range: frame.xRange };
      leave();
    } else hover(at);
  }

  /** The pixels of two fingers, from the left end of the x axis. */
  const held = () => [...fingers.values()].slice(0, 2).map((at) => at - MARGIN.left);

  function lift({ pointerId }) {
    fingers.delete(pointerId);
    if (fingers.size < 2) pinch = null;
    drag = null;
    band.hidden = true;
  }

  area.addEventListener("keydown", (event) => {
    if (series.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const [first, last] = ends();
    const isWhole = figure.axis === "epoch";
    const [step, page] = [100, 10].map((parts) => (isWhole ? Math.max(1, Math.round((last - first) / parts)) : (last - first) / parts));
    const arrow = event.shiftKey ? page : isWhole ? 1 : step;
    const at = hovered ?? last;
    const moves = { ArrowRight: at + arrow, ArrowUp: at + arrow, ArrowLeft: at - arrow, ArrowDown: at - arrow, PageUp: at + page, PageDown: at - page, Home: first, End: last };
    if (event.key in moves) {
      hovered = Math.min(last, Math.max(first, moves[event.key]));
      renderTip();
    } else if (event.key === "+" || event.key === "=") scaleZoom(1 / ZOOM_STEP, hovered ?? undefined);
    else if (event.key === "-") scaleZoom(ZOOM_STEP, hovered ?? undefined);
    else if (event.key === "0" || event.key === "Escape") {
      onZoom(null);
      leave();
    } else return;
    event.preventDefault();
  });
  area.addEventListener("blur", leave);

  new ResizeObserver(redraw).observe(area);
  onThemeChange(() => {
    theme = readTheme();
    repaintSamples();
    redraw();
  });

  /** Saves the chart as a picture with a title and a legend. */
  function savePng(title, filename) {
    const legend = series.length * PNG.line + 44;
    const large = element("canvas", { width: PNG.width * PNG.scale, height: (PNG.height + legend) * PNG.scale });
    const pen = large.getContext("2d");
    pen.scale(PNG.scale, PNG.scale);
    pen.fillStyle = theme.sheet;
    pen.fillRect(0, 0, PNG.width, PNG.height + legend);
    paintLegend(pen, title);
    pen.translate(0, legend);
    paintChart(pen, axesOf(PNG), series);
    large.toBlob((blob) => saveFile(blob, filename), "image/png");
  }

  function paintLegend(pen, title) {
    pen.fillStyle = theme.ink;
    pen.textBaseline = "middle";
    pen.font = `600 17px ${theme.font}`;
    pen.fillText(title, 16, 24);
    pen.font = `14px ${theme.font}`;
    series.forEach(({ style, name }, i) => {
      pen.drawImage(createSample(style, theme), 16, 44 + i * PNG.line, 40, 16);
      pen.fillText(name, 66, 52 + i * PNG.line);
    });
  }

  return { show, savePng, scaleZoom };
}
