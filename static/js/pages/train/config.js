// The setup as a config: the recipe, the changes, and the data set's requirements. Nothing here touches the page.

import { epochsText } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { configLine } from "../../labels/config-labels.js";
import { withOutputs } from "./hidden-layers.js";

// Usual learning rates, offered when the optimizer is changed.
const USUAL_LEARNING_RATE = { sgd: 0.1, momentum: 0.01, nesterov: 0.01, adagrad: 0.01, rmsprop: 0.001, adam: 0.001, adamw: 0.001 };
const SHARES = [0.05, 0.1, 0.2, 0.3];

/** The choices of validation data as [value, text], including the chosen one. */
export function validationChoices(chosen) {
  const shares = typeof chosen === "number" && !SHARES.includes(chosen) ? [...SHARES, chosen].sort((a, b) => a - b) : SHARES;
  return [["test", t("the test images")], ...shares.map((share) => [String(share), shareText(share)]), ["null", t("none")]];
}

const shareText = (share) => t("the last {share} % of the training images", { share: Number((share * 100).toFixed(2)) });

/** The learning rate to offer with an optimizer: for the recipe's own optimizer, the recipe's. */
export const offeredLearningRate = ({ optimizer }, type, usual) =>
  type === optimizer.type ? optimizer.learning_rate : (USUAL_LEARNING_RATE[type] ?? usual);

/** The path of the refused field, as "optimizer.learning_rate", or null, and the message. */
export function fieldError({ message, answer }) {
  const path = answer?.field ?? null;
  return { path, message: path !== null && message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message };
}

/** The complete config: with an output for each of the data set's labels, if known. */
export const completeConfig = (recipe, config, labels) => ({
  ...config,
  recipe: recipe.name,
  network: { ...config.network, layers: labels === undefined ? config.network.layers : withOutputs(config.network.layers, labels) },
});

/** The whole setup in one line: "784 → 256 → 10 · Adam 0.01 · 5 epochs · batches of 200". */
export const setupLine = (config) =>
  [
    `${configLine(config)} ${config.optimizer.learning_rate ?? ""}`.trim(),
    epochsText(config.epochs),
    t("batches of {size}", { size: config.batch_size }),
  ].join(" · ");
