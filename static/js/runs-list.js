// The list of runs under the dashboard: a table, on phones a card for each.

import { explain, get } from "./api.js";
import { byId, element, setText } from "./dom.js";
import { ago, moment, percent } from "./format.js";
import { awayText, untilAnswered } from "./patience.js";
import { datasetTitle } from "./run-words.js";

const PAGE = 10;
const LONGEST_PAGE = 200; // the server's limit
const HEADINGS = ["Run", "Recipe", "Data", "State", "Epochs", "Accuracy", "When"];

/** Fetches and shows the list; `refresh()` fetches as many as are shown, newest first. */
export function createRunsList() {
  const place = byId("runs-list");
  const more = byId("runs-more");
  let runs = [];
  let next = null;
  let datasets = [];
  let asked = 0; // answers to older questions are dropped

  async function refresh() {
    const mine = (asked += 1);
    const limit = Math.min(LONGEST_PAGE, Math.max(PAGE, runs.length));
    try {
      const page = await untilAnswered(() => get(`/api/runs?limit=${limit}`), wait);
      if (mine === asked) put(page.runs, page.next);
    } catch (error) {
      fail(error);
    }
  }

  more.addEventListener("click", async () => {
    const mine = (asked += 1);
    more.disabled = true;
    try {
      const page = await get(`/api/runs?limit=${PAGE}&before=${next}`);
      if (mine === asked) put([...runs, ...page.runs], page.next);
    } catch (error) {
      setText(more, explain(error));
    }
    more.disabled = false;
  });

  function put(list, following) {
    runs = list;
    next = following;
    setText(more, "Show more");
    more.hidden = next === null;
    render();
  }

  function render() {
    place.removeAttribute("aria-busy");
    place.replaceChildren(runs.length === 0 ? emptyState() : table(runs, datasets));
  }

  function wait(seconds) {
    if (runs.length === 0) place.replaceChildren(element("p", { class: "soft runs-wait", role: "status" }, awayText(seconds)));
  }

  function fail(error) {
    place.removeAttribute("aria-busy");
    if (runs.length === 0) place.replaceChildren(element("p", { class: "field-error", role: "alert" }, explain(error)));
  }

  function knowDatasets(known) {
    datasets = known;
    if (runs.length > 0) render();
  }

  return { refresh, knowDatasets };
}

const emptyState = () =>
  element(
    "div",
    { class: "card blank-slate" },
    element("p", {}, "No runs yet."),
    element("p", { class: "soft" }, "Every training that you start is kept here, with its curves."),
  );

// The roles are written out because a table laid out as cards loses them otherwise.
function table(runs, datasets) {
  const head = HEADINGS.map((text) => element("th", { scope: "col", role: "columnheader" }, text));
  return element(
    "table",
    { class: "run-table", role: "table", "aria-label": "Runs, newest first" },
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...head)),
    element("tbody", { role: "rowgroup" }, ...runs.map((run) => row(run, datasets))),
  );
}

function row(run, datasets) {
  const { config } = run;
  const accuracy = run.test_accuracy ?? run.metrics?.val_accuracy;
  const cells = [
    element("a", { href: `/runs/${run.id}` }, `Run ${run.id}`),
    config.recipe ?? "own settings",
    datasetTitle(config.dataset, datasets),
    element("span", { class: "chip", "data-state": run.state }, run.state),
    epochsText(run),
    percent(accuracy, 2),
    element("time", { datetime: run.created, title: moment(run.created) }, ago(run.created)),
  ];
  return element(
    "tr",
    { role: "row", "data-run": run.id },
    ...cells.map((content, i) => element("td", { role: "cell", "data-heading": HEADINGS[i] }, content)),
  );
}

function epochsText({ config, metrics, progress, state }) {
  const done = metrics?.epoch ?? (state === "succeeded" ? config.epochs : (progress?.epoch ?? 0));
  return done === config.epochs ? String(done) : `${done} of ${config.epochs}`;
}
