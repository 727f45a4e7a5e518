// What layers, units and places are called.

import { count } from "../i18n/format.js";
import { t } from "../i18n/translate.js";

const NAMES = {
  dense: () => t("Dense"),
  conv2d: () => t("Convolution"),
  max_pool2d: () => t("Max pooling"),
  average_pool2d: () => t("Average pooling"),
  batch_norm: () => t("Batch normalization"),
  dropout: () => t("Dropout"),
  flatten: () => t("Flatten"),
  identity: () => t("Identity"),
  step: () => t("Step function"),
  relu: () => "ReLU",
  leaky_relu: () => "Leaky ReLU",
  sigmoid: () => t("Sigmoid"),
  tanh: () => "tanh",
  gelu: () => "GELU",
  softmax: () => "Softmax",
};

const DOES = {
  dense: () => t("Every unit adds up all that comes in, each times a weight of its own."),
  conv2d: () => t("A small filter slides over the picture; each picture here, a feature map, shows where one filter fits."),
  max_pool2d: () => t("Of each little window only the largest number goes on."),
  average_pool2d: () => t("Of each little window the mean goes on."),
  batch_norm: () => t("Shifts and stretches each unit, so that over the training images its mean and spread are what the network chose."),
  dropout: () => t("While training it drops some of the units at random; here, as when it reads, it lets all of them pass."),
  flatten: () => t("Writes the maps as one long row."),
  step: () => t("1 where the number is above zero, else 0."),
  relu: () => t("What is below zero becomes zero; the rest passes as it is."),
  softmax: () => t("Turns logits into probabilities."),
};

/** "Layer 1: Dense" */
export const layerName = ({ index, type }) => t("Layer {number}: {type}", { number: index + 1, type: typeName(type) });

export const typeName = (type) => NAMES[type]?.() ?? type;

/** What a layer does, in a sentence; "" for one that needs none. */
export const typeWords = (type) => DOES[type]?.() ?? "";

/** [6, 28, 28] → "6 × 28 × 28" */
export const shapeText = (shape) => shape.map(count).join(" × ");

/** "unit 5", or "map 2, row 3, column 7", counted from 1; units of the last layer by their label. */
export function unitName(index, shape, labels = null) {
  if (shape.length === 1) {
    const number = index + 1;
    return labels?.length === shape[0] ? t("unit {number} (label {label})", { number, label: labels[index] }) : t("unit {number}", { number });
  }
  return placeName([Math.floor(index / (shape[1] * shape[2])), Math.floor(index / shape[2]) % shape[1], index % shape[2]]);
}

/** The same of a place as the server says it: [unit], [row, column] or [map, row, column]. */
export function placeName(place) {
  if (place.length === 1) return t("unit {number}", { number: place[0] + 1 });
  const [row, column] = place.slice(-2).map((one) => one + 1);
  return place.length === 2 ? t("row {row}, column {column}", { row, column }) : t("map {map}, row {row}, column {column}", { map: place[0] + 1, row, column });
}

/** The shape (C, H, W) or (n) of an array as its picture has it. */
export const pictureShape = (shape) => (shape.length === 2 ? [1, ...shape] : shape);
