// A run's settings in plain terms.

import { element } from "./dom.js";
import { networkLine, optimizerName } from "./network.js";
import { datasetTitle } from "./run-words.js";

/** Terms and values of a config, as pairs of texts. */
export function configTerms(config, datasets) {
  const { network, optimizer } = config;
  const { type, learning_rate: rate, ...rest } = optimizer;
  const others = Object.entries(rest).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
  const terms = [
    ["Recipe", config.recipe ?? "own settings"],
    ["Data set", datasetTitle(config.dataset, datasets)],
    ["Validation data", validationText(config.validation)],
    ...startTerm(config.start),
    ["Network", networkLine(network.layers)],
    ["Layers", network.layers.map(layerText).join(", ")],
    ["Optimizer", [optimizerName(type), ...others].join(", ")],
    ["Learning rate", String(rate)],
    ["Batch size", String(config.batch_size)],
    ["Epochs", String(config.epochs)],
    ["Seed", String(config.seed)],
    ["Number type", config.dtype],
  ];
  if (config.schedule.type !== "constant") terms.splice(terms.findIndex(([term]) => term === "Batch size"), 0, ["Schedule", layerText(config.schedule)]);
  if (config.weight_decay) terms.push(["Weight decay", String(config.weight_decay)]);
  if (config.clip_norm) terms.push(["Longest gradient", String(config.clip_norm)]);
  if (config.patience) terms.push(["Patience", `${config.patience} epochs`]);
  return terms;
}

export const configItems = (config, datasets) =>
  configTerms(config, datasets).map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value)));

/** What it starts from, where that is not weights drawn by the seed. */
function startTerm(start) {
  if (!start) return [];
  return [["Starts from", start.run ? `where run ${start.run} ended` : `the model “${start.model}”`]];
}

function validationText(validation) {
  if (validation === "test") return "the test pictures";
  return typeof validation === "number" ? `the last ${Number((validation * 100).toFixed(2))} % of the training pictures` : "none";
}

/** {"type": "dropout", "rate": 0.2} → "dropout 0.2" */
function layerText({ type, ...rest }) {
  return [type, ...Object.values(rest).filter((value) => typeof value !== "object")].join(" ").replaceAll("_", " ");
}
