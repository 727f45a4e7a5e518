// Sentences about a run.

import { between, count, duration, percent } from "./format.js";
import { hasEnded } from "./run-record.js";

const FALLBACK_DATASET = "strokes";
/** What to do next, by the reason that a failed run gives. */
const ADVICE = {
  diverged: "Choose a smaller learning rate, and start again.",
  memory: "Choose a smaller network or batch size, and start again.",
  config: "Change the settings, and start again.",
  disk: "Make room on the disk, and start again.",
};

/** "quick on MNIST" */
export const runTitle = ({ config }, datasets) => `${config.recipe ?? "Own settings"} on ${datasetTitle(config.dataset, datasets)}`;

export const datasetTitle = (name, datasets) => datasets.find((one) => one.name === name)?.title ?? name;

/** The line under the progress bar. */
export function progressLine(record) {
  if (hasEnded(record)) return endLine(record);
  if (record.state === "queued") return "Waiting for its turn.";
  if (record.state === "paused") return "Paused.";
  const { progress, epochs, config } = record;
  switch (progress?.phase) {
    case "loading":
      return "Loading the pictures …";
    case "evaluating":
      return "Testing on pictures that it has never seen …";
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

function endLine({ state, started, ended, epochs, config }) {
  const seconds = between(started, ended);
  const time = seconds === null ? "" : ` after ${duration(seconds)}`;
  const done = `${epochs.at(-1)?.epoch ?? 0} of ${config.epochs} epochs`;
  if (state === "succeeded") return seconds === null ? "Finished" : `Finished in ${duration(seconds)} · ${done}`;
  return state === "cancelled" ? `Cancelled${time} · ${done}` : `Stopped${time} · ${done}`;
}

/** `{title, text}` of what came of a run, or of what is to come. */
export function outcome(record) {
  if (record.state === "succeeded") return success(record);
  if (record.state === "failed") {
    const text = couldUseStrokes(record)
      ? "The data set “strokes” needs no download: digitpad draws it itself."
      : (ADVICE[record.reason] ?? "Its settings are kept: start it again.");
    return { title: record.error ?? "The training failed, and did not say why.", text };
  }
  if (record.state === "cancelled") return { title: "Cancelled.", text: "What it had learned so far was not kept as a model." };
  return { title: "When it is done, it is tested on pictures that it has never seen.", text: "" };
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
