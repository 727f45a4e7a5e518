// Networks as their specification lists them, in one line of text.

import { t } from "./words.js";

const PICTURE_INPUTS = 784;
const OPTIMIZER_NAMES = { sgd: "SGD", momentum: "Momentum", nesterov: "Nesterov", adagrad: "AdaGrad", rmsprop: "RMSprop", adam: "Adam", adamw: "AdamW" };

export const optimizerName = (type) => OPTIMIZER_NAMES[type] ?? type;

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
