// The charts of a run: what is common to them (smoothing, zoom) and what is each one's own (scale, lines, cursor).

import { createPainter, createPlot, plotly, readTheme, saveFigure } from "../charts/plotly.js";
import { t } from "../i18n/translate.js";
import { byId, element, setText } from "../lib/dom.js";
import { onThemeChange } from "../lib/theme.js";
import { KINDS, layout, traces, valuesOf, wholeRange, zoomed } from "./metric-charts-spec.js";
import { hasEnded } from "./run-state.js";

const EAGER = new Set(["loss", "accuracy"]);
const ZOOM_STEP = 2;
const SVG = "http://www.w3.org/2000/svg";
const DASHES = { solid: "", dash: "6 4", dot: "2 3", dashdot: "6 3 2 3", longdash: "10 4" };

/** Charts in the run view of the page. `show(record)` draws what is known; `savePng(key, name)` saves one. */
export function createCharts() {
  const painter = createPainter();
  const charts = Object.fromEntries(Object.keys(KINDS).map((key) => [key, createState(key)]));
  const smoothing = byId("smoothing");
  const draggable = matchMedia("(pointer: fine)").matches; // a finger scrolls the page instead
  let zoom = null;
  let current = null;
  let library = null;
  let failed = null;

  plotly().then(
    (found) => {
      library = found;
      for (const chart of Object.values(charts)) begin(chart);
      drawAll();
    },
    (error) => {
      failed = error.message;
      drawAll();
    },
  );

  function createState(key) {
    const area = byId(`chart-${key}`);
    const card = area.closest(".chart-card");
    return { key, area, card, kind: KINDS[key], hidden: new Set(), legend: "", plot: null, cursor: null };
  }

  function begin(chart) {
    const figure = () => figureOf(chart);
    chart.plot = createPlot(library, chart.area, figure, { painter, eager: EAGER.has(chart.key), onDrawn: () => listen(chart) });
  }

  const weight = () => Number(smoothing.value) / 100;
  const yScale = (chart) => chart.card.querySelector(`input[name=${chart.key}-scale]:checked`)?.value ?? "linear";

  function figureOf(chart) {
    const { epochs, config } = current;
    const theme = readTheme();
    const options = { hidden: chart.hidden, smoothing: weight() };
    return {
      data: traces(chart.kind, epochs, theme, options),
      layout: layout(chart.kind, { epochs, config, theme, yScale: yScale(chart), zoom, draggable, ...options }),
    };
  }

  function show(record) {
    if (current !== null && ["id", "epochs", "state", "config"].every((name) => current[name] === record[name])) return;
    if (current?.id !== record.id) zoom = null;
    current = record;
    drawAll();
  }

  function drawAll() {
    if (current === null) return;
    for (const chart of Object.values(charts)) draw(chart);
    const whole = zoom === null;
    byId("zoom-all").disabled = whole;
    byId("zoom-out").disabled = whole;
    byId("zoom-in").disabled = library === null || current.epochs.length < 3;
    setText(byId("smoothing-value"), smoothing.value === "0" ? t("off") : `${smoothing.value} %`);
  }

  function draw(chart) {
    drawLegend(chart);
    const lines = chart.kind.lines(current.epochs);
    const known = lines.some((line) => current.epochs.some((epoch) => typeof line.value(epoch) === "number"));
    if (library !== null) chart.plot.draw();
    const empty = chart.card.querySelector(".chart-empty");
    empty.hidden = library !== null && known;
    setText(empty, failed ?? (hasEnded(current) && current.epochs.length === 0 ? t("It ended before its first epoch was done.") : t("The curves begin after the first epoch.")));
    describe(chart);
  }

  /** The buttons under a chart, one for each line that has values; they are made anew only where the lines are others. */
  function drawLegend(chart) {
    const place = chart.card.querySelector(".legend");
    const lines = chart.kind.lines(current.epochs).filter((line) => line.id !== "yours" || current.epochs.some((epoch) => epoch.yours));
    const key = lines.map(({ id }) => id).join("\n");
    if (chart.legend === key) return;
    chart.legend = key;
    place.replaceChildren(...lines.map((line) => legendItem(chart, line)));
  }

  function legendItem(chart, line) {
    const button = element("button", { type: "button", class: "legend-item", "data-line": line.id, "aria-pressed": String(!chart.hidden.has(line.id)) }, sample(line), line.name());
    button.addEventListener("click", () => {
      const hide = !chart.hidden.has(line.id);
      if (hide) chart.hidden.add(line.id);
      else chart.hidden.delete(line.id);
      button.setAttribute("aria-pressed", String(!hide));
      draw(chart);
    });
    return button;
  }

  // Zoom: by dragging on any chart, by the buttons, or by the keys of a chart. It is of all charts at once.

  function setZoom(range) {
    zoom = range;
    drawAll();
  }

  const rangeNow = () => zoom ?? wholeRange(current.epochs, current.config);
  const scaleZoom = (factor) => setZoom(zoomed(rangeNow(), wholeRange(current.epochs, current.config), factor));

  function listen(chart) {
    if (chart.listens) return;
    chart.listens = true;
    chart.area.on("plotly_relayout", (change) => {
      const [from, to] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (typeof from === "number" && typeof to === "number") setZoom(zoomed([from, to], wholeRange(current.epochs, current.config), 1));
    });
    chart.area.on("plotly_doubleclick", () => setZoom(null));
  }

  byId("zoom-in").addEventListener("click", () => scaleZoom(1 / ZOOM_STEP));
  byId("zoom-out").addEventListener("click", () => scaleZoom(ZOOM_STEP));
  byId("zoom-all").addEventListener("click", () => setZoom(null));
  smoothing.addEventListener("input", drawAll);

  // The cursor: a chart is a slider over its epochs, for those who do not point.

  function describe({ area, kind, cursor, hidden }) {
    const { epochs } = current;
    const at = epochs[cursor ?? epochs.length - 1];
    area.setAttribute("aria-valuemin", String(epochs[0]?.epoch ?? 0));
    area.setAttribute("aria-valuemax", String(epochs.at(-1)?.epoch ?? 0));
    area.setAttribute("aria-valuenow", String(at?.epoch ?? 0));
    const values = at === undefined ? [] : kind.lines(epochs).filter(({ id }) => !hidden.has(id)).map((line) => [line.name(), valuesOf(line, [at])[0]]);
    const said = values.filter(([, value]) => value !== null).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}${kind.unit}`);
    area.setAttribute("aria-valuetext", at === undefined ? t("no epoch yet") : [`${t("epoch")} ${at.epoch}`, ...said].join(", "));
  }

  function moveCursor(chart, index) {
    const last = current.epochs.length - 1;
    if (last < 0 || library === null || !chart.plot.isDrawn()) return;
    chart.cursor = Math.min(last, Math.max(0, index));
    library.Fx.hover(chart.area, { xval: current.epochs[chart.cursor].epoch }, ["xy"]);
    describe(chart);
  }

  for (const chart of Object.values(charts)) {
    chart.area.addEventListener("keydown", (event) => {
      if (current === null || event.ctrlKey || event.metaKey || event.altKey) return;
      const at = chart.cursor ?? current.epochs.length - 1;
      const page = Math.max(1, Math.round(current.epochs.length / 10));
      const moves = { ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, PageUp: at + page, PageDown: at - page, Home: 0, End: Infinity };
      if (event.key in moves) moveCursor(chart, moves[event.key]);
      else if (event.key === "+") scaleZoom(1 / ZOOM_STEP);
      else if (event.key === "-") scaleZoom(ZOOM_STEP);
      else if (event.key === "0") setZoom(null);
      else return;
      event.preventDefault();
    });
    chart.area.addEventListener("blur", () => {
      chart.cursor = null;
      if (library !== null && chart.plot.isDrawn()) library.Fx.unhover(chart.area);
    });
    for (const choice of chart.card.querySelectorAll(`input[name=${chart.key}-scale]`)) {
      choice.addEventListener("change", () => current !== null && draw(chart));
    }
  }
  onThemeChange(drawAll);

  async function savePng(key, filename) {
    if (library !== null && current !== null) await saveFigure(library, figureOf(charts[key]), filename);
  }

  return { show, savePng };
}

/** A piece of the line, as the legend shows it. */
function sample({ color, dash }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 8");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `line-${color}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M1 4H23");
  path.setAttribute("stroke-dasharray", DASHES[dash]);
  svg.append(path);
  return svg;
}
