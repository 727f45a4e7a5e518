// Names of runs for the list and the comparison.

import { optimizerName, settingName } from "./config-labels.js";
import { recipeTitle } from "./titles.js";

/** The states in the order of a run's life. */
export const STATE_NAMES = ["queued", "running", "paused", "succeeded", "failed", "cancelled"];

const MOST_SETTINGS = 3; // in the name of a line

/**
 * A name for each run in the chart: its number, and the fewest settings that distinguish all runs. `differences` comes
 * from pages/compare/config-diff.js.
 */
export function lineNames(rows, differences) {
  const nameOf = (settings) => (_, i) => settings.map(({ path, values }) => partName(path, values[i])).filter(Boolean).join(", ");
  let names = rows.map(() => "");
  for (let n = 1; n <= Math.min(MOST_SETTINGS, differences.length) && new Set(names).size < rows.length; n += 1) {
    names = rows.map(nameOf(differences.slice(0, n)));
  }
  return rows.map(({ id, config }, i) => `#${id} ${names[i] || (recipeTitle(config.recipe) ?? optimizerName(config.optimizer.type))}`);
}

function partName(path, value) {
  if (value === "–") return "";
  return /(^|\.)(type|recipe|dataset|network)$/.test(path) ? value : `${settingName(path)} ${value}`;
}
