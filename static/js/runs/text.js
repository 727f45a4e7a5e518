// Sentences about a run.

import { asSentence, between, count, duration, percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { learningRates } from "../labels/names.js";
import { behindLine } from "../labels/run-names.js";
import { titleOf, datasetTitle as knownTitle, recipeTitle } from "../labels/titles.js";
import { epochsDone, hasEnded, place } from "./run-state.js";

/** True for a training on drawings alone, each of which becomes many images. */
const isDrawn = ({ config }) => config.dataset.startsWith("drawings:");

const FALLBACK_DATASET = "strokes";

const STATES = {
  queued: t("queued"),
  running: t("running"),
  paused: t("paused"),
  succeeded: t("done"),
  failed: t("failed"),
  cancelled: t("cancelled"),
};

/** The next step, by the reason of a failure; the second one if there is a checkpoint. */
const ADVICE = {
  diverged: [""], // the reason says it, and a button does it
  memory: [t("Choose a smaller network or batch size, and start again.")],
  config: [t("Change the settings, and start again.")],
  disk: [t("Free some disk space, then repeat the run."), t("Free some disk space, then resume from its last checkpoint.")],
  checkpoint: [t("The model it was to start from can no longer be used. Start another run.")],
};
const OTHER_ADVICE = [t("Its settings are saved: you can repeat it."), t("Nothing is lost: resume from its last checkpoint.")];

/** A run's state in the page's language. */
export const stateWord = (state) => STATES[state] ?? state;

/** "Quick on MNIST" */
export const runTitle = ({ config }, datasets) =>
  t("{recipe} on {dataset}", { recipe: recipeTitle(config.recipe) ?? t("Custom settings"), dataset: datasetTitle(config.dataset, datasets) });

export function datasetTitle(name, datasets) {
  const found = datasets.find((one) => one.name === name);
  return found === undefined ? knownTitle(name) : titleOf(found);
}

/** The line under the progress bar. */
export function progressLine(record) {
  if (hasEnded(record)) return endLine(record);
  if (record.state === "queued") return waitingLine(record);
  if (record.state === "paused") return pausedLine(record);
  const { progress, epochs, config } = record;
  switch (progress?.phase) {
    case "loading":
      return isDrawn(record) ? t("Redrawing the drawings …") : t("Loading the images …");
    case "waiting":
      return t("The disk is full or away. The training goes on once there is room.");
    case "evaluating":
      return t("Testing on unseen images …");
    case "calibrating":
      return t("Calibrating its confidence …");
    case "saving":
      return t("Saving the model …");
    case "training":
      return trainingLine(progress);
    default:
      return epochs.length > 0 ? t("Epoch {epoch} of {epochs}", { epoch: epochs.at(-1).epoch, epochs: config.epochs }) : t("Starting …");
  }
}

function trainingLine({ epoch, epochs, batch, batches, seconds_left: left }) {
  const parts = [t("Epoch {epoch} of {epochs}", { epoch, epochs }), t("batch {batch} of {batches}", { batch: count(batch), batches: count(batches) })];
  if (typeof left === "number") parts.push(t("{time} left", { time: duration(left) }));
  return parts.join(" · ");
}

/** The message while the connection is gone; a constant one without seconds. */
export function lostLine(record, seconds) {
  const goesOn = !hasEnded(record) && record.state !== "paused";
  if (seconds === undefined) return goesOn ? t("Connection lost, trying again. The training continues.") : t("Connection lost, trying again.");
  return goesOn
    ? t("Connection lost, trying again in {seconds} s. The training continues.", { seconds })
    : t("Connection lost, trying again in {seconds} s.", { seconds });
}

function waitingLine(record) {
  if (record.fault) return t("Waiting: {reason}.", { reason: record.fault });
  const at = place(record);
  if (at !== null) return t("Waiting for its turn, to continue in epoch {epoch}.", { epoch: at.epoch });
  return epochsDone(record) > 0 ? t("Waiting for its turn, to continue after epoch {epoch}.", { epoch: epochsDone(record) }) : behindLine(record);
}

/** "Paused in epoch 3, batch 120 of 600." */
function pausedLine(record) {
  const at = place(record);
  const after = (epoch) => t("Paused after epoch {epoch} of {epochs}.", { epoch, epochs: record.config.epochs });
  if (at === null) return epochsDone(record) > 0 ? after(epochsDone(record)) : t("Paused before it began.");
  if (at.batch > 0) {
    const values = { epoch: at.epoch, batch: count(at.batch), batches: count(at.batches) };
    return at.batches > 0 ? t("Paused in epoch {epoch}, batch {batch} of {batches}.", values) : t("Paused in epoch {epoch}, batch {batch}.", values);
  }
  return at.epoch > 1 ? after(at.epoch - 1) : t("Paused before it began.");
}

function endLine(record) {
  const { state, started, ended, config } = record;
  const seconds = between(started, ended);
  const values = { time: duration(seconds), done: epochsDone(record), epochs: config.epochs };
  const done = config.epochs === 1 ? t("{done} of 1 epoch", values) : t("{done} of {epochs} epochs", values);
  if (state === "succeeded") return seconds === null ? t("Finished") : `${t("Finished in {time}", values)} · ${done}`;
  if (state === "cancelled") return `${seconds === null ? t("Cancelled") : t("Cancelled after {time}", values)} · ${done}`;
  return `${seconds === null ? t("Stopped") : t("Stopped after {time}", values)} · ${done}`;
}

/** `{title, text}` of a run's result, or of what is to come. */
export function outcome(record) {
  if (record.state === "succeeded") return success(record);
  if (record.state === "failed") {
    const text = couldUseStrokes(record)
      ? t("The data set “strokes” needs no download: digitpad draws it itself.")
      : advice(record);
    return { title: asSentence(record.error ?? t("The training failed without giving a reason.")), text };
  }
  if (record.state === "cancelled") return { title: t("Cancelled."), text: afterCancel(record) };
  return { title: t("When it is done, it is tested on unseen images."), text: "" };
}

function advice({ reason, checkpoint }) {
  const [alone, withCheckpoint] = ADVICE[reason] ?? OTHER_ADVICE;
  return checkpoint === null ? alone : (withCheckpoint ?? alone);
}

function afterCancel({ model, checkpoint }) {
  if (model !== null) return t("Its best model so far was saved as “{model}”.", { model });
  if (checkpoint === null) return t("What it had learned so far was not saved as a model.");
  return t("What it had learned so far was not saved as a model; you can continue the training.");
}

function success({ config, testAccuracy, testSamples, model }) {
  if (config?.personal && model) return { title: t("It has learned your handwriting."), text: t("Saved as the model “{model}”.", { model }) };
  const text = model ? t("Saved as the model “{model}”.", { model }) : t("It was not saved as a model.");
  return { title: testAccuracy === null ? t("Done.") : testedLine(config, testAccuracy, testSamples), text };
}

function testedLine(config, testAccuracy, testSamples) {
  const values = { accuracy: percent(testAccuracy, 2), count: count(testSamples) };
  if (!testSamples) return t("It reads {accuracy} of the unseen test images correctly.", values);
  if (config.validation === "test") return t("It reads {accuracy} of {count} test images correctly.", values);
  return isDrawn({ config })
    ? t("It reads {accuracy} of {count} images of drawings that it never saw.", values)
    : t("It reads {accuracy} of {count} unseen test images correctly.", values);
}

/** The machine's configuration: "Computed by: 2 processes, 1 thread each, openblas with SkylakeX kernels." */
export function computeLine({ compute }) {
  if (compute === null) return "";
  const { processes, blas_threads: threads, blas, kernel } = compute;
  const parts = [processes === 1 ? t("one process") : t("{count} processes", { count: processes })];
  if (threads) parts.push(threads === 1 ? t("1 thread each") : t("{count} threads each", { count: threads }));
  if (blas) parts.push(kernel ? t("{library} with {kernel} kernels", { library: blas, kernel }) : blas);
  return t("Computed by: {parts}.", { parts: parts.join(", ") });
}

/** Whether the run failed for lack of data that digitpad could draw itself. */
export const couldUseStrokes = ({ state, reason, config }) =>
  state === "failed" && reason === "dataset" && config.dataset !== FALLBACK_DATASET;

/** The request for the same run on the data set that needs no download. */
export const onStrokes = ({ config }) => ({ ...config, dataset: FALLBACK_DATASET });

const SMALLER = 10; // the factor

/** The config of the same run with a smaller learning rate. */
export function withSmallerRate({ config }) {
  const { optimizer } = config;
  const rate = (optimizer.learning_rate ?? learningRates[optimizer.type]) / SMALLER;
  return { ...config, optimizer: { ...optimizer, learning_rate: Number(rate.toPrecision(3)) } };
}
