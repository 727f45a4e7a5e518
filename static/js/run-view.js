// One run on the page: state, progress, figures, curves and what came of it. The dashboard and the run's own page share it.

import { explain, post } from "./api.js";
import { createCharts } from "./charts.js";
import { saveText, toCsv } from "./csv.js";
import { byId, element, setMessage, setText } from "./dom.js";
import { count, loss, percent } from "./format.js";
import { forgetEvents, fractionDone, hasEnded, recordOf, withMessage } from "./run-record.js";
import { followRun } from "./run-stream.js";
import { computeLine, couldUseStrokes, onStrokes, outcome, progressLine, runTitle } from "./run-words.js";

/** `onState(record)` hears when the run's state changes, `onStarted(run)` of a run that was started from here. */
export function createRunView({ onState, onStarted }) {
  const charts = createCharts();
  const cancel = byId("cancel");
  let record = null;
  let datasets = [];
  let stop = null;
  let frame = 0;

  /** Shows a run and follows it until it ends. */
  function show(run) {
    stop?.();
    record = recordOf(run);
    byId("run").hidden = false;
    setMessage(byId("run-error"), "");
    setMessage(byId("run-away"), "");
    setText(cancel, "Cancel");
    cancel.disabled = false;
    resetOutcome();
    render();
    stop = followRun(run.id, {
      onMessage: (message) => update(withMessage(record, message)),
      onReset: () => update(forgetEvents(record)),
      onLost: (seconds) => setMessage(byId("run-away"), `Connection lost, trying again in ${seconds} s. The training goes on.`),
      onFound: () => setMessage(byId("run-away"), ""),
      onGone: (message) => setMessage(byId("run-away"), message),
    });
  }

  function update(next) {
    const { state } = record;
    record = next;
    if (record.state !== state) onState?.(record);
    if (frame === 0) frame = setTimeout(renderSoon, 16);
  }

  function renderSoon() {
    frame = 0;
    render();
  }

  function render() {
    setText(byId("run-title"), runTitle(record, datasets));
    setText(byId("run-state"), record.state);
    byId("run-state").dataset.state = record.state;
    cancel.hidden = hasEnded(record);
    setText(byId("run-line"), progressLine(record));
    renderProgress(fractionDone(record));
    renderFigures();
    renderOutcome();
    renderTable();
    charts.show(record);
    const empty = record.epochs.length === 0;
    for (const button of document.querySelectorAll("[data-png], [data-csv]")) button.disabled = empty;
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
    const which = validated ? "validation" : "training";
    const [accuracy, lossValue] = validated ? [last?.val_accuracy, last?.val_loss] : [last?.train_accuracy, last?.train_loss];
    const speed = hasEnded(record) ? last?.samples_per_second : (record.progress?.samples_per_second ?? last?.samples_per_second);
    setText(byId("figure-accuracy"), percent(accuracy, 2));
    setText(byId("figure-accuracy-name"), `${which} accuracy`);
    setText(byId("figure-loss"), loss(lossValue));
    setText(byId("figure-loss-name"), `${which} loss`);
    setText(byId("figure-speed"), count(speed));
    setText(byId("figure-parameters"), count(record.parameters));
    setText(byId("compute"), computeLine(record));
  }

  function renderOutcome() {
    const found = outcome(record);
    byId("outcome").toggleAttribute("data-pending", !hasEnded(record));
    setText(byId("outcome-title"), found.title);
    if (!byId("outcome").dataset.said) setText(byId("outcome-text"), found.text);
    const usable = record.state === "succeeded" && record.model !== null;
    byId("use-model").hidden = byId("make-default").hidden = !usable;
    if (usable) byId("use-model").href = `/?model=${encodeURIComponent(record.model)}`;
    byId("train-on-strokes").hidden = !couldUseStrokes(record);
  }

  function resetOutcome() {
    delete byId("outcome").dataset.said;
    byId("make-default").disabled = false;
    byId("train-on-strokes").disabled = false;
  }

  /** Says how an action on the outcome went, in its own line. */
  function say(text) {
    byId("outcome").dataset.said = "yes";
    setText(byId("outcome-text"), text);
  }

  function renderTable() {
    const rows = byId("epoch-rows");
    if (!byId("epochs-details").open) return;
    rows.replaceChildren(...record.epochs.map(epochRow));
  }

  cancel.addEventListener("click", async () => {
    cancel.disabled = true;
    setText(cancel, "Cancelling …");
    setMessage(byId("run-error"), "");
    try {
      await post(`/api/runs/${record.id}/cancel`);
    } catch (error) {
      setMessage(byId("run-error"), explain(error));
      setText(cancel, "Cancel");
      cancel.disabled = false;
    }
  });

  byId("make-default").addEventListener("click", async () => {
    byId("make-default").disabled = true;
    try {
      await post(`/api/models/${encodeURIComponent(record.model)}/default`);
      say(`“${record.model}” is the default now: the pad reads with it.`);
    } catch (error) {
      say(explain(error));
      byId("make-default").disabled = false;
    }
  });

  byId("train-on-strokes").addEventListener("click", async () => {
    byId("train-on-strokes").disabled = true;
    try {
      onStarted(await post("/api/runs", onStrokes(record)));
    } catch (error) {
      say(explain(error));
      byId("train-on-strokes").disabled = false;
    }
  });

  byId("epochs-details").addEventListener("toggle", renderTable);
  for (const button of document.querySelectorAll("[data-csv]")) {
    button.addEventListener("click", () => saveText(toCsv(record.epochs), `run-${record.id}.csv`));
  }
  for (const button of document.querySelectorAll("[data-png]")) {
    button.addEventListener("click", () => charts.savePng(button.dataset.png, `run-${record.id}-${button.dataset.png}`));
  }

  /** Gives the data sets' titles, once they are known. */
  function knowDatasets(known) {
    datasets = known;
    if (record !== null) setText(byId("run-title"), runTitle(record, datasets));
  }

  return { show, knowDatasets };
}

const epochRow = (epoch) =>
  element(
    "tr",
    {},
    element("th", { scope: "row" }, String(epoch.epoch)),
    ...[
      loss(epoch.train_loss),
      loss(epoch.val_loss),
      percent(epoch.train_accuracy, 2),
      percent(epoch.val_accuracy, 2),
      typeof epoch.learning_rate === "number" ? String(Number(epoch.learning_rate.toPrecision(3))) : "–",
      typeof epoch.seconds === "number" ? epoch.seconds.toFixed(2) : "–",
    ].map((text) => element("td", {}, text)),
  );
