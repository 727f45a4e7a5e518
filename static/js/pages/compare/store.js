// The runs that are compared: their rows, and the numbers of their epochs as they come.

import { METRICS, valueOf } from "../../runs/metrics.js";
import { hasEnded } from "../../runs/run-state.js";
import { followRun } from "../../runs/stream.js";

/**
 * Follows runs; `onChange(kind)` hears once a frame "points" of new epochs alone, "rows" of anything else.
 * A run is `{id, row, points, lost, gone}`: `row` as the API gives it, `points` of its epochs with the metrics of runs/metrics.js.
 */
export function createStore(onChange) {
  const runs = new Map();
  const stops = new Map();
  const news = new Set();
  let frame = 0;

  function tell(kind) {
    news.add(kind);
    if (frame === 0) frame = requestAnimationFrame(flush);
  }

  function flush() {
    frame = 0;
    const kind = news.has("rows") ? "rows" : "points";
    news.clear();
    onChange(kind);
  }

  /** Begins to follow a run that is not followed yet. */
  function add(row) {
    const run = { id: row.id, row, points: [], lost: false, gone: false };
    runs.set(row.id, run);
    stops.set(
      row.id,
      followRun(row.id, {
        short: true,
        onMessage: (message) => hear(run, message),
        onReset: () => {
          run.points.length = 0;
          tell("points");
        },
        onLost: () => setLost(run, true),
        onFound: () => setLost(run, false),
        onGone: () => {
          run.gone = true;
          tell("rows");
        },
      }),
    );
    tell("rows");
  }

  function hear(run, { type, data, run: row }) {
    if (type === "hello" || type === "run") {
      run.row = row;
      tell("rows");
    } else if (type === "epoch") {
      while (run.points.length > 0 && run.points.at(-1).epoch >= data.epoch) run.points.pop(); // done again after a break
      run.points.push(pointOf(data, run.points.at(-1)));
      tell("points");
    }
  }

  function setLost(run, lost) {
    if (run.lost === lost) return;
    run.lost = lost;
    tell("rows");
  }

  function drop(id) {
    stops.get(id)?.();
    stops.delete(id);
    runs.delete(id);
    tell("rows");
  }

  return { add, drop, all: () => [...runs.values()], active: () => [...runs.values()].some(({ row, gone }) => !gone && !hasEnded(row)) };
}

/** The numbers of an `epoch` event, NaN where one is not known, with the seconds of training up to its end. */
const pointOf = (epoch, before) => ({
  epoch: epoch.epoch,
  elapsed: (before?.elapsed ?? 0) + (epoch.seconds ?? 0),
  ...Object.fromEntries(Object.keys(METRICS).map((key) => [key, valueOf(epoch, key)])),
});
