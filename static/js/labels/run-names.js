// Words that the list of runs and the comparison share.

import { optimizerName, settingName } from "./config-labels.js";
import { recipeTitle } from "./titles.js";

/** In the order in which a run passes through them. */
export const STATE_NAMES = ["queued", "running", "paused", "succeeded", "failed", "cancelled"];

const MOST_TOLD = 3; // settings in the name of a line

/**
 * A name for each run in the chart: its number, and the settings by which it differs from the others, as many as are
 * needed to tell them all apart, if that are not too many. `differences` is of pages/compare/config-diff.js.
 */
export function lineNames(rows, differences) {
  const nameOf = (told) => (_, i) => told.map(({ path, values }) => partName(path, values[i])).filter(Boolean).join(", ");
  let names = rows.map(() => "");
  for (let n = 1; n <= Math.min(MOST_TOLD, differences.length) && new Set(names).size < rows.length; n += 1) {
    names = rows.map(nameOf(differences.slice(0, n)));
  }
  return rows.map(({ id, config }, i) => `#${id} ${names[i] || (recipeTitle(config.recipe) ?? optimizerName(config.optimizer.type))}`);
}

function partName(path, value) {
  if (value === "–") return "";
  return /(^|\.)(type|recipe|dataset|network)$/.test(path) ? value : `${settingName(path)} ${value}`;
}
