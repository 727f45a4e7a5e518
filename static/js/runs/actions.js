// The buttons of a run: pause, resume, cancel, and the follow-up actions.

import { explain, post } from "../api/client.js";
import { withRoot } from "../api/root.js";
import { t } from "../i18n/translate.js";
import { askNumber, choose } from "../lib/dialog.js";
import { byId, setMessage, setText } from "../lib/dom.js";
import { chooseDefault } from "../models/set-default.js";
import { epochsDone, hasEnded } from "./run-state.js";
import { couldUseStrokes, onStrokes, withSmallerRate } from "./text.js";

const MOST_EPOCHS = 100_000; // the server's limit
const BUTTONS = { pause: "pause", cancel: "cancel", again: "again", goOn: "go-on", further: "further", strokes: "train-on-strokes", slower: "try-slower" };

/** `onStarted(run)` is called with a new run. */
export function createRunActions({ onStarted }) {
  const buttons = Object.fromEntries(Object.entries(BUTTONS).map(([name, id]) => [name, byId(id)]));
  const nodes = { ...buttons, useModel: byId("use-model"), makeDefault: byId("make-default"), seeModel: byId("see-model"), fineTune: byId("fine-tune"), seeMine: byId("see-mine") };
  let record = null;
  let asking = null; // "pause", "resume", "cancel", "again", ...: the request in flight
  let isGranted = false; // the request was accepted, but its effect has not arrived on the stream

  /** Updates the buttons for a record; hides them for null. */
  function show(next) {
    if (next?.id !== record?.id) reset();
    if (isGranted && next !== record) [asking, isGranted] = [null, false];
    record = next;
    if (record === null) for (const node of Object.values(nodes)) node.hidden = true;
    else render();
  }

  function reset() {
    [asking, isGranted] = [null, false];
    setMessage(byId("run-error"), "");
    setBusy(nodes.makeDefault, false);
  }

  function render() {
    const offered = choices(record, asking);
    const focused = document.activeElement;
    for (const [name, node] of Object.entries(nodes)) {
      node.hidden = !offered[name];
      if (name in offered.busy || name === "slower") setText(node, offered[name] ?? "");
      if (name in buttons) setBusy(node, offered.busy[name] ?? asking !== null);
    }
    if (focused?.hidden && Object.values(nodes).includes(focused)) byId("run-title").focus({ preventScroll: true });
    nodes.seeMine.href = withRoot(`/mine?run=${record.id}`);
    if (record.model === null) return;
    nodes.useModel.href = withRoot(`/?model=${encodeURIComponent(record.model)}`);
    nodes.seeModel.href = withRoot(`/models#${encodeURIComponent(record.model)}`);
    nodes.fineTune.href = withRoot(`/train?start=${encodeURIComponent(record.model)}`);
  }

  /** Runs `task` as the only request in flight, and passes its result to `take`; shows the error if it fails. */
  async function ask(wish, task, take) {
    const { id } = record;
    asking = wish;
    setMessage(byId("run-error"), "");
    render();
    try {
      const answer = await task(`/api/runs/${id}`);
      if (record?.id !== id) return;
      asking = null;
      take(answer);
    } catch (error) {
      if (record?.id !== id) return;
      asking = null;
      setMessage(byId("run-error"), explain(error));
      render();
    }
  }

  /** Requests a change of the run. Its button stays busy until the stream reports it, possibly before the answer. */
  const wish = (name, body) =>
    ask(name, (address) => post(`${address}/${name}`, body), (row) => {
      if (!isTold(row, record)) [asking, isGranted] = [name, true];
      render();
    });
  const start = (name, task) => ask(name, task, onStarted);

  const again = () => start("again", (address) => post(`${address}/again`));
  const goOn = () => start("goOn", (address) => post(`${address}/continue`));
  const slower = () => start("slower", () => post("/api/runs", withSmallerRate(record)));
  const strokes = () => start("strokes", () => post("/api/runs", onStrokes(record)));
  const pause = () => wish(record.state === "paused" ? "resume" : "pause");

  /** Asks for confirmation only if something would be lost. */
  async function cancel() {
    const { id } = record;
    let keep = false;
    if (epochsDone(record) > 0) {
      const answer = await choose({
        title: t("Stop this training?"),
        best: canKeepModel(record) ? "keep" : "cancel",
        text: canKeepModel(record)
          ? t("It ends here. You can keep the best model so far, to use like any other.")
          : t("It ends here, and no model is kept: a personalized model is compared with the original only at the end."),
        answers: [
          ["", record.state === "running" ? t("Keep training") : t("Keep it")],
          ...(canKeepModel(record) ? [["keep", t("Stop and keep the best so far")]] : []),
          ["cancel", canKeepModel(record) ? t("Stop and throw away") : t("Stop")],
        ],
      });
      if (answer === "" || record?.id !== id || hasEnded(record)) return;
      keep = answer === "keep";
    }
    await wish("cancel", keep ? { keep_model: true } : {});
  }

  async function further() {
    const { id } = record;
    const epochs = await askNumber({
      title: t("Continue training"),
      text: t("A new run continues where this one ended. This one stays as it is."),
      label: t("Additional epochs"),
      value: epochsToOffer(record),
      most: MOST_EPOCHS,
      action: t("Continue training"),
    });
    if (epochs !== null && record?.id === id) await start("further", (address) => post(`${address}/continue`, { epochs }));
  }

  const actions = { pause, cancel, again, goOn, further, strokes, slower };
  for (const [name, node] of Object.entries(buttons)) {
    node.addEventListener("click", () => {
      if (!isBusy(node)) actions[name]();
    });
  }

  nodes.makeDefault.addEventListener("click", async () => {
    if (isBusy(nodes.makeDefault)) return;
    const { id, model } = record;
    setBusy(nodes.makeDefault, true);
    try {
      const chosen = await chooseDefault(model);
      if (!chosen) setBusy(nodes.makeDefault, false);
      if (chosen && record?.id === id) setText(byId("outcome-text"), t("“{model}” is now the default: the pad reads with it.", { model }));
    } catch (error) {
      if (record?.id === id) setMessage(byId("run-error"), explain(error));
      setBusy(nodes.makeDefault, false);
    }
  });

  return { show };
}

