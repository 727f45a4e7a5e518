// The runs that are compared: their rows, and the numbers of their epochs as they come.

import { Refused, get } from "../../api/client.js";
import { METRICS, valueOf } from "../../runs/metrics.js";
import { hasEnded } from "../../runs/run-state.js";
import { followRun } from "../../runs/stream.js";

/**
 * Follows runs; `onChange(kind)` hears "points" of new epochs and "rows" of everything else, at most once a frame.
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
    const kinds = [...news];
    news.clear();
    kinds.forEach(onChange);
  }

  /** Begins to follow a run that is not followed yet. */
  function add(row) {
    const known = runs.get(row.id);
    if (known !== undefined) {
      renew(known, row);
      return tell("rows");
    }
    const run = { id: row.id, row, points: [], lost: false, gone: false };
    runs.set(row.id, run);
    stops.set(
      row.id,
      followRun(row.id, {
        short: true,
        onMessage: (message) => hear(run, message),
        onReset: () => {
          run.points.length = 0;
          run.row = { ...run.row, last_seq: 0 }; // of another log, whose numbers tell nothing of this one's
          tell("points");
          refresh(run);
        },
        onLost: () => setLost(run, true),
        onFound: () => {
          setLost(run, false);
          refresh(run);
        },
        onDone: () => refresh(run),
        onGone: () => {
          run.gone = true;
          tell("rows");
        },
      }),
    );
    tell("rows");
  }

  function hear(run, { type, seq, data }) {
    if (type === "epoch") {
      while (run.points.length > 0 && run.points.at(-1).epoch >= data.epoch) run.points.pop(); // done again after a break
      run.points.push(pointOf(data, run.points.at(-1)));
      tell("points");
    } else if (type !== "progress" && type !== "hello" && seq > (run.row.last_seq ?? 0)) refresh(run);
  }

  function setLost(run, lost) {
    if (run.lost === lost) return;
    run.lost = lost;
    tell("rows");
  }

  /** Takes a fetched row, unless it is from before the one that is there: answers may overtake each other. */
  function renew(run, row) {
    if ((row.last_seq ?? 0) >= (run.row.last_seq ?? 0)) run.row = row;
  }

  async function refresh(run) {
    try {
      renew(run, await get(`/api/runs/${run.id}`));
    } catch (error) {
      if (error instanceof Refused && error.status === 404) run.gone = true;
      // else the server is away: the socket is tried again, and the row is fetched when it is back
    }
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
