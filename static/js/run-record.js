// What is known of a run, put together from its row and the events of its log. Nothing here touches the page.

const STATE_AFTER = {
  queued: "queued",
  started: "running",
  resumed: "running",
  paused: "paused",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

export const hasEnded = ({ state }) => ENDED.has(state);

/** The record of a run of which no event was read yet. */
export const recordOf = (run) => ({
  id: run.id,
  config: run.config,
  state: run.state,
  progress: run.progress,
  created: run.created,
  started: run.started,
  ended: run.ended,
  error: run.error,
  reason: null, // "dataset", "diverged", ...: of a failure, in a word
  model: run.model,
  testAccuracy: run.test_accuracy ?? null,
  testLoss: null,
  testSamples: null,
  parameters: null,
  compute: null, // {processes, blas_threads, blas, kernel}: how the machine computed
  epochs: [],
  lastSeq: 0,
  knownSeq: 0, // events up to this one are history: they add numbers, and do not move the state
});

/** The record as it was before its first event, for a log that is another one. */
export const forgetEvents = (record) => ({ ...record, epochs: [], lastSeq: 0, knownSeq: 0, progress: null });

/** The record after one message of the socket. */
export function withMessage(record, message) {
  if (message.type === "hello") return { ...record, state: message.state, knownSeq: message.last_seq };
  if (message.type === "progress") return hasEnded(record) ? record : { ...record, progress: message.data };
  if (message.seq <= record.lastSeq) return record;
  return withEvent({ ...record, lastSeq: message.seq }, message);
}

function withEvent(record, { seq, type, time, data }) {
  const state = seq >= record.knownSeq ? (STATE_AFTER[type] ?? record.state) : record.state;
  const next = { ...record, state };
  switch (type) {
    case "started":
      return { ...next, started: record.started ?? time, parameters: data.parameters ?? record.parameters, compute: data.compute ?? null };
    case "epoch":
      return { ...next, epochs: withEpoch(record.epochs, data) };
    case "evaluated":
      return {
        ...next,
        testAccuracy: data.test_accuracy,
        testLoss: data.test_loss ?? null,
        testSamples: data.test_samples ?? null,
      };
    case "model_saved":
      return { ...next, model: data.model };
    case "failed":
      return { ...next, ended: time, error: data.error ?? record.error, reason: data.reason ?? null };
    case "succeeded":
    case "cancelled":
      return { ...next, ended: time };
    default:
      return next;
  }
}

/** Epochs in order; one that was done again after a break takes the place of the first attempt. */
function withEpoch(epochs, epoch) {
  return [...epochs.filter((one) => one.epoch < epoch.epoch), epoch];
}

/** How much of the training is done, 0 to 1; null when that cannot be said. */
export function fractionDone({ state, progress, epochs, config }) {
  if (state === "succeeded") return 1;
  if (state === "queued") return 0;
  const total = progress?.epochs ?? config.epochs;
  const completed = epochs.at(-1)?.epoch ?? 0;
  if (progress?.phase === "training" && progress.batches > 0) {
    return Math.max(completed, progress.epoch - 1 + progress.batch / progress.batches) / total;
  }
  if (progress?.phase === "evaluating" || progress?.phase === "saving") return 1;
  if (progress?.phase === "loading" && epochs.length === 0) return ENDED.has(state) ? 0 : null;
  return Math.min(1, completed / total);
}
