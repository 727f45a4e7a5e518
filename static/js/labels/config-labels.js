// Titles of settings, values and metrics in the page's language, and networks in one line.

import { t } from "../i18n/translate.js";
import { has, nameIn, small } from "./names.js";
import { datasetTitle, recipeTitle } from "./titles.js";

/** Titles of settings without a form field. */
const OTHERS = {
  recipe: () => t("recipe"),
  network: () => t("network"),
  layers: () => t("layers"),
  label: () => t("label"),
  start: () => t("starts from"),
  "start.model": () => t("starts from"),
  "start.run": () => t("starts from"),
};

const LAYER_PATH = /^(?:layer (\d+) \w+\.|network\.layers\[(\d+)\]\.?)(.*)$/;
const words = (name) => name.replaceAll("_", " ").replaceAll(".", " ");

const named = (table, type) => (has(table, type) ? nameIn(table, type) : words(type));

export const layerName = (type) => named("layers", type);
/** A layer's name in a run's events, such as "3 dense", in the page's language. */
export const numberedLayer = (name) => name.replace(/^(\d+) (\w+)$/, (_, number, type) => t("Layer {number}: {type}", { number, type: layerName(type) }));
export const scheduleName = (type) => named("schedules", type);
export const lossName = (type) => named("losses", type);

/** The title of a metric in a model's card. */
export const metricName = (name) => named("metrics", name);

/**
 * A setting's title, by its path in the config, in config-diff.js or in the server's errors:
 * "optimizer.beta1", "layer 1 dense.units", "network.layers[0].units". The default is its path.
 */
export function settingName(path) {
  const layer = LAYER_PATH.exec(path);
  if (layer !== null) {
    const number = layer[1] ?? Number(layer[2]) + 1;
    const place = t("layer {number}", { number });
    return layer[3] === "" ? place : t("{place}: {setting}", { place, setting: fieldName(layer[3]) });
  }
  const base = path.endsWith(".type") ? path.slice(0, -".type".length) : path;
  if (base in OTHERS) return OTHERS[base]();
  if (has("settings", base)) return small(nameIn("settings", base));
  const [group, ...rest] = base.split(".");
  if (rest.length === 0 || !has("settings", group)) return words(base);
  const setting = fieldName(rest.join("."));
  return group === "optimizer" ? setting : t("{place}: {setting}", { place: small(nameIn("settings", group)), setting });
}

/** The title of a field within a component, such as "initializer.std". */
function fieldName(path) {
  const parts = path.split(".").filter((part) => part !== "type");
  const names = parts.map((part) => (has("fields", part) ? small(nameIn("fields", part)) : words(part)));
  return names.join(" ");
}

/** The text of a setting's value in the config; `path` as above. */
export function settingValue(path, value) {
  if (value === undefined || value === null) return "–";
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (path === "validation" && typeof value === "number") return t("{number} %", { number: Number((value * 100).toFixed(2)) });
  if (typeof value !== "string") return JSON.stringify(value);
  if (path === "recipe") return recipeTitle(value);
  if (path === "dataset") return datasetTitle(value);
  if (path === "optimizer.type") return optimizerName(value);
  if (path === "schedule.type" || path === "schedule.schedule.type") return scheduleName(value);
  if (path === "loss" || path === "loss.type") return lossName(value);
  if (path.endsWith("initializer.type") || path.endsWith("distribution")) return nameIn("initializers", value);
  if (path === "validation" && value === "test") return t("the test images");
  return value;
}

/** The text of an object with a type, such as "Dropout 0.2"; `name` returns the type's title. */
export function partText({ type, ...rest }, name) {
  const values = Object.values(rest).filter((value) => typeof value !== "object" || Array.isArray(value));
  return [name(type), ...values.map((value) => (Array.isArray(value) ? value.join("×") : String(value)))].join(" ");
}

/** The text of named values, such as "rotation 10, shift 0.1", without nulls and zeros. */
export const fieldsText = (fields) =>
  Object.entries(fields)
    .filter(([, value]) => value !== null && value !== 0)
    .map(([name, value]) => `${fieldName(name)} ${value}`)
    .join(", ");

const PICTURE_INPUTS = 784;

export const optimizerName = (type) => nameIn("optimizers", type);

/** "784 → 256 → 10": the sizes of layers; convolutions and pooling by name. */
export function networkLine(layers, inputs = PICTURE_INPUTS) {
  return [inputs, ...layers.map(size).filter((text) => text !== null)].join(" → ");
}

/** "784 → 256 → 10 · Adam" for a run's config. */
export const configLine = ({ network, optimizer }) =>
  `${networkLine(network.layers)} · ${optimizerName(optimizer.type)}`;

function size(layer) {
  if (layer.type === "dense") return String(layer.units);
  if (/conv/.test(layer.type)) return `${t("conv")} ${layer.filters ?? layer.channels ?? layer.out_channels ?? ""}`.trim();
  return /pool/.test(layer.type) ? t("pool") : null;
}
