// The names of settings, of what they may be, and of what is measured, in the page's language; a network in one line.

import { t } from "../i18n/translate.js";
import { has, nameIn, small } from "./names.js";
import { datasetTitle, recipeTitle } from "./titles.js";

/** Of settings that no form has. */
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
/** "3 dense", as a run's events name a layer, in the page's language. */
export const numberedLayer = (name) => name.replace(/^(\d+) (\w+)$/, (_, number, type) => `${number} ${small(layerName(type))}`);
export const scheduleName = (type) => named("schedules", type);
export const lossName = (type) => named("losses", type);

/** What was measured of a model, by the name in its card. */
export const metricName = (name) => named("metrics", name);

/**
 * A setting's name, by its path in the config or as pages/compare/config-diff.js and the server's errors write it: "optimizer.beta1",
 * "layer 1 dense.units", "network.layers[0].units". What has no name here goes by its path.
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

/** The name of a field within a part, as in "initializer.std". */
function fieldName(path) {
  const parts = path.split(".").filter((part) => part !== "type");
  const names = parts.map((part) => (has("fields", part) ? small(nameIn("fields", part)) : words(part)));
  return names.join(" ");
}

/** What a setting is, in words: `value` as the config has it, `path` as above. */
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

/** An object with a type in words, as in "Dropout 0.2": `name` gives the type's own. */
export function partText({ type, ...rest }, name) {
  const values = Object.values(rest).filter((value) => typeof value !== "object" || Array.isArray(value));
  return [name(type), ...values.map((value) => (Array.isArray(value) ? value.join("×") : String(value)))].join(" ");
}

/** Several named values in words, as in "rotation 10, shift 0.1"; those of `fields` alone that say something. */
export const fieldsText = (fields) =>
  Object.entries(fields)
    .filter(([, value]) => value !== null && value !== 0)
    .map(([name, value]) => `${fieldName(name)} ${value}`)
    .join(", ");

const PICTURE_INPUTS = 784;

export const optimizerName = (type) => nameIn("optimizers", type);

/** "784 → 256 → 10": the sizes of what flows through the layers; convolutions and pooling by name. */
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
