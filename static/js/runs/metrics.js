// The metrics of an epoch: one table for the charts of a run, the comparison and the CSV files.

import { compact, count, loss, percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { curves, nameIn } from "../labels/names.js";

const rate = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "–");
const asPercent = (share) => String(Number((share * 100).toPrecision(10)));

/** The formats of values: `text` in full, `tick` on an axis; `order` is the direction of improvement. */
export const FORMATS = {
  loss: { text: loss, tick: String, order: "low" },
  share: { text: (value) => percent(value, 2), tick: asPercent, order: "high", isShare: true },
  rate: { text: rate, tick: rate, order: "high" },
  count: { text: count, tick: compact, order: "high" },
};

const formatOf = ({ unit, chart }) => (unit === "%" ? FORMATS.share : unit === "1/s" ? FORMATS.count : (FORMATS[chart] ?? FORMATS.rate));

/** The metrics of app/runs/config/metrics.py that charts show, by key; `chart` and `line` are its place on the page of a run. */
export const METRICS = Object.fromEntries(curves.map((curve) => [curve.name, { ...curve, title: () => nameIn("metrics", curve.name), format: formatOf(curve) }]));

/** The value of a metric in an `epoch` event; NaN for none. */
export function valueOf(epoch, key) {
  const { path } = METRICS[key];
  const value = (path.length > 0 ? path : [key]).reduce((found, name) => found?.[name], epoch);
  return typeof value === "number" ? value : NaN;
}

/** The keys of the metrics of a run, including the optional ones of any of its epochs. */
export const metricsOf = (epochs) => Object.keys(METRICS).filter((key) => !METRICS[key].optional || epochs.some((epoch) => !Number.isNaN(valueOf(epoch, key))));

/** The title of an axis with the unit. */
export const axisTitle = ({ title, format }) => (format.isShare ? t("{metric} (%)", { metric: title() }) : title());
