// The inside of a run while it learns: sample digits, weights and log, with a slider over the epochs.

import { t } from "../i18n/translate.js";
import { openPicture } from "../images/zoom-dialog.js";
import { byId, setText } from "../lib/dom.js";
import { createEventLog } from "./event-log.js";
import { createFirstLayer } from "./first-layer.js";
import { epochOf, epochsDone, hasEnded } from "./run-state.js";
import { createSampleDigits } from "./sample-digits.js";
import { createHistograms } from "./weight-histograms.js";

const FRAME = 350; // ms of an epoch in the film

/** Runs these parts of the run view; `show(record)` updates them. */
export function createWatch() {
  const slider = byId("watch-epoch");
  const follow = byId("watch-follow");
  const play = byId("watch-play");
  let film = 0; // the timer, while the epochs go by
  const sampleDigits = createSampleDigits({ open: openPicture });
  const firstLayer = createFirstLayer({ open: openPicture });
  const histograms = createHistograms();
  const showEvents = createEventLog();
  let record = null;
  let labels = null;
  let chosen = null; // the number of the chosen epoch; null follows the newest
  let seen = [];

  function show(next, labelsKnown) {
    if (record?.id !== next.id) {
      chosen = null;
      stopFilm();
    }
    record = next;
    labels = labelsKnown;
    showEvents(record);
    firstLayer.show(record, epochsDone(record));
    // most parts change only with a new epoch
    const now = [record.id, record.epochs, record.state, labels, chosen];
    if (now.some((value, i) => value !== seen[i])) {
      seen = now;
      render();
    }
  }

  function render() {
    const { epochs } = record;
    const recorded = epochs.some(({ layers, sheet: said }) => layers || said);
    const none = hasEnded(record) && epochs.length > 0 && !recorded; // a run from before these were stored
    byId("inside").hidden = none;
    byId("inside-none").hidden = !none;
    const first = epochs[0]?.epoch ?? 0;
    const last = epochsDone(record);
    slider.disabled = epochs.length < 2;
    slider.min = String(first);
    slider.max = String(Math.max(first, last));
    slider.value = String(chosen ?? last);
    follow.disabled = chosen === null;
    play.disabled = epochs.length < 2;
    const epoch = epochOf(record, chosen ?? last);
    const values = { epoch: epoch?.epoch ?? 0, epochs: record.config.epochs };
    setText(byId("watch-epoch-value"), epoch === null ? "–" : t("{epoch} of {epochs}", values));
    slider.setAttribute("aria-valuetext", epoch === null ? "" : t("epoch {epoch} of {epochs}", values));
    sampleDigits.show(record.id, epoch, labels);
    histograms.show(record, epoch?.epoch ?? 0);
  }

  /** Lets the epochs go by, from the first again if the last is shown. */
  function startFilm() {
    if (chosen === null) chosen = Number(slider.min);
    film = setInterval(() => {
      const next = Number(slider.value) + 1;
      chosen = next < epochsDone(record) ? next : null;
      if (chosen === null) stopFilm();
      render();
    }, FRAME);
    setText(play, t("Pause"));
    render();
  }

  function stopFilm() {
    clearInterval(film);
    film = 0;
    setText(play, t("Play"));
  }

  play.addEventListener("click", () => (film === 0 ? startFilm() : stopFilm()));
  slider.addEventListener("input", () => {
    stopFilm();
    const value = Number(slider.value);
    chosen = value === epochsDone(record) ? null : value;
    render();
  });
  follow.addEventListener("click", () => {
    stopFilm();
    chosen = null;
    render();
    slider.focus();
  });
  sampleDigits.whenReady(() => record !== null && render());

  return { show };
}
