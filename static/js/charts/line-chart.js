// Line charts for lessons, painted like the comparison of runs: one or several over the same x, with one legend, and one
// slider that shows the values of all lines.

import { short, slider } from "../lib/controls.js";
import { element, setText } from "../lib/dom.js";
import { onThemeChange } from "../lib/theme.js";
import { fitted, readTheme } from "./canvas.js";
import { frameOf, paintChart, placing } from "./paint.js";
import { extent, nearest, padded } from "./scale.js";
import { createLegendItem, repaintSamples, styleAt } from "./series-style.js";

const POSITIONS = 240; // of the slider

/**
 * Charts of the `panels`, each `{label, yTitle, value}`; `value(text)` is a line's value in words. `show({series, xRange,
 * yRanges, isLog})` draws lines `{id, name, x, ys}` with rising x and an array of values for each panel, or one array `y`;
 * missing ranges are computed. A button toggles each line; `hidden` are the ids of initially hidden lines. `onRead(x)` is
 * called when somebody moves the slider, or presses a chart (or points at it, with `hovers`); `readAt(x)` moves it without that.
 */
export function createLines({ label, xTitle, yTitle, readAt, hidden = [], panels = [{ label, yTitle }], onRead = null, hovers = onRead === null }) {
  const hiddenIds = new Set(hidden);
  const areas = panels.map((panel) => {
    const canvas = element("canvas", { class: "figure-canvas", role: "img", "aria-label": panel.label });
    const cursor = element("div", { class: "figure-cursor" });
    return { ...panel, canvas, cursor, frame: null, node: element("div", { class: "figure-chart" }, canvas, cursor) };
  });
  const legend = element("div", { class: "figure-legend", role: "group", "aria-label": panels[0].label });
  let [state, xRange] = [null, [0, 1]];
  const reader = slider(readAt, { min: 0, max: POSITIONS, step: 1, value: POSITIONS / 2, show: (place) => short(xOf(place)) }, moved);
  const charts = element("div", { class: "figure-charts" }, ...areas.map(({ node }) => node));
  const node = element("div", { class: "figure-lines" }, charts, reader.node, legend);

  function xOf(place) {
    return xRange[0] + ((xRange[1] - xRange[0]) * place) / POSITIONS;
  }

  const placeOf = (x) => Math.round(((x - xRange[0]) / (xRange[1] - xRange[0])) * POSITIONS);

  function show(next) {
    state = { ...next, series: next.series.map((line) => ({ ...line, ys: line.ys ?? [line.y] })) };
    const xs = state.series.flatMap(({ x }) => [x[0], x.at(-1)]).filter(Number.isFinite);
    xRange = state.xRange ?? (xs.length > 0 ? [Math.min(...xs), Math.max(...xs)] : [0, 1]);
    if (!(xRange[1] > xRange[0])) xRange = [xRange[0] - 0.5, xRange[0] + 0.5];
    legend.replaceChildren(...state.series.map(item));
    draw();
    reader.set(reader.value());
  }

  const styled = (line, index) => ({ ...line, style: styleAt(line.style ?? index) });
  const item = (line, index) => createLegendItem(styled(line, index), hiddenIds, draw, element("output", { class: "figure-value" }));

  function draw() {
    for (const [i, area] of areas.entries()) drawArea(area, i);
    read();
  }

  function drawArea(area, i) {
    const place = state === null ? null : fitted(area.canvas);
    if (place === null) return;
    const { isLog = false } = state;
    const shown = state.series.map((line, index) => ({ ...styled(line, index), y: line.ys[i], raw: null })).filter(({ id }) => !hiddenIds.has(id));
    const found = extent(shown, xRange, isLog);
    const yRange = state.yRanges?.[i] ?? (found === null ? (isLog ? [0.01, 1] : [0, 1]) : padded(found, isLog));
    const { width, height } = place;
    area.frame = frameOf({ width, height, theme: readTheme(), isLog, isWhole: state.wholeX, xRange, yRange, xTitle: state.xTitle ?? xTitle, yTitle: state.yTitle ?? area.yTitle, xText: short, yText: short });
    paintChart(place.pen, area.frame, shown);
  }

  /** Shows the values at the reader. */
  function read() {
    if (state === null) return;
    const x = xOf(reader.value());
    for (const { frame, cursor } of areas) if (frame !== null) cursor.style.transform = `translateX(${placing(frame).x(x)}px)`;
    state.series.forEach((line, index) => {
      const at = nearest(line.x, x);
      const values = areas.map(({ value = (text) => text }, i) => value(at < 0 ? "–" : short(line.ys[i][at])));
      setText(legend.children[index].querySelector(".figure-value"), values.join(", "));
    });
  }

  function moved() {
    read();
    onRead?.(xOf(reader.value()));
  }

  for (const area of areas) {
    const follow = (event) => {
      if (area.frame === null || (!hovers && event.buttons === 0)) return; // a passing pointer does not stop a film
      reader.set(placeOf(placing(area.frame).xAt(event.clientX - area.node.getBoundingClientRect().left)));
      moved();
    };
    for (const name of ["pointerdown", "pointermove"]) area.node.addEventListener(name, follow);
    new ResizeObserver(draw).observe(area.node);
  }
  onThemeChange(() => {
    repaintSamples();
    draw();
  });
  return {
    node,
    show,
    readAt(x) {
      reader.set(placeOf(x));
      read();
    },
  };
}
