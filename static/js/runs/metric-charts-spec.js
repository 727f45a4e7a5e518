// Charts as Plotly wants them described. Nothing here touches the page.

import { t } from "../i18n/translate.js";
import { numberedLayer } from "../labels/config-labels.js";
import { layerNames } from "./run-state.js";

const MOST_MARKERS = 40; // beyond this many epochs the points would hide the line
const MOST_TICKS = 8;
const POWERS = [-6, -5, -4, -3, -2, -1, 0, 1, 2, 3];
const NARROW = 4; // an axis from a to 4 a has room for every digit
const FEW_TICKS = 16;

const lossTitle = ({ loss }) => {
  const type = loss?.type ?? loss;
  if (type === "cross_entropy") return t("loss (cross-entropy, nats)");
  return ["mean_squared_error", "squared_error", "mse"].includes(type) ? t("loss (mean squared error)") : t("loss");
};

// A line: its name, where its values are in an epoch, and how it is drawn. `color` is a name of the theme.
const TRAINING = { id: "training", name: () => t("training"), color: "training", dash: "solid" };
const VALIDATION = { id: "validation", name: () => t("validation"), color: "validation", dash: "dash" };
const YOURS = { id: "yours", name: () => t("yours"), color: "yours", dash: "dot", symbol: "square" };
const fixed = (lines) => () => lines;

// Layers differ in dash and mark as well as in colour.
const LAYER_STYLES = [
  { color: "training", dash: "solid", symbol: "circle" },
  { color: "validation", dash: "dash", symbol: "square" },
  { color: "good", dash: "dot", symbol: "diamond" },
  { color: "yours", dash: "dashdot", symbol: "cross" },
  { color: "ink", dash: "longdash", symbol: "x" },
  { color: "edge", dash: "solid", symbol: "triangle-up" },
];

/** The charts of a run. `start` is the axis before the first epoch: linear, log. */
export const KINDS = {
  loss: {
    lines: fixed([
      { ...TRAINING, value: (epoch) => epoch.train_loss },
      { ...VALIDATION, value: (epoch) => epoch.val_loss },
      { ...YOURS, value: (epoch) => epoch.yours?.loss },
    ]),
    hover: ".4f",
    unit: "",
    title: lossTitle,
    fromZero: true,
    start: { linear: [0, 2.5], log: [-2, 0.4] },
  },
  accuracy: {
    lines: fixed([
      { ...TRAINING, value: (epoch) => share(epoch.train_accuracy) },
      { ...VALIDATION, value: (epoch) => share(epoch.val_accuracy) },
      { ...YOURS, value: (epoch) => share(epoch.yours?.accuracy) },
    ]),
    hover: ".2f",
    unit: " %",
    title: () => t("accuracy (%)"),
    start: { linear: [0, 100], log: [1, 2] },
  },
  rate: {
    lines: fixed([{ id: "rate", name: () => t("learning rate"), color: "ink", dash: "solid", value: (epoch) => epoch.learning_rate }]),
    hover: ".3~g",
    unit: "",
    title: () => t("learning rate"),
    fromZero: true,
    start: { linear: [0, 0.01], log: [-4, -1] },
  },
  speed: {
    lines: fixed([{ id: "speed", name: () => t("training"), color: "ink", dash: "solid", value: (epoch) => epoch.samples_per_second }]),
    hover: ",.0f",
    ticks: "~s", // "50k"; as powers Plotly would style its text, which the pages' policy forbids
    unit: "",
    title: () => t("samples per second"),
    fromZero: true,
    start: { linear: [0, 100000], log: [3, 5] },
  },
  gradient: {
    lines: (epochs) =>
      layerNames({ epochs }).map((name, i) => ({
        id: name,
        name: () => numberedLayer(name),
        ...LAYER_STYLES[i % LAYER_STYLES.length],
        value: (epoch) => epoch.layers?.find((layer) => layer.name === name)?.gradient_norm,
      })),
    hover: ".3~g",
    unit: "",
    title: () => t("gradient norm"),
    start: { linear: [0, 1], log: [-3, 1] },
  },
};

const share = (fraction) => (typeof fraction === "number" ? fraction * 100 : null);

/**
 * Values with `weight` (0 to 1) of what came before in each: an exponential mean, corrected for its beginning as in
 * Kingma and Ba 2015, section 3. What is not known stays so, and adds nothing.
 */
export function smoothed(values, weight) {
  if (weight === 0) return values;
  let [mean, power] = [0, 1];
  return values.map((value) => {
    if (typeof value !== "number") return null;
    mean = weight * mean + (1 - weight) * value;
    power *= weight;
    return mean / (1 - power);
  });
}

/** The values of one line, in the chart's unit; null where an epoch does not say. */
export const valuesOf = ({ value }, epochs) => epochs.map((epoch) => value(epoch) ?? null);

/**
 * The lines of a chart. `hidden` holds the ids of those that are switched off. With smoothing each is there twice: the
 * smoothed ones first, then what was measured, faint.
 */
