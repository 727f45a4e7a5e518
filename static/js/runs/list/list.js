// The list of runs: a table, or cards on phones, with filters, sorting, selection for a comparison, tags and deletion.

import { BACK, call, explain, get } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { withRoot } from "../../api/root.js";
import { t } from "../../i18n/translate.js";
import { STATE_NAMES } from "../../labels/run-names.js";
import { recipeTitle } from "../../labels/titles.js";
import { askText } from "../../lib/dialog.js";
import { byId, element, setMessage, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { hasEnded } from "../run-state.js";
import { stateWord } from "../text.js";
import { editAnnotations } from "./annotations.js";
import { EVERYTHING, arranged, merged, needsAll, parseTags, valuesOf } from "./filter.js";
import { createRow, headings } from "./row.js";
import { createUndo } from "./undo-delete.js";

const PAGE = 50;
const LONGEST_TAG = 40; // the server's limit
const LARGEST_PAGE = 200; // the server's limit
const POLL_MS = 3000; // while a run is active or queued
const QUIET_POLLS = 5; // the factor of the interval while none is: one may be started elsewhere

/**
 * Fetches and shows the list. `refresh()` fetches as many as are shown, newest first; it runs regularly while a run is
 * active and the page is visible. `chosen` are the ids of the initially selected runs.
 */
export function createRunsList({ chosen: ticked = [] } = {}) {
  const place = byId("runs-list");
  const more = byId("runs-more");
  const bar = createBar({ onFilter: filterChanged, onClear: clearChoice, onTag: tagChosen, onDelete: deleteChosen });
  const chosen = new Set(ticked);
  const rows = new Map();
  let body = null;
  let runs = [];
  let next = null;
  let isKnown = false; // an answer has arrived
  let isFetchingAll = false;
  let known = { datasets: [], recipes: [] };
  const requests = createLatest();
  let visible = PAGE;

  const undo = createUndo({
    onHide: render,
    onBack: (id) => {
      render();
      rows.get(id)?.node.querySelector("a").focus();
    },
    onGone: (ids) => {
      runs = runs.filter((run) => !ids.includes(run.id));
      render();
    },
    onFail: (id, text) => {
      bar.say(t("Run {id} was not deleted: {text}", { id, text }));
      render();
    },
  });

  async function refresh() {
    const signal = requests.begin();
    const limit = Math.min(LARGEST_PAGE, Math.max(visible, runs.length));
    try {
      const page = await retryWhileAway(() => get(`/api/runs?limit=${limit}`), wait);
      if (signal.aborted) return;
      runs = merged(runs, page.runs, page.next === null);
      if (page.next === null || runs.length === page.runs.length) next = page.next;
      isKnown = true;
      render();
    } catch (error) {
      fail(error);
    }
  }

  window.addEventListener(BACK, refresh);

  /** Fetches the remaining runs: filters and sorting need all of them. */
  async function fetchAll() {
    if (isFetchingAll) return;
    isFetchingAll = true;
    bar.say(t("Searching all runs …"));
    try {
      while (next !== null) {
        const before = next;
        const page = await get(`/api/runs?limit=${LARGEST_PAGE}&before=${before}`);
        runs = [...runs.filter(({ id }) => id >= before), ...page.runs];
        next = page.next;
        render();
      }
      bar.say("");
    } catch (error) {
      bar.say(explain(error));
    }
    isFetchingAll = false;
  }

  function filterChanged() {
    visible = PAGE;
    render();
    if (needsAll(bar.filter()) && next !== null) fetchAll();
  }

  function clearChoice() {
    chosen.clear();
    render();
  }

  more.addEventListener("click", async () => {
    visible += PAGE;
    if (next !== null && runs.length < visible) {
      more.disabled = true;
      try {
        const page = await get(`/api/runs?limit=${PAGE}&before=${next}`);
        runs = [...runs.filter(({ id }) => id >= next), ...page.runs];
        next = page.next;
      } catch (error) {
        visible -= PAGE;
        bar.say(explain(error));
      }
      more.disabled = false;
    }
    render();
  });

  function render() {
    if (!isKnown) return;
    place.removeAttribute("aria-busy");
    const there = runs.filter(({ id }) => !undo.isPending(id));
    if (there.length === 0) {
      body = null;
      place.replaceChildren(emptyState());
      more.hidden = true;
      return;
    }
    if (body === null) {
      body = element("tbody", { role: "rowgroup" });
      place.replaceChildren(bar.node, table(body));
    }
    bar.know(there);
    const filter = bar.filter();
    const found = arranged(there, filter, recipeTitle);
    const shown = found.slice(0, visible);
    fill(shown);
    more.hidden = found.length <= visible && (next === null || needsAll(filter));
    setText(more, t("Show more"));
    for (const id of chosen) if (isKnown && next === null && !there.some((run) => run.id === id)) chosen.delete(id);
    bar.show({ chosen: [...chosen], isEmpty: found.length === 0 });
  }

  /** Updates the table's rows, preserving the nodes of remaining rows. */
  function fill(shown) {
    const ids = new Set(shown.map(({ id }) => id));
    for (const [id, row] of rows) {
      if (ids.has(id)) continue;
      row.node.remove();
      rows.delete(id);
    }
    shown.forEach((run, i) => {
      if (!rows.has(run.id)) rows.set(run.id, createRow(run, { onChoose, onTag: bar.chooseTag, onEdit, onDelete }));
      const row = rows.get(run.id);
      row.update(run, chosen.has(run.id), known);
      if (body.children[i] !== row.node) body.insertBefore(row.node, body.children[i] ?? null);
    });
  }

  function onChoose(id, on) {
    if (on) chosen.add(id);
    else chosen.delete(id);
    render();
  }

  async function onEdit(run) {
    const changed = await editAnnotations(run, valuesOf(runs, ({ tags }) => tags ?? []));
    if (changed === null) return;
    runs = runs.map((one) => (one.id === run.id ? { ...one, tags: changed.tags, note: changed.note } : one));
    render();
  }

  function onDelete(id) {
    chosen.delete(id);
    undo.deleteRuns([id])?.focus();
  }

  const chosenRuns = () => runs.filter(({ id }) => chosen.has(id));

  function deleteChosen() {
    const ended = chosenRuns().filter(hasEnded).map(({ id }) => id);
    if (ended.length < chosen.size) bar.say(t("Runs that have not ended stay: cancel them first."));
    for (const id of ended) chosen.delete(id);
    if (ended.length > 0) undo.deleteRuns(ended).focus();
  }

  async function tagChosen() {
    const tag = await askText({ value: "", most: LONGEST_TAG, title: t("Tag the selected runs"), text: t("A short word, to find them again."), label: t("Tag"), action: t("Tag") });
    const tags = parseTags(tag ?? "");
    if (tags.length === 0) return;
    try {
      for (const run of chosenRuns()) {
        const changed = await call("PATCH", `/api/runs/${run.id}`, { body: { tags: [...new Set([...(run.tags ?? []), ...tags])] } });
        runs = runs.map((one) => (one.id === run.id ? { ...one, tags: changed.tags } : one));
      }
      bar.say("");
    } catch (error) {
      bar.say(explain(error));
    }
    render();
  }

  function wait(seconds) {
    if (!isKnown) place.replaceChildren(element("p", { class: "soft runs-wait", role: "status" }, awayText(seconds)));
  }

  function fail(error) {
    place.removeAttribute("aria-busy");
    if (!isKnown) place.replaceChildren(element("p", { class: "field-error", role: "alert" }, explain(error)));
    else bar.say(explain(error));
  }

  /** Takes the data sets and recipes, for their titles and for the settings that differ. */
  function know(next) {
    known = { ...known, ...next };
    render();
  }

  const isActive = () => runs.some((run) => !hasEnded(run));
  let polls = 0;
  setInterval(() => {
    polls += 1;
    if (!document.hidden && isKnown && (isActive() || polls % QUIET_POLLS === 0)) refresh();
  }, POLL_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && isKnown) refresh();
  });
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) refresh();
  });

  return { refresh, know };
}

