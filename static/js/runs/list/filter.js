// Which runs of the list are shown, and in which order. Nothing here touches the page.

import { between } from "../../i18n/format.js";

export const EVERYTHING = { text: "", state: "", recipe: "", tag: "", sort: "newest" };

export const accuracyOf = (run) => run.test_accuracy ?? run.metrics?.val_accuracy ?? null;

/** Seconds from its start to its end, or to `now`; null before it started. */
export const secondsOf = (run, now = new Date().toISOString()) => between(run.started, run.ended ?? now);

/** What sorts lower comes first; runs of which it is not known come last. */
const KEYS = {
  newest: (run) => -run.id,
  oldest: (run) => run.id,
  accuracy: (run) => (accuracyOf(run) === null ? Infinity : -accuracyOf(run)),
  quickest: (run) => secondsOf(run) ?? Infinity,
};

/** Whether `filter` shows or orders something else than the newest runs, for which all must be known. */
export const needsAll = (filter) => Object.entries(EVERYTHING).some(([key, value]) => filter[key] !== value);

/** The runs that `filter` lets through, in its order; `titleOf` gives what else a recipe is called. */
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

/** All that can be searched: number, settings in short, tags, note, model. */
function textOf({ id, state, config, tags, note, model }, titleOf) {
  const parts = [`run ${id}`, `#${id}`, state, config.recipe, config.recipe && titleOf(config.recipe), config.dataset, config.optimizer?.type, ...(tags ?? []), note, model];
  return parts.filter(Boolean).join("\n").toLowerCase();
}

/** Every value that `pick` finds in the runs, each once, sorted. */
export const valuesOf = (runs, pick) => [...new Set(runs.flatMap(pick).filter(Boolean))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));

/**
 * The known runs after the newest were fetched anew: `page` stands for all runs down to its oldest (or to the first,
 * where nothing comes after it), and what was known of older ones stays.
 */
export function merged(known, page, isWhole) {
  const oldest = isWhole ? 0 : Math.min(...page.map(({ id }) => id));
  return [...page, ...known.filter(({ id }) => id < oldest)];
}

/** "a, b ,a" → ["a", "b"]; commas of both languages part them. */
export const parseTags = (text) => [...new Set(text.split(/[,、，\n]/).map((tag) => tag.trim()).filter(Boolean))];