export function traces(kind, epochs, theme, { hidden = new Set(), smoothing = 0 } = {}) {
  const x = epochs.map(({ epoch }) => epoch);
  const lines = kind.lines(epochs).map((line) => ({ line, y: valuesOf(line, epochs) }));
  const mode = epochs.length > MOST_MARKERS ? "lines" : "lines+markers";
  const main = lines.map(({ line, y }) => ({
    name: line.name(),
    x,
    y: smoothed(y, smoothing),
    type: "scatter",
    mode,
    visible: !hidden.has(line.id),
    line: { color: theme[line.color], dash: line.dash, width: 2.5 },
    marker: { color: theme[line.color], size: line.symbol ? 6 : 5, symbol: line.symbol ?? "circle" },
    hovertemplate: `%{y:${kind.hover}}${kind.unit}<extra>${line.name()}</extra>`,
  }));
  if (smoothing === 0) return main;
  const measured = lines.map(({ line, y }) => ({
    x,
    y,
    type: "scatter",
    mode: "lines",
    visible: !hidden.has(line.id),
    opacity: 0.3,
    line: { color: theme[line.color], width: 1 },
    hoverinfo: "skip",
    showlegend: false,
  }));
  return [...main, ...measured];
}

/** The epochs that the x axis shows where nothing is enlarged: as many as there will be, so that lines grow into it. */
export function wholeRange(epochs, config) {
  const first = Math.min(1, epochs[0]?.epoch ?? 1);
  const last = Math.max(config.epochs, epochs.at(-1)?.epoch ?? 1);
  const pad = Math.max(0.25, (last - first) * 0.03);
  return [first - pad, last + pad];
}

/** Axes and colours. `zoom` is the range of epochs to show, or null for all. */
export function layout(kind, { epochs, config, theme, yScale, zoom = null, hidden = new Set(), smoothing = 0, draggable = false }) {
  const range = zoom ?? wholeRange(epochs, config);
  const axis = {
    color: theme.soft,
    gridcolor: theme.line,
    linecolor: theme.line,
    zeroline: false,
    fixedrange: true,
    automargin: false,
    title: { font: { size: 13 }, standoff: 8 },
  };
  return {
    autosize: true,
    margin: { l: 72, r: 12, t: 8, b: 44 },
    paper_bgcolor: theme.sheet,
    plot_bgcolor: theme.sheet,
    font: { family: theme.font, size: 13, color: theme.ink },
    showlegend: false,
    hovermode: "x unified",
    hoverlabel: { bgcolor: theme.sheet, bordercolor: theme.edge, font: { color: theme.ink, size: 13 } },
    dragmode: draggable ? "zoom" : false,
    xaxis: {
      ...axis,
      fixedrange: !draggable,
      title: { ...axis.title, text: t("epoch") },
      range,
      tick0: 0,
      dtick: roundStep((range[1] - range[0]) / (MOST_TICKS + 1)),
      hoverformat: "d",
      unifiedhovertitle: { text: `${t("epoch")} %{x}` },
      showgrid: false,
    },
    yaxis: { ...axis, title: { ...axis.title, text: kind.title(config) }, ...yAxis(kind, { epochs, yScale, zoom, hidden, smoothing }) },
  };
}

function yAxis(kind, { epochs, yScale, zoom, hidden, smoothing }) {
  const values = kind
    .lines(epochs)
    .filter(({ id }) => !hidden.has(id))
    .flatMap((line) => smoothed(valuesOf(line, epochs), smoothing).filter((value, i) => isShown(value, epochs[i].epoch, yScale, zoom)));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const common = { type: yScale, nticks: 9, exponentformat: "e", ...(kind.ticks ? { tickformat: kind.ticks } : {}) };
  if (values.length === 0) return { ...common, autorange: false, range: kind.start[yScale], ...(yScale === "log" ? logTicks(0.01, 1) : {}) };
  if (yScale === "log") return { ...common, autorange: false, range: padded(Math.log10(low), Math.log10(high)), ...logTicks(low, high) };
  const floor = kind.fromZero && zoom === null ? 0 : low;
  const [from, to] = padded(floor, high);
  return { ...common, autorange: false, range: [floor === 0 ? 0 : from, to] };
}

const isShown = (value, epoch, yScale, zoom) =>
  typeof value === "number" && (yScale !== "log" || value > 0) && (zoom === null || (epoch >= zoom[0] && epoch <= zoom[1]));

function padded(low, high) {
  const pad = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - pad, high + pad];
}

/**
 * Ticks of a log axis, written out, as Plotly itself would write the 2 of 0.2 as "2": 1, 2 and 5 of every power of ten,
 * every digit where the axis is short, and powers alone where it is long.
 */
function logTicks(low, high) {
  const digits = high < NARROW * low ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [1, 2, 5];
  const powers = [...new Set([...POWERS, ...between(low, high)])];
  const all = powers.flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)));
  const within = all.filter((value) => value >= low / 2 && value <= high * 2);
  const tickvals = within.length > FEW_TICKS ? powers.map((power) => Number(`1e${power}`)) : all;
  return { tickmode: "array", tickvals, ticktext: tickvals.map(plain) };
}

function between(low, high) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  return Array.from({ length: Math.min(60, last - first + 1) }, (_, i) => first + i);
}

const plain = (value) => (value >= 1e5 || value < 1e-4 ? value.toExponential(0).replace("e+", "e") : String(value));

/** The smallest of 1, 2, 5, 10, 20, 50, ... that is at least `step`. */
export function roundStep(step) {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, step))));
  return [1, 2, 5, 10].find((digit) => digit * power >= step) * power;
}

/** A range of epochs around the middle of `range`, `factor` times as long, within `whole` and never below two epochs. */
export function zoomed(range, whole, factor) {
  const length = Math.max(2, (range[1] - range[0]) * factor);
  if (length >= whole[1] - whole[0]) return null;
  const middle = (range[0] + range[1]) / 2;
  const start = Math.min(Math.max(whole[0], middle - length / 2), whole[1] - length);
  return [start, start + length];
}
