// The filter and the order of the list of runs. Nothing here touches the page.

import { between } from "../../i18n/format.js";

export const EVERYTHING = { text: "", state: "", recipe: "", tag: "", sort: "newest" };

export const accuracyOf = (run) => run.test_accuracy ?? run.metrics?.val_accuracy ?? null;

/** The duration in seconds, until now for an active run; null before its start. */
export const secondsOf = (run, now = new Date().toISOString()) => between(run.started, run.ended ?? now);

/** Sort keys, ascending; runs with an unknown key come last. */
const KEYS = {
  newest: (run) => -run.id,
  oldest: (run) => run.id,
  accuracy: (run) => (accuracyOf(run) === null ? Infinity : -accuracyOf(run)),
  quickest: (run) => secondsOf(run) ?? Infinity,
};

/** Whether `filter` needs all runs to be loaded, rather than the newest ones. */
export const needsAll = (filter) => Object.entries(EVERYTHING).some(([key, value]) => filter[key] !== value);

/** The runs that match `filter`, in its order; `titleOf` gives the display name of a recipe. */
export function arranged(runs, filter, titleOf = String) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const key = KEYS[filter.sort];
  return runs
    .filter((run) => filter.state === "" || run.state === filter.state)
    .filter((run) => filter.recipe === "" || (run.config.recipe ?? "") === filter.recipe)
    .filter((run) => filter.tag === "" || (run.tags ?? []).includes(filter.tag))
    .filter((run) => words.every((word) => textOf(run, titleOf).includes(word)))
    .sort((a, b) => key(a) - key(b) || b.id - a.id);
}

/** The searchable text of a run: number, settings in short, tags, note, model. */
function textOf({ id, state, config, tags, note, model }, titleOf) {
  const parts = [`run ${id}`, `#${id}`, state, config.recipe, config.recipe && titleOf(config.recipe), config.dataset, config.optimizer?.type, ...(tags ?? []), note, model];
  return parts.filter(Boolean).join("\n").toLowerCase();
}

/** The unique values of `pick` in the runs, sorted. */
export const valuesOf = (runs, pick) => [...new Set(runs.flatMap(pick).filter(Boolean))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));

/**
 * The known runs after a reload of the newest ones: `page` replaces all runs down to its oldest (or to the first, if it
 * is the last page); older ones stay.
 */
export function merged(known, page, isWhole) {
  const oldest = isWhole ? 0 : Math.min(...page.map(({ id }) => id));
  return [...page, ...known.filter(({ id }) => id < oldest)];
}

/** "a, b ,a" → ["a", "b"], split at Western and Japanese commas. */
export const parseTags = (text) => [...new Set(text.split(/[,、，\n]/).map((tag) => tag.trim()).filter(Boolean))];
