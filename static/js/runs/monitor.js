// The inside of a run while it learns: sample digits, weights and log, with a slider over its moments.

import { explain, get } from "../api/client.js";
import { openPicture } from "../images/zoom-dialog.js";
import { byId, setMessage } from "../lib/dom.js";
import { createEventLog } from "./event-log.js";
import { createFirstLayer } from "./first-layer.js";
import { epochText, keyOf, positionsOf } from "./moments.js";
import { epochsDone, hasEnded } from "./run-state.js";
import { createSampleDigits } from "./sample-digits.js";
import { createTimeline } from "./timeline.js";
import { createHistograms } from "./weight-histograms.js";

const ASK_MS = 1000; // between two questions for the moments of the first epoch

/** Runs these parts of the run view; `show(record)` updates them. */
export function createWatch() {
  const sampleDigits = createSampleDigits({ open: openPicture });
  const firstLayer = createFirstLayer({ open: openPicture });
  const histograms = createHistograms();
  const showEvents = createEventLog();
  const timeline = createTimeline("watch", showPosition);
  let record = null;
  let labels = null;
  let kept = []; // the moments whose weights the server has
  let known = new Map(); // the inside at these moments, or its promise, by their keys
  let asked = { at: -Infinity, epochs: -1, state: null };
  let shown = null;
  let seen = [];

  function show(next, labelsKnown) {
    if (record?.id !== next.id) {
      [kept, known, asked] = [[], new Map(), { at: -Infinity, epochs: -1, state: null }];
      timeline.reset();
    }
    record = next;
    labels = labelsKnown;
    showEvents(record);
    firstLayer.follow(record, epochsDone(record));
    if (!byId("panel-inside").hidden) askMoments();
    // most parts change only with a new epoch
    const now = [record.id, record.epochs, record.state, labels, kept];
    if (now.some((value, i) => value !== seen[i])) {
      seen = now;
      render();
    }
  }

  /** Asks which moments are kept: after each epoch, and while the first one goes on. */
  async function askMoments() {
    const [id, epochs] = [record.id, epochsDone(record)];
    const isSame = asked.epochs === epochs && asked.state === record.state;
    const isSoon = record.state === "running" && performance.now() < asked.at + ASK_MS;
    if (isSoon || (isSame && (epochs > 0 || record.state !== "running"))) return;
    asked = { at: performance.now(), epochs, state: record.state };
    try {
      const { moments } = await get(`/api/runs/${id}/moments`);
      if (record.id !== id || JSON.stringify(moments) === JSON.stringify(kept)) return;
      kept = moments;
      show(record, labels);
    } catch {
      asked.epochs = -1; // away, or deleted, which the page says; asked again with the next event
    }
  }

  function render() {
    const { epochs } = record;
    const recorded = kept.length > 0 || epochs.some(({ layers, sheet: said }) => layers || said);
    const none = hasEnded(record) && epochs.length > 0 && !recorded; // a run from before these were stored
    byId("inside").hidden = none;
    byId("inside-none").hidden = !none;
    const positions = positionsOf(epochs, kept);
    for (const button of document.querySelectorAll("#inside [data-film]")) button.disabled = positions.length < 2;
    timeline.show(positions, record.config.epochs);
  }

  /** Shows a position; resolves when all parts show it. */
  async function showPosition(position, isLatest) {
    const key = position === null ? "" : keyOf(position);
    shown = `${record.id} ${key}`;
    const asking = shown;
    const own = position === null ? null : await insideAt(position, isLatest);
    if (shown !== asking) return; // another was chosen meanwhile
    const data = position === null ? null : (position.data ?? (own === null ? null : { ...own, epoch: epochText(position) }));
    sampleDigits.show(record.id, data, labels);
    histograms.show(record.epochs, data);
    firstLayer.showMoment(isLatest && position?.data ? null : (own?.first_layer ?? null), position);
  }

  /** The inside at a position, from the server; null if it is not kept, or the newest epoch, whose parts are here. */
  async function insideAt(position, isLatest) {
    if (!position.kept || (isLatest && position.data !== null)) return null;
    const [key, id] = [keyOf(position), record.id];
    if (!known.has(key)) known.set(key, get(`/api/runs/${id}/moments/${key}`));
    try {
      const found = await known.get(key);
      setMessage(byId("inside-trouble"), "");
      return found;
    } catch (error) {
      known.delete(key);
      if (record.id === id) setMessage(byId("inside-trouble"), explain(error)); // what the log has is shown
      return null;
    }
  }

  for (const button of document.querySelectorAll("#inside [data-film]")) {
    button.addEventListener("click", async () => {
      const { saveRunFilm } = await import("./film.js");
      await saveRunFilm(button, { timeline, name: `run-${record.id}-${button.dataset.film}` });
    });
  }
  sampleDigits.whenReady(() => record !== null && timeline.render());

  return { show };
}
