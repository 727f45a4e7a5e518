// One run on the page: state, progress, figures, charts and result. The dashboard and the run's own page share it.

import { createEvaluation } from "../evaluation/evaluation.js";
import { count, loss, percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { byId, element, setMessage, setText } from "../lib/dom.js";
import { saveText } from "../lib/save-file.js";
import { createTabs } from "../lib/tabs.js";
import { createRunActions } from "./actions.js";
import { configItems } from "./config-list.js";
import { toCsv } from "./csv.js";
import { createCharts } from "./metric-charts.js";
import { METRICS, metricsOf, valueOf } from "./metrics.js";
import { createWatch } from "./monitor.js";
import { forgetEvents, fractionDone, hasEnded, recordOf, withMessage } from "./run-state.js";
import { followRun } from "./stream.js";
import { computeLine, lostLine, outcome, progressLine, runTitle, stateWord } from "./text.js";

const FIRST_TAB = "curves";
const WITH_EPOCHS = [FIRST_TAB, "inside", "map", "evaluation"];
const GONE = () => t("This run no longer exists.");
const ASKING = () => t("No live connection gets through here, so this page asks every 2 s. Nothing is lost.");

/** `onState(record)` is called when the run's state or config changes, `onStarted(run)` with a run started from here. */
export function createRunView({ onState, onStarted }) {
  const charts = createCharts();
  const watch = createWatch();
  const evaluation = createEvaluation();
  const actions = createRunActions({ onStarted });
  let record = null;
  let datasets = [];
  let stop = null;
  let frame = 0;
  let gone = false;
  let map = null; // the promise of its module

  const tabs = createTabs(byId("run-tabs"), {
    onSelect(name, byHand) {
      if (byHand) {
        const address = new URL(location.href);
        address.hash = name === FIRST_TAB ? "" : name;
        window.history.replaceState(null, "", address);
      }
      if (record !== null) render();
    },
  });
  const selectAddressed = () => tabs.select(location.hash.slice(1));
  selectAddressed();
  window.addEventListener("hashchange", selectAddressed);

  /** Shows a run and follows it until it ends. */
  function show(run) {
    stop?.();
    record = recordOf(run);
    gone = false;
    byId("run").hidden = false;
    setMessage(byId("run-away"), "");
    setText(byId("run-spoken"), "");
    render();
    stop = followRun(run.id, {
      onMessage: (message) => update(withMessage(record, message)),
      onReset: () => update(forgetEvents(record)),
      onLost: (seconds) => {
        setMessage(byId("run-away"), lostLine(record, seconds));
        setText(byId("run-spoken"), lostLine(record));
      },
      onAsking: () => {
        setMessage(byId("run-away"), ASKING());
        setText(byId("run-spoken"), ASKING());
      },
      onFound: () => {
        setMessage(byId("run-away"), "");
        setText(byId("run-spoken"), t("Connected again."));
        setMessage(byId("run-error"), ""); // of a call that was not answered
      },
      onGone: leave,
    });
  }

  /** Handles a deleted run, or a new database on the server: the view stays, without actions. */
  function leave() {
    gone = true;
    setMessage(byId("run-away"), GONE());
    setText(byId("run-spoken"), GONE());
    render();
  }

  function update(next) {
    const { state, config } = record;
    record = next;
    if (record.state !== state || record.config !== config) onState?.(record);
    if (frame === 0) frame = setTimeout(renderSoon, 16);
  }

  function renderSoon() {
    frame = 0;
    render();
  }

  function render() {
    setText(byId("run-title"), runTitle(record, datasets));
    setText(byId("run-state"), stateWord(record.state));
    byId("run-state").dataset.state = record.state;
    setMessage(byId("run-attempt"), record.attempt > 1 && record.race === null ? resumedText(record.attempt - 1) : "");
    setText(byId("run-line"), progressLine(record));
    renderProgress(fractionDone(record));
    renderFigures();
    renderOutcome();
    renderTable();
    renderConfig();
    charts.show(record);
    watch.show(record, labelsOf(record, datasets));
    if (tabs.selected() === "map") showMap();
    evaluation.show(record, hasEnded(record));
    actions.show(gone ? null : record);
    const empty = record.epochs.length === 0;
    const isAllRead = hasEnded({ state: record.events.at(-1)?.type }); // events come in order, and its end is the last
    const nothing = empty && hasEnded(record) && isAllRead; // there is nothing to draw, and nothing to evaluate
    for (const name of WITH_EPOCHS) byId(`tab-${name}`).hidden = nothing;
    document.querySelector(".figures").hidden = nothing;
    if (nothing && WITH_EPOCHS.includes(tabs.selected())) tabs.select("log");
    for (const button of document.querySelectorAll("[data-png], [data-csv]")) button.disabled = empty;
  }

  /** The map is loaded when its tab is opened. */
  async function showMap() {
    map ??= import("./run-map.js").then(({ createRunMap }) => createRunMap());
    (await map).show(record);
  }

  function renderProgress(fraction) {
    const bar = byId("progress");
    bar.toggleAttribute("data-unknown", fraction === null);
    bar.dataset.state = record.state;
    bar.firstElementChild.style.width = `${(fraction ?? 0) * 100}%`;
    if (fraction === null) bar.removeAttribute("aria-valuenow");
    else bar.setAttribute("aria-valuenow", String(Math.round(fraction * 100)));
    bar.setAttribute("aria-valuetext", progressLine(record));
  }

  function renderFigures() {
    const last = record.epochs.at(-1);
    const validated = record.config.validation !== null && record.config.validation !== undefined;
    const [accuracy, lossValue] = validated ? [last?.val_accuracy, last?.val_loss] : [last?.train_accuracy, last?.train_loss];
    const speed = hasEnded(record) ? last?.samples_per_second : (record.progress?.samples_per_second ?? last?.samples_per_second);
    setText(byId("figure-accuracy"), percent(accuracy, 2));
    setText(byId("figure-accuracy-name"), validated ? t("validation accuracy") : t("training accuracy"));
    setText(byId("figure-loss"), loss(lossValue));
    setText(byId("figure-loss-name"), validated ? t("validation loss") : t("training loss"));
    setText(byId("figure-speed"), count(speed));
    setText(byId("figure-parameters"), count(record.parameters));
    setText(byId("compute"), computeLine(record));
  }

  function renderOutcome() {
    const found = outcome(record);
    byId("outcome").toggleAttribute("data-pending", !hasEnded(record));
    setText(byId("outcome-title"), found.title);
    const text = byId("outcome-text");
    if (text.dataset.of === JSON.stringify(found)) return; // an action's message stays
    text.dataset.of = JSON.stringify(found);
    setText(text, found.text);
  }

  function renderConfig() {
    const list = byId("config-list");
    if (list.of === record.config && list.datasets === datasets) return;
    [list.of, list.datasets] = [record.config, datasets];
    list.replaceChildren(...configItems(record.config, datasets));
    setText(byId("config-json"), JSON.stringify(record.config, null, 2));
  }

  function renderTable() {
    const rows = byId("epoch-rows");
    if (record === null || !byId("epochs-details").open) return;
    if (rows.of === record.epochs) return;
    rows.of = record.epochs;
    const columns = columnsOf(record.epochs);
    byId("epoch-head").replaceChildren(...columns.map(([title]) => element("th", { scope: "col" }, title)));
    rows.replaceChildren(...record.epochs.map((epoch) => element("tr", {}, ...columns.map(([, text], i) => (i === 0 ? element("th", { scope: "row" }, text(epoch)) : element("td", {}, text(epoch)))))));
  }

  byId("epochs-details").addEventListener("toggle", renderTable);
  for (const button of document.querySelectorAll("[data-csv]")) {
    button.addEventListener("click", () => saveText(toCsv(record.epochs), `run-${record.id}.csv`));
  }
  for (const button of document.querySelectorAll("[data-png]")) {
    button.addEventListener("click", () => charts.savePng(button.dataset.png, `run-${record.id}-${button.dataset.png}.png`));
  }

  /** Takes the data sets' titles, once known. */
  function knowDatasets(known) {
    datasets = known;
    if (record !== null) render();
  }

  return { show, knowDatasets };
}

/** The labels of the run's data set, if known. */
const labelsOf = ({ config }, datasets) => datasets.find(({ name }) => name === config.dataset)?.labels ?? null;

/** The columns of the table of epochs, as [title, text of an epoch]. */
const columnsOf = (epochs) => [
  [t("epoch"), ({ epoch }) => String(epoch)],
  ...metricsOf(epochs).map((key) => [METRICS[key].title(), (epoch) => METRICS[key].format.text(valueOf(epoch, key))]),
  [t("seconds"), ({ seconds }) => (typeof seconds === "number" ? seconds.toFixed(2) : "–")],
];

const resumedText = (times) => (times === 1 ? t("resumed once") : t("resumed {count} times", { count: times }));