// Not the attribute `disabled`, which would drop the focus.
const isBusy = (node) => node.getAttribute("aria-disabled") === "true";
const setBusy = (node, busy) => (busy ? node.setAttribute("aria-disabled", "true") : node.removeAttribute("aria-disabled"));

/**
 * The label of each applicable button for `record`, null for the others. `asking` is the pending request:
 * "pause", "resume", "cancel" or null. `busy` are the buttons that wait for it.
 */
export function choices(record, asking = null) {
  const { state, model, checkpoint, reason } = record;
  const ended = hasEnded(record);
  const failed = state === "failed";
  const isPersonal = !canKeepModel(record);
  const canGoOn = ended && checkpoint !== null && reason !== "diverged" && !isPersonal; // it would diverge again, bit for bit
  const hasModel = ended && model !== null;
  return {
    pause: ended ? null : pauseText(record, asking),
    cancel: ended ? null : isCancelling(record, asking) ? t("Cancelling …") : t("Cancel"),
    again: ended ? t("Repeat") : null,
    goOn: canGoOn && failed ? t("Resume from checkpoint") : null,
    further: canGoOn && !failed ? t("Continue training") : null,
    seeModel: hasModel,
    fineTune: hasModel ? t("Fine-tune this model") : null,
    useModel: hasModel,
    makeDefault: hasModel,
    seeMine: hasModel && isPersonal,
    strokes: couldUseStrokes(record),
    slower: failed && reason === "diverged" ? t("Try with learning rate {rate}", { rate: withSmallerRate(record).optimizer.learning_rate }) : null,
    busy: {
      pause: asking !== null || isCancelling(record, asking) || (state !== "paused" && record.pauseRequested),
      cancel: asking !== null || isCancelling(record, asking),
    },
  };
}

/** Whether its model can be stored before the end; a personalized one must first be compared with its base. */
export const canKeepModel = ({ config }) => !config?.personal;

const isTold = (row, record) =>
  hasEnded(record) || (row.state === record.state && row.pause_requested === record.pauseRequested && row.cancel_requested === record.cancelRequested);

const isCancelling = ({ cancelRequested }, asking) => cancelRequested || asking === "cancel";

function pauseText({ state, pauseRequested }, asking) {
  if (state === "paused") return asking === "resume" ? t("Resuming …") : t("Resume");
  return pauseRequested || asking === "pause" ? t("Pausing …") : t("Pause");
}

/** The number of further epochs to offer: the remaining ones or, after all are done, as many again. */
export function epochsToOffer({ state, config, epochs }) {
  const first = epochs.find(({ epoch }) => epoch > 0)?.epoch ?? 1; // not 1 for the continuation of another run
  const left = config.epochs - epochsDone({ epochs });
  return state === "cancelled" && left > 0 ? left : config.epochs - first + 1;
}
