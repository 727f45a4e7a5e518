// The store of compared runs: their rows, and the live metrics of their epochs.

import { METRICS, valueOf } from "../../runs/metrics.js";
import { hasEnded } from "../../runs/run-state.js";
import { followRun } from "../../runs/stream.js";

/**
 * Follows runs; `onChange(kind)` is called at most once a frame, with "points" for new epochs, or "rows" for other changes.
 * A run is `{id, row, points, lost, gone}`: `row` from the API, `points` of its epochs with the metrics of runs/metrics.js.
 */
export function createStore(onChange) {
  const runs = new Map();
  const stops = new Map();
  const changes = new Set();
  let frame = 0;

  function notify(kind) {
    changes.add(kind);
    if (frame === 0) frame = requestAnimationFrame(flush);
  }

  function flush() {
    frame = 0;
    const kind = changes.has("rows") ? "rows" : "points";
    changes.clear();
    onChange(kind);
  }

  /** Begins to follow a run. */
  function add(row) {
    const run = { id: row.id, row, points: [], lost: false, gone: false };
    runs.set(row.id, run);
    stops.set(
      row.id,
      followRun(row.id, {
        short: true,
        onMessage: (message) => receive(run, message),
        onReset: () => {
          run.points.length = 0;
          notify("points");
        },
        onLost: () => setLost(run, true),
        onFound: () => setLost(run, false),
        onGone: () => {
          run.gone = true;
          notify("rows");
        },
      }),
    );
    notify("rows");
  }

  function receive(run, { type, data, run: row }) {
    if (type === "hello" || type === "run") {
      run.row = row;
      notify("rows");
    } else if (type === "epoch") {
      while (run.points.length > 0 && run.points.at(-1).epoch >= data.epoch) run.points.pop(); // repeated after a resume
      run.points.push(pointOf(data, run.points.at(-1)));
      notify("points");
    }
  }

  function setLost(run, lost) {
    if (run.lost === lost) return;
    run.lost = lost;
    notify("rows");
  }

  function drop(id) {
    stops.get(id)?.();
    stops.delete(id);
    runs.delete(id);
    notify("rows");
  }

  return { add, drop, all: () => [...runs.values()], active: () => [...runs.values()].some(({ row, gone }) => !gone && !hasEnded(row)) };
}

/** The numbers of an `epoch` event, NaN if unknown, with the total seconds of training. */
const pointOf = (epoch, before) => ({
  epoch: epoch.epoch,
  elapsed: (before?.elapsed ?? 0) + (epoch.seconds ?? 0),
  ...Object.fromEntries(Object.keys(METRICS).map((key) => [key, valueOf(epoch, key)])),
});