const emptyState = () =>
  element(
    "div",
    { class: "card blank-slate" },
    element("p", {}, t("No runs yet.")),
    element("p", { class: "soft" }, t("Every training that you start appears here, with its curves.")),
    document.getElementById("setup") === null ? element("a", { class: "button accent", href: withRoot("/train") }, t("Train a network")) : null,
  );

// The explicit roles preserve the semantics of a table that is laid out as cards.
function table(body) {
  const head = [element("span", { class: "visually-hidden" }, t("Compare")), ...headings(), element("span", { class: "visually-hidden" }, t("Change"))];
  return element(
    "table",
    { class: "runs-table", role: "table", "aria-label": t("Runs") },
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...head.map((one) => element("th", { scope: "col", role: "columnheader" }, one)))),
    body,
  );
}

/** The search, the filters, the order and the link to the comparison, above the table. */
function createBar({ onFilter, onClear, onTag, onDelete }) {
  const text = element("input", { type: "search", id: "runs-search", placeholder: t("Search"), "aria-label": t("Search the runs"), autocomplete: "off" });
  const state = select("runs-state", t("State"), [["", t("All states")], ...STATE_NAMES.map((name) => [name, stateWord(name)])]);
  const recipe = select("runs-recipe", t("Recipe"), [["", t("All recipes")]]);
  const tag = select("runs-tag", t("Tag"), [["", t("All tags")]]);
  const sort = select("runs-sort", t("Order"), [
    ["newest", t("Newest first")],
    ["oldest", t("Oldest first")],
    ["accuracy", t("Most accurate first")],
    ["quickest", t("Fastest first")],
  ]);
  const compare = element("a", { class: "button", id: "compare-chosen", role: "link" });
  const tagAll = element("button", { class: "button", id: "tag-chosen", type: "button" }, t("Tag"));
  const deleteAll = element("button", { class: "button", id: "delete-chosen", type: "button" }, t("Delete"));
  const clear = element("button", { class: "quiet", type: "button" }, t("Clear selection"));
  const message = element("p", { class: "runs-message", role: "status" });
  const nothing = element("p", { class: "runs-nothing", hidden: true }, element("span", {}, t("No matching runs.")), " ");
  const all = element("button", { class: "quiet", type: "button" }, t("Show all runs"));
  nothing.append(all);
  const node = element(
    "div",
    { class: "runs-bar" },
    element("div", { class: "runs-filters", role: "search", "aria-label": t("Filter the runs") }, text, state, recipe, tag, sort),
    element("div", { class: "runs-choice" }, compare, tagAll, deleteAll, clear, message),
    nothing,
  );
  const controls = { text, state, recipe, tag, sort };

  node.querySelector(".runs-filters").addEventListener("input", onFilter);
  clear.addEventListener("click", onClear);
  tagAll.addEventListener("click", onTag);
  deleteAll.addEventListener("click", onDelete);
  all.addEventListener("click", () => {
    for (const [name, value] of Object.entries(EVERYTHING)) controls[name].value = value;
    onFilter();
    text.focus();
  });

  const filter = () => Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.value]));

  function know(runs) {
    offer(recipe, t("All recipes"), valuesOf(runs, ({ config }) => [config.recipe]), recipeTitle);
    offer(tag, t("All tags"), valuesOf(runs, ({ tags }) => tags ?? []));
  }

  function show({ chosen, isEmpty }) {
    setText(compare, chosen.length === 0 ? t("Select two or more runs to compare") : t("Compare {count}", { count: chosen.length }));
    compare.classList.toggle("strong", chosen.length > 0);
    if (chosen.length > 0) {
      compare.href = withRoot(`/compare?runs=${[...chosen].sort((a, b) => a - b).join(",")}`);
      compare.removeAttribute("aria-disabled");
    } else {
      compare.removeAttribute("href");
      compare.setAttribute("aria-disabled", "true");
    }
    for (const button of [tagAll, deleteAll, clear]) button.hidden = chosen.length === 0;
    nothing.hidden = !isEmpty;
  }

  function chooseTag(name) {
    tag.value = name;
    onFilter();
  }

  return { node, filter, know, show, chooseTag, say: (words) => setMessage(message, words) };
}

const select = (id, label, choices) => element("select", { id, "aria-label": label }, ...choices.map(([value, text]) => element("option", { value }, text)));

/** Fills a select whose first option is all; the selected value stays, even if no run has it any more. */
function offer(node, all, values, textOf = String) {
  const { value } = node;
  const options = value === "" || values.includes(value) ? values : [...values, value];
  if (JSON.stringify([...node.options].slice(1).map((option) => option.value)) === JSON.stringify(options)) return;
  node.replaceChildren(element("option", { value: "" }, all), ...options.map((one) => element("option", { value: one }, textOf(one))));
  node.value = value;
}
