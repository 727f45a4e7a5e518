// The charts of a run: the common settings (smoothing, zoom) and those of each chart (scale, lines, cursor).

import { createChart } from "../charts/chart.js";
import { createLegendItem, styleAt } from "../charts/series-style.js";
import { t } from "../i18n/translate.js";
import { numberedLayer } from "../labels/config-labels.js";
import { byId, setMessage, setText } from "../lib/dom.js";
import { FORMATS, METRICS, metricsOf, valueOf } from "./metrics.js";
import { batchLosses, hasEnded, layerNames } from "./run-state.js";

const ZOOM_STEP = 2;

/** `start` is the upper end of the axis before the first epoch. */
const CHARTS = {
  loss: { yTitle: lossTitle, format: FORMATS.loss, fromZero: true, start: 2.5 },
  accuracy: { yTitle: () => t("accuracy (%)"), format: FORMATS.share },
  rate: { yTitle: METRICS.learning_rate.title, format: FORMATS.rate, fromZero: true, start: 0.01 },
  speed: { yTitle: METRICS.samples_per_second.title, format: FORMATS.count, fromZero: true, start: 100_000 },
  gradient: { yTitle: () => t("gradient norm"), format: FORMATS.rate },
};

const ENOUGH = 20; // of the user's own drawings: fewer would jump between 0 and 100 %

/** Lines that are the same on several charts. */
const LINES = {
  batches: { name: () => t("training, batch by batch"), style: { ...styleAt(0, "training"), marker: null, width: 1, alpha: 0.6 } },
  training: { name: () => t("training"), style: styleAt(0, "training") },
  validation: { name: () => t("validation"), style: styleAt(1, "validation") },
  yours: { name: () => t("your drawings"), style: styleAt(2, "yours") },
};

/** Charts in the run view of the page. `show(record)` draws the metrics; `savePng(key, name)` saves a chart. */
export function createCharts() {
  const charts = Object.fromEntries(Object.keys(CHARTS).map((key) => [key, create(key)]));
  const smoothing = byId("smoothing");
  let zoom = null;
  let current = null;

  function create(key) {
    const card = byId(`chart-${key}`).closest(".chart-card");
    for (const choice of card.querySelectorAll(`input[name=${key}-scale]`)) choice.addEventListener("change", () => current !== null && draw(key));
    return { card, hidden: new Set(), legend: "", chart: createChart(byId(`chart-${key}`), { onZoom: setZoom }) };
  }

  function show(record) {
    if (current !== null && ["id", "epochs", "state", "config"].every((name) => current[name] === record[name])) {
      const isNew = current.progress !== record.progress;
      current = record;
      if (isNew) draw("loss");
      return;
    }
    if (current?.id !== record.id) zoom = null;
    current = record;
    drawAll();
  }

  function drawAll() {
    if (current === null) return;
    Object.keys(charts).forEach(draw);
    const yours = current.epochs.at(-1)?.yours?.count ?? 0;
    setMessage(byId("yours-note"), yours > 0 && yours < ENOUGH ? t("Your own drawings have a line here from {enough} on; this run was tested on {count}.", { enough: ENOUGH, count: yours }) : "");
    byId("zoom-all").disabled = byId("zoom-out").disabled = zoom === null;
    byId("zoom-in").disabled = current.epochs.length < 3;
    setText(byId("smoothing-value"), smoothing.value === "0" ? t("off") : `${smoothing.value} %`);
  }

  function draw(key) {
    const { card, hidden, chart } = charts[key];
    const { epochs, config } = current;
    const { yTitle, ...axis } = CHARTS[key];
    const lines = linesOf(key, current).map((line) => ({ ...line, isShown: !hidden.has(line.id) }));
    drawLegend(charts[key], lines, () => draw(key));
    chart.show({
      ...axis,
      lines,
      axis: "epoch",
      lastX: config.epochs,
      yTitle: yTitle(config),
      isLog: card.querySelector(`input[name=${key}-scale][value=log]`).checked,
      weight: Number(smoothing.value) / 100,
      zoom,
      empty: hasEnded(current) && epochs.length === 0 ? t("It ended before its first epoch was done.") : t("The curves start after the first epoch."),
    });
  }

  /** Rebuilds the legend of a chart if its lines have changed. */
  function drawLegend(chart, lines, onToggle) {
    const key = lines.map(({ id }) => id).join("\n");
    if (chart.legend === key) return;
    chart.legend = key;
    chart.card.querySelector(".legend").replaceChildren(...lines.map((line) => createLegendItem(line, chart.hidden, onToggle)));
  }

  // All charts share the zoom.

  function setZoom(range) {
    zoom = range;
    drawAll();
  }

  byId("zoom-in").addEventListener("click", () => charts.loss.chart.scaleZoom(1 / ZOOM_STEP));
  byId("zoom-out").addEventListener("click", () => charts.loss.chart.scaleZoom(ZOOM_STEP));
  byId("zoom-all").addEventListener("click", () => setZoom(null));
  smoothing.addEventListener("input", drawAll);

  return { show, savePng: (key, filename) => charts[key].chart.savePng(byId(`chart-${key}-title`).textContent, filename) };
}

function linesOf(key, record) {
  const { epochs } = record;
  const x = epochs.map(({ epoch }) => epoch);
  if (key === "gradient") {
    return layerNames({ epochs }).map((name, i) => ({ id: name, name: numberedLayer(name), style: styleAt(i), x, y: epochs.map(({ layers }) => layers?.find((layer) => layer.name === name)?.gradient_norm ?? NaN) }));
  }
  const isTelling = (epochs.at(-1)?.yours?.count ?? 0) >= ENOUGH;
  const metrics = metricsOf(epochs).filter((metric) => METRICS[metric].chart === key && (METRICS[metric].line !== "yours" || isTelling));
  const lines = metrics.map((metric) => {
    const { line, title } = METRICS[metric];
    const { name, style } = LINES[line] ?? { name: title, style: styleAt(0, "ink") };
    return { id: line ?? metric, name: name(), style, isGuest: line === "yours", x, y: epochs.map((epoch) => valueOf(epoch, metric)) };
  });
  const { name, style } = LINES.batches;
  const batches = batchLosses(record);
  if (key === "loss" && batches.x.length > 0) lines.push({ id: "batches", name: name(), style, isDetail: true, ...batches });
  const order = Object.keys(LINES);
  return lines.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
}

function lossTitle({ loss }) {
  const type = loss?.type ?? loss;
  if (type === "cross_entropy") return t("loss (cross-entropy, nats)");
  return ["mean_squared_error", "squared_error", "mse"].includes(type) ? t("loss (mean squared error)") : t("loss");
}
