// What is known of a run, put together from its row and the events of its log. Nothing here touches the page.

const STATE_AFTER = {
  queued: "queued",
  started: "running",
  epoch: "running",
  evaluated: "running",
  paused: "paused",
  resumed: "queued", // it waits for its turn again
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};
const ENDED = new Set(["succeeded", "failed", "cancelled"]);
const AFTER_TRAINING = new Set(["evaluating", "calibrating", "saving"]);

export const hasEnded = ({ state }) => ENDED.has(state);

/** The record of a run of which no event was read yet. */
export const recordOf = (run) => ({
  id: run.id,
  config: run.config,
  state: run.state,
  progress: run.progress,
  stopped: null, // {epoch, batch}: the whole epochs and the batches after them that were done when it was paused last
  attempt: run.attempt,
  fault: null, // what keeps the queue from being looked after, while it waits there
  pauseRequested: run.pause_requested,
  cancelRequested: run.cancel_requested,
  checkpoint: run.checkpoint,
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
  events: [], // {seq, type, time, data}: all that its log said, in order
  lastSeq: 0,
  knownSeq: 0, // events up to this one are history: they add numbers, and do not move the state
});

/** The record as it was before its first event, for a log that is another one: only its place is the same. */
export const forgetEvents = ({ id, config, state, knownSeq }) => ({
  ...recordOf({ id, config, state, progress: null, attempt: 0, created: null, started: null, ended: null, error: null, model: null }),
  pauseRequested: false,
  cancelRequested: false,
  checkpoint: null,
  knownSeq,
});

/** The record with what a newly fetched row says; a row from before the last event tells nothing of the state. */
export function withRow(record, row) {
  const { id, config, attempt, checkpoint, created, started, ended, error, model, ...rest } = row;
  const next = { ...record, config: same(config, record.config) ? record.config : config, attempt, checkpoint, created, started };
  if (row.last_seq < record.lastSeq) return next;
  return {
    ...next,
    state: rest.state,
    progress: rest.progress ?? record.progress,
    pauseRequested: rest.pause_requested,
    cancelRequested: rest.cancel_requested,
    testAccuracy: rest.test_accuracy ?? record.testAccuracy,
    ended,
    error,
    model,
    knownSeq: Math.max(record.knownSeq, row.last_seq),
  };
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The record after one message of the socket. */
export function withMessage(record, message) {
  if (message.type === "hello") return { ...record, state: message.state, knownSeq: message.last_seq };
  if (message.type === "progress") return withProgress(record, message.data);
  if (message.seq <= record.lastSeq) return record;
  return withEvent({ ...record, lastSeq: message.seq }, message);
}

function withProgress(record, progress) {
  if (hasEnded(record) || progress === null) return record;
  const attempt = progress.attempt ?? record.attempt;
  return { ...record, progress, attempt, stopped: record.state === "running" ? null : record.stopped };
}

function withEvent(record, { seq, type, time, data }) {
  const state = seq > record.knownSeq ? (STATE_AFTER[type] ?? record.state) : record.state;
  const next = { ...record, state, events: [...record.events, { seq, type, time, data }] };
  switch (type) {
    case "started":
      return { ...next, started: record.started ?? time, parameters: data.parameters ?? record.parameters, compute: data.compute ?? null };
    case "epoch":
      return { ...next, epochs: withEpoch(record.epochs, data), stopped: null };
    case "paused":
      return { ...next, stopped: typeof data.batch === "number" ? data : record.stopped, pauseRequested: false };
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

/** The epoch of that number; the last one where there is none of it. */
export const epochOf = ({ epochs }, number) => epochs.find(({ epoch }) => epoch === number) ?? epochs.at(-1) ?? null;

/** The layers with parameters that any epoch tells of, by name, in order; none where the run is older than that. */
export const layerNames = ({ epochs }) => [...new Set(epochs.flatMap(({ layers }) => (layers ?? []).map(({ name }) => name)))];

/** The number of the last whole epoch; 0 before there is one. */
export const epochsDone = ({ epochs }) => epochs.at(-1)?.epoch ?? 0;

/** `{epoch, batch, batches}` of the batch that it is at, or was when it stopped; null where that is not known. */
export function place({ progress, stopped }) {
  if (stopped !== null) return { epoch: stopped.epoch + 1, batch: stopped.batch, batches: progress?.batches ?? 0 };
  return progress?.phase === "training" ? progress : null;
}

/** How much of the training is done, 0 to 1; null when that cannot be said. */
export function fractionDone(record) {
  const { state, progress, epochs, config } = record;
  if (state === "succeeded") return 1;
  const total = progress?.epochs || config.epochs;
  const at = place(record);
  if (at !== null && at.batches > 0) return Math.max(epochsDone(record), at.epoch - 1 + at.batch / at.batches) / total;
  if (AFTER_TRAINING.has(progress?.phase)) return 1;
  if (progress?.phase === "loading" && state === "running" && epochs.length === 0) return null;
  return Math.min(1, epochsDone(record) / total);
}
