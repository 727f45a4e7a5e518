// Names of runs for the list and the comparison.

import { count } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { differing, flattened } from "./config-diff.js";
import { optimizerName, settingName } from "./config-labels.js";
import { recipeTitle } from "./titles.js";

/** The states in the order of a run's life. */
export const STATE_NAMES = ["queued", "running", "paused", "succeeded", "failed", "cancelled"];

const MOST_SETTINGS = 3; // in the name of a line

/**
 * A name for each run in the chart: its number, and the fewest settings that distinguish all runs. `differences` comes
 * from config-diff.js.
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

const ELSEWHERE = /^(recipe$|dataset$|start|personal|validation$)/; // shown in other places, or of no interest in a name
const USUAL = new Set([undefined, null, false, 0, "constant", "float32"]); // values that a recipe leaves out

/** "Quick · batch size 10": a run's recipe, and up to three settings that differ from it; null without a recipe. */
export function runName(config, recipe) {
  const title = recipeTitle(config.recipe);
  if (title === null || recipe === undefined) return title;
  const [plain, own] = [flattened(recipe), flattened(config)];
  const changed = differing([recipe, config]).filter(({ path }) => !ELSEWHERE.test(path) && !(USUAL.has(plain[path]) && USUAL.has(own[path])));
  const names = changed.slice(0, MOST_SETTINGS).map(({ path, values }) => partName(path, values[1])).filter(Boolean);
  return [title, ...names].join(" · ");
}

/** The line of a run in the queue: "Waiting for run 12 and 2 more." */
export function behindLine({ ahead }) {
  const [run, ...others] = ahead;
  if (run === undefined) return t("Waiting for its turn.");
  return others.length === 0 ? t("Waiting for run {run}.", { run }) : t("Waiting for run {run} and {count} more.", { run, count: count(others.length) });
}
