// A chart of a few lines for the lessons, painted as the comparison of runs is; a slider under it reads every line.

import { short, slider } from "../lib/controls.js";
import { element, setText } from "../lib/dom.js";
import { onThemeChange } from "../lib/theme.js";
import { MARGIN, paintChart, placing } from "./paint.js";
import { readTheme } from "./plotly.js";
import { extent, logTicks, nearest, padded, ticks } from "./scale.js";
import { paintSample, styleAt } from "./series-style.js";

const PLACES = 240; // of the slider

/** The colour of line `index`, as the page has it now. */
export const seriesColor = (index) => getComputedStyle(document.documentElement).getPropertyValue(`--series-${(index % 8) + 1}`).trim();

/** Sizes a canvas to its place on the page, sharp on every screen. Gives `{pen, width, height}`, or null where it has none. */
export function fitted(canvas) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (width === 0 || height === 0) return null;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { pen, width, height };
}

/**
 * `show({series, xRange, yRange, isLog})` draws lines `{id, name, x, y}` with rising x; the ranges are found where they are
 * left out. `toggles` makes a button of every line, which hides it; `hidden` are the ids that begin so.
 */
export function createLines({ label, xTitle, yTitle, readAt, hidden = [], fixedX = null }) {
  const away = new Set(hidden);
  const canvas = element("canvas", { class: "figure-canvas", role: "img", "aria-label": label });
  const cursor = element("div", { class: "figure-cursor" });
  const area = element("div", { class: "figure-chart" }, canvas, cursor);
  const legend = element("div", { class: "figure-legend", role: "group", "aria-label": label });
  let [state, frame, xRange] = [null, null, [0, 1]];
  const reader = slider(readAt, { min: 0, max: PLACES, step: 1, value: PLACES / 2, show: (place) => short(xOf(place)) }, read);
  const node = element("div", { class: "figure-lines" }, area, reader.node, legend);

  function xOf(place) {
    return xRange[0] + ((xRange[1] - xRange[0]) * place) / PLACES;
  }

  function show(next) {
    state = next;
    const xs = state.series.flatMap(({ x }) => [x[0], x.at(-1)]).filter(Number.isFinite);
    xRange = state.xRange ?? fixedX ?? (xs.length > 0 ? [Math.min(...xs), Math.max(...xs)] : [0, 1]);
    if (!(xRange[1] > xRange[0])) xRange = [xRange[0] - 0.5, xRange[0] + 0.5];
    legend.replaceChildren(...state.series.map(item));
    draw();
    reader.set(reader.value());
  }

  function item(one, index) {
    const sample = element("canvas", { class: "figure-sample", "aria-hidden": "true" });
    const value = element("output", { class: "figure-value" });
    const node_ = element("button", { type: "button", class: "figure-line", "data-line": one.id, "aria-pressed": String(!away.has(one.id)) }, sample, element("span", {}, one.name), value);
    node_.addEventListener("click", () => {
      if (away.has(one.id)) away.delete(one.id);
      else away.add(one.id);
      node_.setAttribute("aria-pressed", String(!away.has(one.id)));
      draw();
    });
    paintSample(sample, styleAt(one.style ?? index), seriesColor(one.style ?? index));
    return node_;
  }

  function draw() {
    const place = state === null ? null : fitted(canvas);
    if (place === null) return;
    const { isLog = false } = state;
    const shown = state.series
      .map((one, index) => ({ ...one, raw: null, ...styleAt(one.style ?? index), color: seriesColor(one.style ?? index) }))
      .filter(({ id }) => !away.has(id));
    const found = extent(shown, xRange, isLog);
    const yRange = state.yRange ?? (found === null ? (isLog ? [0.01, 1] : [0, 1]) : padded(found, isLog));
    const high = Math.max(3, Math.floor((place.height - MARGIN.top - MARGIN.bottom) / 48));
    const room = Math.max(2, Math.floor((place.width - MARGIN.left - MARGIN.right) / 64));
    frame = {
      ...{ width: place.width, height: place.height, theme: readTheme(), isLog, xRange, yRange, xTitle: state.xTitle ?? xTitle, yTitle: state.yTitle ?? yTitle },
      xTicks: ticks(...xRange, room, state.wholeX).map((value) => ({ value, text: short(value) })),
      yTicks: (isLog ? logTicks(...yRange) : ticks(...yRange, high)).map((value) => ({ value, text: short(value) })),
    };
    paintChart(place.pen, frame, shown);
    read();
  }

  function read() {
    if (frame === null) return;
    const x = xOf(reader.value());
    cursor.style.transform = `translateX(${placing(frame).x(x)}px)`;
    state.series.forEach((one, index) => {
      const at = nearest(one.x, x);
      setText(legend.children[index].querySelector(".figure-value"), at < 0 ? "–" : short(one.y[at]));
    });
  }

  area.addEventListener("pointermove", (event) => {
    if (frame === null) return;
    const x = placing(frame).xAt(event.clientX - area.getBoundingClientRect().left);
    reader.set(Math.round(((x - xRange[0]) / (xRange[1] - xRange[0])) * PLACES));
    read();
  });
  new ResizeObserver(draw).observe(area);
  onThemeChange(() => state !== null && show(state));
  return { node, show };
}
