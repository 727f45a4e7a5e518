// Words that the list of runs and the comparison share.

import { optimizerName } from "./network.js";
import { t } from "./words.js";

/** In the order in which a run passes through them. */
export const STATE_NAMES = ["queued", "running", "paused", "succeeded", "failed", "cancelled"];

const MOST_TOLD = 3; // settings in the name of a line

const SETTINGS = {
  recipe: () => t("recipe"),
  dataset: () => t("data set"),
  validation: () => t("validation"),
  network: () => t("network"),
  loss: () => t("loss function"),
  "optimizer.type": () => t("optimizer"),
  "optimizer.learning_rate": () => t("learning rate"),
  "optimizer.momentum": () => t("momentum"),
  batch_size: () => t("batch size"),
  epochs: () => t("epochs"),
  seed: () => t("seed"),
  weight_decay: () => t("weight decay"),
  shuffle: () => t("shuffle"),
  dtype: () => t("number type"),
  patience: () => t("patience"),
};

/** A setting's name in the page's language; of the rarer ones, the path in the config is the name. */
export const settingName = (path) => SETTINGS[path]?.() ?? path.replaceAll("_", " ").replaceAll(".", " ");

/**
 * A name for each run in the chart: its number, and the settings by which it differs from the others, as many as are
 * needed to tell them all apart, if that are not too many. `differences` is of compare-settings.js.
 */
export function lineNames(rows, differences) {
  const nameOf = (told) => (_, i) => told.map(({ path, values }) => partName(path, values[i])).filter(Boolean).join(", ");
  let names = rows.map(() => "");
  for (let n = 1; n <= Math.min(MOST_TOLD, differences.length) && new Set(names).size < rows.length; n += 1) {
    names = rows.map(nameOf(differences.slice(0, n)));
  }
  return rows.map(({ id, config }, i) => `#${id} ${names[i] || (config.recipe ?? optimizerName(config.optimizer.type))}`);
}

function partName(path, value) {
  if (value === "–") return "";
  return /(^|\.)(type|recipe|dataset|network)$/.test(path) ? value : `${settingName(path)} ${value}`;
}
