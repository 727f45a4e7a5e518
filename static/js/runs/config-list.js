// A run's settings in plain terms.

import { epochsText } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { networkLine, optimizerName, fieldsText, layerName, lossName, partText, scheduleName } from "../labels/config-labels.js";
import { learningRates } from "../labels/names.js";
import { recipeTitle } from "../labels/titles.js";
import { element } from "../lib/dom.js";
import { datasetTitle } from "./text.js";

/** Terms and values of a config, as pairs of texts. */
export function configTerms(config, datasets) {
  const { network, optimizer } = config;
  const { type, learning_rate: rate = learningRates[type], ...rest } = optimizer;
  const others = fieldsText(rest);
  const terms = [
    [t("Recipe"), recipeTitle(config.recipe) ?? t("custom settings")],
    [t("Data set"), datasetTitle(config.dataset, datasets)],
    [t("Validation data"), validationText(config.validation)],
    ...startTerm(config.start),
    [t("Network"), networkLine(network.layers)],
    [t("Layers"), network.layers.map((layer) => partText(layer, layerName)).join(", ")],
    [t("Optimizer"), [optimizerName(type), others].filter(Boolean).join(", ")],
    [t("Learning rate"), String(rate)],
    ...(config.schedule.type === "constant" ? [] : [[t("Schedule"), partText(config.schedule, scheduleName)]]),
    [t("Loss function"), lossText(config.loss)],
    [t("Batch size"), String(config.batch_size)],
    [t("Epochs"), String(config.epochs)],
    [t("Shuffle"), config.shuffle ? t("yes") : t("no")],
    [t("Augmentation"), config.augmentation ? fieldsText(config.augmentation) || t("none") : t("none")],
    [t("Random seed"), String(config.seed)],
    [t("Number type"), config.dtype],
  ];
  if (config.distillation) terms.push([t("Distillation"), t("{percent} % of “{model}”", { percent: Math.round(100 * config.distillation.weight), model: config.distillation.model })]);
  if (config.weight_decay) terms.push([t("Weight decay"), String(config.weight_decay)]);
  if (config.clip_norm) terms.push([t("Gradient clipping"), String(config.clip_norm)]);
  if (config.averaging) terms.push([t("Weight averaging"), epochsText(config.averaging)]);
  if (config.patience) terms.push([t("Patience"), epochsText(config.patience)]);
  return terms;
}

export const configItems = (config, datasets) =>
  configTerms(config, datasets).map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value)));

/** The initial weights, unless they are drawn from the seed. */
function startTerm(start) {
  if (!start) return [];
  return [[t("Starts from"), start.run ? t("where run {run} ended", { run: start.run }) : t("the model “{model}”", { model: start.model })]];
}

function validationText(validation) {
  if (validation === "test") return t("the test images");
  return typeof validation === "number" ? t("the last {percent} % of the training images", { percent: Number((validation * 100).toFixed(2)) }) : t("none");
}

const lossText = (loss) => (typeof loss === "string" ? lossName(loss) : partText(loss, lossName));
