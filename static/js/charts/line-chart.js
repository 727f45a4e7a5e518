// A line chart for lessons, painted like the comparison of runs, with a slider that shows the values of all lines.

import { short, slider } from "../lib/controls.js";
import { element, setText } from "../lib/dom.js";
import { onThemeChange } from "../lib/theme.js";
import { fitted, readTheme } from "./canvas.js";
import { frameOf, paintChart, placing } from "./paint.js";
import { extent, nearest, padded } from "./scale.js";
import { createLegendItem, repaintSamples, styleAt } from "./series-style.js";

const POSITIONS = 240; // of the slider

/**
 * `show({series, xRange, yRange, isLog})` draws lines `{id, name, x, y}` with rising x; missing ranges are computed. A
 * button toggles each line; `hidden` are the ids of initially hidden lines.
 */
export function createLines({ label, xTitle, yTitle, readAt, hidden = [], fixedX = null }) {
  const hiddenIds = new Set(hidden);
  const canvas = element("canvas", { class: "figure-canvas", role: "img", "aria-label": label });
  const cursor = element("div", { class: "figure-cursor" });
  const area = element("div", { class: "figure-chart" }, canvas, cursor);
  const legend = element("div", { class: "figure-legend", role: "group", "aria-label": label });
  let [state, frame, xRange] = [null, null, [0, 1]];
  const reader = slider(readAt, { min: 0, max: POSITIONS, step: 1, value: POSITIONS / 2, show: (place) => short(xOf(place)) }, read);
  const node = element("div", { class: "figure-lines" }, area, reader.node, legend);

  function xOf(place) {
    return xRange[0] + ((xRange[1] - xRange[0]) * place) / POSITIONS;
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

  const styled = (line, index) => ({ ...line, style: styleAt(line.style ?? index) });
  const item = (line, index) => createLegendItem(styled(line, index), hiddenIds, draw, element("output", { class: "figure-value" }));

  function draw() {
    const place = state === null ? null : fitted(canvas);
    if (place === null) return;
    const { isLog = false } = state;
    const shown = state.series.map((line, index) => ({ ...styled(line, index), raw: null })).filter(({ id }) => !hiddenIds.has(id));
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
    state.series.forEach((line, index) => {
      const at = nearest(line.x, x);
      setText(legend.children[index].querySelector(".figure-value"), at < 0 ? "–" : short(line.y[at]));
    });
  }

  area.addEventListener("pointermove", (event) => {
    if (frame === null) return;
    const x = placing(frame).xAt(event.clientX - area.getBoundingClientRect().left);
    reader.set(Math.round(((x - xRange[0]) / (xRange[1] - xRange[0])) * POSITIONS));
    read();
  });
  new ResizeObserver(draw).observe(area);
  onThemeChange(() => {
    repaintSamples();
    draw();
  });
  return { node, show };
}
