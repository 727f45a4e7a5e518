// The metrics of epochs as CSV.

import { METRICS, metricsOf, valueOf } from "./metrics.js";
import { layerNames } from "./run-state.js";

/** A header and one line per epoch; unknown values are left empty. */
export function toCsv(epochs) {
  const metrics = metricsOf(epochs);
  const columns = [
    ["epoch", ({ epoch }) => epoch],
    ...metrics.map((key) => [key, (epoch) => valueOf(epoch, key)]),
    ...(metrics.includes("yours_loss") ? [["yours_count", ({ yours }) => yours?.count]] : []),
    ["seconds", ({ seconds }) => seconds],
    ...layerColumns(epochs),
  ];
  return table(columns, epochs);
}

/** The metrics of several runs in one table: one line per run and epoch. */
export function comparisonCsv(runs) {
  const columns = [
    ["run", ({ run }) => run],
    ["epoch", ({ epoch }) => epoch],
    ["seconds_from_start", ({ elapsed }) => elapsed],
    ...Object.keys(METRICS).map((key) => [key, (point) => point[key]]),
  ];
  return table(columns, runs.flatMap(({ id, points }) => points.map((point) => ({ run: id, ...point }))));
}

/** The columns of each layer, if the run records them. */
function layerColumns(epochs) {
  return layerNames({ epochs }).flatMap((name) =>
    ["gradient_norm", "weight_norm"].map((field) => [`${name} ${field}`, ({ layers }) => layers?.find((layer) => layer.name === name)?.[field]]),
  );
}

const table = (columns, rows) =>
  [columns.map(([name]) => quoted(name)), ...rows.map((row) => columns.map(([, value]) => cell(value(row)))), [""]].map((cells) => cells.join(",")).join("\r\n");

const cell = (value) => (Number.isFinite(value) ? value : "");
const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
