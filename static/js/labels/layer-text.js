// Names of layers, units and positions.

import { count } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { has, nameIn } from "./names.js";

/** "Layer 1: Dense" */
export const layerName = ({ index, type }) => t("Layer {number}: {type}", { number: index + 1, type: typeName(type) });

/** The name of a layer's array of parameters. */
export function parameterName(name) {
  const names = { weight: () => t("weight"), bias: () => t("bias"), gamma: () => t("γ (gamma)"), beta: () => t("β (beta)") };
  return names[name]?.() ?? name;
}

export const typeName = (type) => nameIn("layers", type);

/** The explanation of a layer; "" if there is none. */
export const typeWords = (type) => (has("does", type) ? nameIn("does", type) : "");

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

/** The name of a position from the server: [unit], [row, column] or [map, row, column]. */
export function placeName(place) {
  if (place.length === 1) return t("unit {number}", { number: place[0] + 1 });
  const [row, column] = place.slice(-2).map((index) => index + 1);
  return place.length === 2 ? t("row {row}, column {column}", { row, column }) : t("map {map}, row {row}, column {column}", { map: place[0] + 1, row, column });
}

/** The shape (C, H, W) or (n) of an array's picture. */
export const pictureShape = (shape) => (shape.length === 2 ? [1, ...shape] : shape);
