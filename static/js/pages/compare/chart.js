// The chart on which runs are compared: one metric, a line for each run; hover, zoom, and the keys that do the same.

import { MARGIN, paintChart, placing } from "../../charts/paint.js";
import { extent, logTicks, nearest, padded, pinched, smoothed, ticks, within } from "../../charts/scale.js";
import { paintSample } from "../../charts/series-style.js";
import { duration } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { byId, element, setText } from "../../lib/dom.js";
import { onThemeChange } from "../../lib/theme.js";
import { METRICS } from "./metrics.js";

const PNG = { width: 1100, height: 620, scale: 2, line: 24 };
const LEAST_ZOOM_PIXELS = 8;
const DOUBLE_TAP = { milliseconds: 350, pixels: 30 };
const EMPTY = { x: [0, 10], y: [0, 1], log: [0.01, 1] };

/**
 * Binds the chart of the page. `show({lines, metric, axis, scale, weight, lastX})` draws lines `{id, name, style, points,
 * isShown}`; `axis` is "epoch" or "elapsed", `scale` "linear" or "log", `weight` the smoothing from 0 to under 1.
 */
export function createCompareChart() {
  const area = byId("compare-chart");
  const canvas = byId("compare-canvas");
  const tip = byId("compare-tip");
  const cursor = byId("compare-cursor");
  const band = byId("compare-band");
  const whole = byId("compare-whole");
  let state = null;
  let zoom = null; // [from, to] of the x axis
  let hovered = null; // an x value
  let drag = null; // where a zoom begins, in pixels
  const fingers = new Map(); // the pixels of those that are down, by their pointers
  let pinch = null; // {start, range}: where two fingers came down, and what was shown then
  let tap = { time: -Infinity, at: 0 };
  let frame = null;
  let series = [];
  let asked = 0;
  let theme = readTheme();
  const memory = new Map(); // smoothed lines by run, as long as nothing came to them

  function show(next) {
    if (state !== null && next.axis !== state.axis) zoom = null;
    state = next;
    ask();
  }

  function ask() {
    if (asked === 0) asked = requestAnimationFrame(draw);
  }

  function draw() {
    asked = 0;
    const box = { width: area.clientWidth, height: area.clientHeight };
    if (state === null || box.width === 0) return;
    series = seriesOf();
    frame = frameOf(series, box);
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(box.width * ratio) || canvas.height !== Math.round(box.height * ratio)) {
      canvas.width = Math.round(box.width * ratio);
      canvas.height = Math.round(box.height * ratio);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintChart(pen, frame, series);
    whole.hidden = zoom === null;
    if (hovered !== null) renderTip();
  }

  function seriesOf() {
    return state.lines
      .filter(({ isShown, points }) => isShown && points.length > 0)
      .map((line) => ({ ...line, ...valuesOf(line), color: theme.series[line.style.color], dash: line.style.dash, marker: line.style.marker }));
  }

  /** The x and y values of a line; kept until points come to it, as most lines stand still. */
  function valuesOf({ id, points }) {
    const { metric, axis, weight } = state;
    const key = [metric, axis, weight, points.length, points.at(-1).epoch, points[0].epoch].join();
    const known = memory.get(id);
    if (known?.key === key) return known.values;
    const exact = points.map((point) => point[metric]);
    const values = { x: points.map((point) => point[axis]), y: smoothed(exact, weight), raw: weight > 0 ? exact : null };
    memory.set(id, { key, values });
    return values;
  }

  function frameOf(shown, box) {
    const { metric, axis, scale } = state;
    const kind = METRICS[metric];
    const isLog = scale === "log";
    const filled = shown.filter(({ y }) => y.some((value) => Number.isFinite(value) && (!isLog || value > 0)));
    byId("compare-empty").hidden = filled.length > 0;
    if (filled.length === 0) setText(byId("compare-empty"), emptyText(isLog));
    const lastX = Math.max(...filled.map(({ x }) => x.at(-1)), axis === "epoch" ? (state.lastX ?? 0) : 0, 1);
    const firstX = axis === "epoch" ? Math.min(1, ...filled.map(({ x }) => x[0])) : 0;
    const wholeX = [firstX, Math.max(lastX, firstX + 1)];
    const xRange = filled.length === 0 ? EMPTY.x : (zoom ?? wholeX);
    const found = extent(filled, xRange, isLog);
    const yRange = found === null ? (isLog ? EMPTY.log : EMPTY.y) : padded(found, isLog);
    if (!isLog && kind.share) yRange[1] = Math.min(yRange[1], 1 + (yRange[1] - yRange[0]) * 0.02);
    const room = Math.max(2, Math.floor((box.width - MARGIN.left - MARGIN.right) / 64));
    const high = Math.max(3, Math.floor((box.height - MARGIN.top - MARGIN.bottom) / 48));
    const yValues = isLog ? logTicks(...yRange) : ticks(...yRange, high);
    return {
      ...box,
      theme,
      isLog,
      wholeX,
      xRange,
      yRange,
      xTitle: axis === "epoch" ? t("epoch") : t("seconds of training"),
      yTitle: kind.axis(),
      xTicks: ticks(...xRange, room, axis === "epoch").map((value) => ({ value, text: value.toLocaleString("en") })),
      yTicks: yValues.map((value) => ({ value, text: kind.tick(value) })),
    };
  }

  function emptyText(isLog) {
    if (state.lines.length === 0) return t("Choose runs below, and their curves are drawn here.");
    if (state.lines.every(({ isShown }) => !isShown)) return t("All lines are hidden. Show one in the list under the chart.");
    if (state.lines.every(({ points }) => points.length === 0)) return t("The curves begin after the first epoch.");
    return isLog ? t("There is nothing above zero to draw on a logarithmic scale.") : t("None of these runs has measured this.");
  }

  // What the pointer or the arrow keys are at

  function valuesAt(x) {
    return series
      .map((one) => {
        const i = nearest(one.x, x);
        const far = i < 0 || Math.abs(one.x[i] - x) > Math.max(0.5, (frame.xRange[1] - frame.xRange[0]) / 100);
        return { one, i, value: far ? NaN : one.y[i] };
      })
      .filter(({ value }) => Number.isFinite(value));
  }

  function renderTip() {
    const found = valuesAt(hovered);
    if (found.length === 0) return leave();
    const { text, share } = METRICS[state.metric];
    const at = state.axis === "epoch" ? t("epoch {n}", { n: Math.round(hovered) }) : duration(hovered);
    const lossLike = !share && state.metric.endsWith("loss");
    found.sort((a, b) => (lossLike ? a.value - b.value : b.value - a.value)); // the best first
    const rows = found.map(({ one, value }) => tipRow(one, text(value)));
    tip.replaceChildren(element("p", { class: "compare-tip-head" }, at), ...rows);
    [tip.hidden, cursor.hidden] = [false, false];
    const x = Math.min(frame.width - MARGIN.right, Math.max(MARGIN.left, placing(frame).x(hovered)));
    cursor.style.transform = `translateX(${x}px)`;
    const width = tip.offsetWidth;
    const beside = x + 14 + width < frame.width ? x + 14 : Math.max(0, x - 14 - width);
    tip.style.transform = `translate(${beside}px, ${MARGIN.top}px)`;
    return found.map(({ one, value }) => `${one.name} ${text(value)}`).join(", ");
  }

  function tipRow(one, text) {
    const sample = element("canvas", { class: "compare-sample", "aria-hidden": "true" });
    paintSample(sample, one.style, one.color);
    return element("p", {}, sample, element("span", { class: "compare-tip-name" }, one.name), element("strong", {}, text));
  }

  function leave() {
    hovered = null;
    [tip.hidden, cursor.hidden] = [true, true];
  }

  function hover(pixels) {
    if (frame === null || series.length === 0) return;
    const x = placing(frame).xAt(pixels);
    if (x < frame.xRange[0] || x > frame.xRange[1]) return leave();
    hovered = state.axis === "epoch" ? Math.round(x) : x;
    renderTip();
  }

  const pixelsOf = (event) => event.clientX - area.getBoundingClientRect().left;

  area.addEventListener("pointermove", (event) => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, pixelsOf(event));
    if (pinch !== null) return follow();
    if (drag === null) return hover(pixelsOf(event));
    const [from, to] = [drag, pixelsOf(event)].sort((a, b) => a - b);
    band.hidden = to - from < LEAST_ZOOM_PIXELS;
    band.style.left = `${from}px`;
    band.style.width = `${to - from}px`;
  });
  area.addEventListener("pointerleave", () => {
    if (drag === null) leave();
  });
  area.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") return touch(event);
    if (event.button !== 0 || series.length === 0) return hover(pixelsOf(event));
    drag = pixelsOf(event);
    area.setPointerCapture(event.pointerId);
  });
  area.addEventListener("pointerup", (event) => {
    lift(event);
    if (drag === null) return;
    const [from, to] = [drag, pixelsOf(event)].sort((a, b) => a - b);
    drag = null;
    band.hidden = true;
    if (to - from >= LEAST_ZOOM_PIXELS) zoomTo(placing(frame).xAt(from), placing(frame).xAt(to));
  });
  area.addEventListener("pointercancel", (event) => {
    lift(event);
    drag = null;
    band.hidden = true;
  });
  area.addEventListener("dblclick", () => zoomTo(null));
  whole.addEventListener("click", () => {
    zoomTo(null);
    area.focus();
  });

  // A finger reads the values, two enlarge and move what they hold, and two taps show all again.

  function touch(event) {
    const at = pixelsOf(event);
    const isSecond = event.timeStamp - tap.time < DOUBLE_TAP.milliseconds && Math.abs(at - tap.at) < DOUBLE_TAP.pixels;
    fingers.set(event.pointerId, at);
    area.setPointerCapture(event.pointerId);
    tap = { time: fingers.size === 1 ? event.timeStamp : -Infinity, at };
    if (fingers.size === 1 && isSecond) zoomTo(null);
    if (fingers.size === 2 && series.length > 0) {
      pinch = { start: held(), range: frame.xRange };
      leave();
    } else hover(at);
  }

  /** The pixels of two fingers, from the left end of the x axis. */
  const held = () => [...fingers.values()].slice(0, 2).map((at) => at - MARGIN.left);

  function follow() {
    zoom = pinched(pinch.range, pinch.start, held(), frame.width - MARGIN.left - MARGIN.right, frame.wholeX, leastZoom());
    ask();
  }

  function lift({ pointerId }) {
    fingers.delete(pointerId);
    if (fingers.size < 2) pinch = null;
  }

  const leastZoom = () => (state.axis === "epoch" ? 1 : 0.01);

  /** Shows a part of the x axis; null, or more than there is, shows it all. */
  function zoomTo(from, to) {
    zoom = from === null ? null : within(from, to - from, frame.wholeX, leastZoom());
    ask();
  }

  area.addEventListener("keydown", (event) => {
    if (frame === null || series.length === 0) return;
    const [from, to] = frame.xRange;
    const middle = hovered ?? (from + to) / 2;
    const step = state.axis === "epoch" ? Math.max(1, event.shiftKey ? Math.round((to - from) / 10) : 1) : (to - from) / (event.shiftKey ? 10 : 100);
    const moves = { ArrowLeft: -step, ArrowRight: step };
    if (event.key in moves) hovered = Math.min(to, Math.max(from, (hovered === null ? Math.round(middle) : hovered) + moves[event.key]));
    else if (event.key === "Home") hovered = from;
    else if (event.key === "End") hovered = to;
    else if (event.key === "+" || event.key === "=") zoomTo(middle - (middle - from) / 2, middle + (to - middle) / 2);
    else if (event.key === "-") zoomTo(2 * from - middle, 2 * to - middle);
    else if (event.key === "0" || event.key === "Escape") {
      zoomTo(null);
      return leave();
    } else return;
    event.preventDefault();
    if (hovered === null) return;
    if (state.axis === "epoch") hovered = Math.round(hovered);
    setText(byId("compare-spoken"), `${state.axis === "epoch" ? t("epoch {n}", { n: hovered }) : duration(hovered)}: ${renderTip() ?? ""}`);
  });
  area.addEventListener("blur", leave);

  new ResizeObserver(ask).observe(area);
  onThemeChange(() => {
    theme = readTheme();
    ask();
  });

  /** Saves the chart with its title and a legend as a picture. */
  function savePng(title, filename) {
    const shown = seriesOf();
    const legend = shown.length * PNG.line + 44;
    const large = element("canvas", { width: PNG.width * PNG.scale, height: (PNG.height + legend) * PNG.scale });
    const pen = large.getContext("2d");
    pen.scale(PNG.scale, PNG.scale);
    pen.fillStyle = theme.sheet;
    pen.fillRect(0, 0, PNG.width, PNG.height + legend);
    paintLegend(pen, title, shown);
    pen.translate(0, legend);
    paintChart(pen, frameOf(shown, { width: PNG.width, height: PNG.height }), shown);
    large.toBlob((blob) => {
      const url = URL.createObjectURL(blob);
      element("a", { href: url, download: filename }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    }, "image/png");
  }

  function paintLegend(pen, title, shown) {
    pen.fillStyle = theme.ink;
    pen.textBaseline = "middle";
    pen.font = `600 17px ${theme.font}`;
    pen.fillText(title, 16, 24);
    pen.font = `14px ${theme.font}`;
    shown.forEach((one, i) => {
      const sample = element("canvas");
      paintSample(sample, one.style, one.color);
      pen.drawImage(sample, 16, 44 + i * PNG.line, 40, 16);
      pen.fillStyle = theme.ink;
      pen.fillText(one.name, 66, 52 + i * PNG.line);
    });
  }

  return { show, savePng, colorOf: (style) => theme.series[style.color] };
}

/** The page's colours and face, as they are now. */
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ...Object.fromEntries(["ink", "soft", "line", "sheet", "font"].map((name) => [name, color(name)])),
    series: Array.from({ length: 8 }, (_, i) => color(`series-${i + 1}`)),
  };
}
