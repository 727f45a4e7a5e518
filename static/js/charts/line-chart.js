// A chart of a few lines for the lessons, painted as the comparison of runs is; a slider under it reads every line.

import { short, slider } from "../lib/controls.js";
import { element, setText } from "../lib/dom.js";
import { onThemeChange } from "../lib/theme.js";
import { fitted, readTheme } from "./canvas.js";
import { frameOf, paintChart, placing } from "./paint.js";
import { extent, nearest, padded } from "./scale.js";
import { createLegendItem, repaintSamples, styleAt } from "./series-style.js";

const PLACES = 240; // of the slider

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

  const styled = (one, index) => ({ ...one, style: styleAt(one.style ?? index) });
  const item = (one, index) => createLegendItem(styled(one, index), away, draw, element("output", { class: "figure-value" }));

  function draw() {
    const place = state === null ? null : fitted(canvas);
    if (place === null) return;
    const { isLog = false } = state;
    const shown = state.series.map((one, index) => ({ ...styled(one, index), raw: null })).filter(({ id }) => !away.has(id));
    const found = extent(shown, xRange, isLog);
    const yRange = state.yRange ?? (found === null ? (isLog ? [0.01, 1] : [0, 1]) : padded(found, isLog));
    const { width, height } = place;
    frame = frameOf({ width, height, theme: readTheme(), isLog, isWhole: state.wholeX, xRange, yRange, xTitle: state.xTitle ?? xTitle, yTitle: state.yTitle ?? yTitle, xText: short, yText: short });
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
  onThemeChange(() => {
    repaintSamples();
    draw();
  });
  return { node, show };
}
