// What of an epoch can be compared, and how its numbers are written.

import { count, loss, percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";

const rate = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "–");

/** Each with the name on the page, the axis' title, and how a value is written there and in full. */
export const METRICS = {
  val_accuracy: { name: () => t("validation accuracy"), axis: () => t("validation accuracy (%)"), text: (v) => percent(v, 2), tick: asPercent, share: true },
  val_loss: { name: () => t("validation loss"), axis: () => t("validation loss"), text: loss, tick: String },
  train_accuracy: { name: () => t("training accuracy"), axis: () => t("training accuracy (%)"), text: (v) => percent(v, 2), tick: asPercent, share: true },
  train_loss: { name: () => t("training loss"), axis: () => t("training loss"), text: loss, tick: String },
  yours_accuracy: { name: () => t("accuracy on your drawings"), axis: () => t("accuracy on your drawings (%)"), text: (v) => percent(v, 2), tick: asPercent, share: true },
  yours_loss: { name: () => t("loss on your drawings"), axis: () => t("loss on your drawings"), text: loss, tick: String },
  learning_rate: { name: () => t("learning rate"), axis: () => t("learning rate"), text: rate, tick: rate },
  samples_per_second: { name: () => t("samples per second"), axis: () => t("samples per second"), text: count, tick: (v) => count(v) },
};

function asPercent(share) {
  return String(Number((share * 100).toPrecision(10)));
}

/** The numbers of an `epoch` event that are kept of it, with the seconds of training up to its end. */
export function pointOf(data, before) {
  const known = (value) => (typeof value === "number" ? value : NaN);
  return {
    epoch: data.epoch,
    elapsed: (before?.elapsed ?? 0) + (data.seconds ?? 0),
    val_accuracy: known(data.val_accuracy),
    val_loss: known(data.val_loss),
    train_accuracy: known(data.train_accuracy),
    train_loss: known(data.train_loss),
    yours_accuracy: known(data.yours?.accuracy),
    yours_loss: known(data.yours?.loss),
    learning_rate: known(data.learning_rate),
    samples_per_second: known(data.samples_per_second),
  };
}

/** All numbers of all runs in one table: a line for each run and epoch. */
export function comparisonCsv(runs) {
  const columns = ["epoch", "elapsed", ...Object.keys(METRICS)];
  const cell = (value) => (Number.isFinite(value) ? value : "");
  const lines = runs.flatMap(({ id, points }) => points.map((point) => [id, ...columns.map((name) => cell(point[name]))].join(",")));
  return [["run", ...columns.map((name) => (name === "elapsed" ? "seconds_from_start" : name))].join(","), ...lines, ""].join("\r\n");
}
