// Sentences about a run.

import { between, count, duration, percent } from "./format.js";
import { epochsDone, hasEnded, place } from "./run-record.js";

const FALLBACK_DATASET = "strokes";
/** What to do next, by the reason that a failed run gives; the second where it left a checkpoint. */
const ADVICE = {
  diverged: ["Choose a smaller learning rate, and start again."],
  memory: ["Choose a smaller network or batch size, and start again."],
  config: ["Change the settings, and start again."],
  disk: ["Make room on the disk, and run it again.", "Make room on the disk, and go on from its last checkpoint."],
  checkpoint: ["What it was to start from cannot be used any more. Start another."],
};
const OTHER_ADVICE = ["Its settings are kept: run it again.", "Nothing is lost: go on from its last checkpoint."];

/** "quick on MNIST" */
export const runTitle = ({ config }, datasets) => `${config.recipe ?? "Own settings"} on ${datasetTitle(config.dataset, datasets)}`;

export const datasetTitle = (name, datasets) => datasets.find((one) => one.name === name)?.title ?? name;

/** The line under the progress bar. */
export function progressLine(record) {
  if (hasEnded(record)) return endLine(record);
  if (record.state === "queued") return waitingLine(record);
  if (record.state === "paused") return pausedLine(record);
  const { progress, epochs, config } = record;
  switch (progress?.phase) {
    case "loading":
      return "Loading the pictures …";
    case "evaluating":
      return "Testing on pictures that it has never seen …";
    case "calibrating":
      return "Learning how sure it may be …";
    case "saving":
      return "Saving the model …";
    case "training":
      return trainingLine(progress);
    default:
      return epochs.length > 0 ? `Epoch ${epochs.at(-1).epoch} of ${config.epochs}` : "Starting …";
  }
}

function trainingLine({ epoch, epochs, batch, batches, seconds_left: left }) {
  const parts = [`Epoch ${epoch} of ${epochs}`, `batch ${count(batch)} of ${count(batches)}`];
  if (typeof left === "number") parts.push(`${duration(left)} left`);
  return parts.join(" · ");
}

/** What to say while the connection is gone; without seconds, in a sentence that need not change. */
export function lostLine(record, seconds) {
  const when = seconds === undefined ? "trying again" : `trying again in ${seconds} s`;
  const training = hasEnded(record) || record.state === "paused" ? "" : " The training goes on.";
  return `Connection lost, ${when}.${training}`;
}

function waitingLine(record) {
  if (record.fault) return `Waiting: ${record.fault}.`;
  const at = place(record);
  if (at !== null) return `Waiting for its turn, to go on in epoch ${at.epoch}.`;
  return epochsDone(record) > 0 ? `Waiting for its turn, to go on after epoch ${epochsDone(record)}.` : "Waiting for its turn.";
}

/** "Paused in epoch 3, batch 120 of 600." */
function pausedLine(record) {
  const at = place(record);
  if (at === null) return epochsDone(record) > 0 ? `Paused after epoch ${epochsDone(record)} of ${record.config.epochs}.` : "Paused before it began.";
  if (at.batch > 0) return `Paused in epoch ${at.epoch}, batch ${count(at.batch)}${at.batches > 0 ? ` of ${count(at.batches)}` : ""}.`;
  return at.epoch > 1 ? `Paused after epoch ${at.epoch - 1} of ${record.config.epochs}.` : "Paused before it began.";
}

function endLine(record) {
  const { state, started, ended, config } = record;
  const seconds = between(started, ended);
  const time = seconds === null ? "" : ` after ${duration(seconds)}`;
  const done = `${epochsDone(record)} of ${config.epochs} epochs`;
  if (state === "succeeded") return seconds === null ? "Finished" : `Finished in ${duration(seconds)} · ${done}`;
  return state === "cancelled" ? `Cancelled${time} · ${done}` : `Stopped${time} · ${done}`;
}

/** `{title, text}` of what came of a run, or of what is to come. */
export function outcome(record) {
  if (record.state === "succeeded") return success(record);
  if (record.state === "failed") {
    const text = couldUseStrokes(record)
      ? "The data set “strokes” needs no download: digitpad draws it itself."
      : advice(record);
    return { title: record.error ?? "The training failed, and did not say why.", text };
  }
  if (record.state === "cancelled") return { title: "Cancelled.", text: afterCancel(record) };
  return { title: "When it is done, it is tested on pictures that it has never seen.", text: "" };
}

function advice({ reason, checkpoint }) {
  const [alone, withCheckpoint] = ADVICE[reason] ?? OTHER_ADVICE;
  return checkpoint === null ? alone : (withCheckpoint ?? alone);
}

function afterCancel({ model, checkpoint }) {
  if (model !== null) return `Its best model so far is kept as “${model}”.`;
  const kept = "What it had learned so far was not kept as a model";
  return checkpoint === null ? `${kept}.` : `${kept}; it can be trained further.`;
}

function success({ testAccuracy, testSamples, model }) {
  const pictures = testSamples ? `${count(testSamples)} pictures` : "the test pictures";
  const title = testAccuracy === null ? "Done." : `It reads ${percent(testAccuracy, 2)} of ${pictures} that it has never seen.`;
  return { title, text: model ? `Saved as the model “${model}”.` : "It was not saved as a model." };
}

/** How the machine computed: "Computed by 2 processes with 1 thread each, openblas with SkylakeX kernels." */
export function computeLine({ compute }) {
  if (compute === null) return "";
  const { processes, blas_threads: threads, blas, kernel } = compute;
  const crew = processes === 1 ? "one process" : `${processes} processes`;
  const each = threads ? ` with ${threads} ${threads === 1 ? "thread" : "threads"}${processes === 1 ? "" : " each"}` : "";
  return `Computed by ${crew}${each}${blas ? `, ${blas}${kernel ? ` with ${kernel} kernels` : ""}` : ""}.`;
}

/** Whether the run failed for want of data that digitpad could draw itself. */
export const couldUseStrokes = ({ state, reason, config }) =>
  state === "failed" && reason === "dataset" && config.dataset !== FALLBACK_DATASET;

/** The request that does the same on the data set that needs no download. */
export const onStrokes = ({ config }) => ({ ...config, dataset: FALLBACK_DATASET });
