// The metrics of an epoch: one table for the charts of a run, the comparison and the CSV files.

import { compact, count, loss, percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";

const rate = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "–");
const asPercent = (share) => String(Number((share * 100).toPrecision(10)));

/** The formats of values: `text` in full, `tick` on an axis; `order` is the direction of improvement. */
export const FORMATS = {
  loss: { text: loss, tick: String, order: "low" },
  share: { text: (value) => percent(value, 2), tick: asPercent, order: "high", isShare: true },
  rate: { text: rate, tick: rate, order: "high" },
  count: { text: count, tick: compact, order: "high" },
};

/**
 * By key in an `epoch` event; `chart` and `line` are its place on the page of a run. Only some runs have the
 * metrics with `isOptional`.
 */
export const METRICS = {
  val_accuracy: { title: () => t("validation accuracy"), format: FORMATS.share, chart: "accuracy", line: "validation" },
  val_loss: { title: () => t("validation loss"), format: FORMATS.loss, chart: "loss", line: "validation" },
  train_accuracy: { title: () => t("training accuracy"), format: FORMATS.share, chart: "accuracy", line: "training" },
  train_loss: { title: () => t("training loss"), format: FORMATS.loss, chart: "loss", line: "training" },
  yours_accuracy: { title: () => t("accuracy on your drawings"), format: FORMATS.share, chart: "accuracy", line: "yours", isOptional: true },
  yours_loss: { title: () => t("loss on your drawings"), format: FORMATS.loss, chart: "loss", line: "yours", isOptional: true },
  learning_rate: { title: () => t("learning rate"), format: FORMATS.rate, chart: "rate" },
  samples_per_second: { title: () => t("samples per second"), format: FORMATS.count, chart: "speed" },
};

const YOURS = "yours_"; // values in a nested object of the event

/** The value of a metric in an `epoch` event; NaN for none. */
export function valueOf(epoch, key) {
  const value = key.startsWith(YOURS) ? epoch.yours?.[key.slice(YOURS.length)] : epoch[key];
  return typeof value === "number" ? value : NaN;
}

/** The keys of the metrics of a run, including the optional ones of any of its epochs. */
export const metricsOf = (epochs) => Object.keys(METRICS).filter((key) => !METRICS[key].isOptional || epochs.some((epoch) => !Number.isNaN(valueOf(epoch, key))));

/** The title of an axis with the unit. */
export const axisTitle = ({ title, format }) => (format.isShare ? t("{metric} (%)", { metric: title() }) : title());
