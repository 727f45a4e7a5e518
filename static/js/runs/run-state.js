// The record of a run, from its row and the events of its log. Nothing here touches the page.

const ENDED = new Set(["succeeded", "failed", "cancelled"]);
const AFTER_TRAINING = new Set(["evaluating", "calibrating", "saving"]);
const NO_EVENTS = {
  stopped: null, // {epoch, batch}: the completed epochs and further batches at the last pause
  reason: null, // "dataset", "diverged", ...: the kind of a failure
  testLoss: null,
  testSamples: null,
  parameters: null,
  compute: null, // {processes, blas_threads, blas, kernel}: the machine's configuration
  epochs: [],
  events: [], // {seq, type, time, data}: all events of its log, in order
};

export const hasEnded = ({ state }) => ENDED.has(state);

/** The record of a run before its first event. */
export const recordOf = (row) => withRow({ ...NO_EVENTS, fault: null, ahead: [] }, row);

/** The record reset to before the first event, for a new log. */
export const forgetEvents = (record) => ({ ...record, ...NO_EVENTS });

/** The record with the run's row, the only source of the state: events add numbers. */
const withRow = (record, row) => ({
  ...record,
  id: row.id,
  config: JSON.stringify(row.config) === JSON.stringify(record.config) ? record.config : row.config,
  state: row.state,
  progress: row.progress,
  attempt: row.attempt,
  race: row.race ?? null,
  pauseRequested: row.pause_requested,
  cancelRequested: row.cancel_requested,
  checkpoint: row.checkpoint,
  started: row.started,
  ended: row.ended,
  error: row.error,
  model: row.model,
  testAccuracy: row.test_accuracy,
});

/** The record after one message of the socket. */
export function withMessage(record, message) {
  switch (message.type) {
    case "hello":
      return { ...withRow(record, message.run), fault: null, ahead: [] };
    case "run":
      return withRow(record, message.run);
    case "progress":
      return { ...record, progress: message.data };
    case "queue": // the reason why the queue is not served, or null, and the runs ahead
      return { ...record, fault: message.fault, ahead: message.ahead };
    default:
      return withEvent(record, message);
  }
}

function withEvent(record, { seq, type, time, data }) {
  const next = { ...record, events: [...record.events, { seq, type, time, data }] };
  switch (type) {
    case "started":
      return { ...next, parameters: data.parameters ?? record.parameters, compute: data.compute ?? null };
    case "epoch":
      return { ...next, epochs: withEpoch(record.epochs, data), stopped: null };
    case "paused":
      return { ...next, stopped: typeof data.batch === "number" ? data : record.stopped };
    case "evaluated":
      return { ...next, testLoss: data.test_loss ?? null, testSamples: data.test_samples ?? null };
    case "failed":
      return { ...next, reason: data.reason ?? null };
    default:
      return next;
  }
}

/** Epochs in order; a repeated one replaces the first attempt. */
function withEpoch(epochs, epoch) {
  return [...epochs.filter((one) => one.epoch < epoch.epoch), epoch];
}

/**
 * The training loss within epochs as `{x, y}`, each point the mean of a few batches; x is in epochs. The log has those of
 * the first epochs, the progress has those of the epoch at hand.
 */
export function batchLosses({ epochs, progress }) {
  const [x, y] = [[], []];
  function add(epoch, losses, count) {
    losses.forEach((loss, i) => {
      x.push(epoch - 1 + (i + 1) / count);
      y.push(loss ?? NaN);
    });
  }
  for (const { epoch, batch_losses: losses } of epochs) if (Array.isArray(losses)) add(epoch, losses, losses.length);
  const { epoch, batch_losses: losses, batch_losses_expected: count } = progress ?? {};
  if (Array.isArray(losses) && epoch > epochsDone({ epochs })) add(epoch, losses, count);
  return { x, y };
}

/** The names of the layers with parameters in any epoch, in order; none for older runs. */
export const layerNames = ({ epochs }) => [...new Set(epochs.flatMap(({ layers }) => (layers ?? []).map(({ name }) => name)))];

/** The number of the last completed epoch; 0 for none. */
export const epochsDone = ({ epochs }) => epochs.at(-1)?.epoch ?? 0;

/** `{epoch, batch, batches}` of the current or the last batch; null if unknown. */
export function place({ state, progress, stopped, attempt }) {
  const isAtWork = state === "running" && progress?.attempt === attempt; // ignoring the progress of an earlier attempt
  if (stopped !== null && !isAtWork) return { epoch: stopped.epoch + 1, batch: stopped.batch, batches: progress?.batches ?? 0 };
  return progress?.phase === "training" ? progress : null;
}

/** The completed share of the training, 0 to 1; null if unknown. */
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
