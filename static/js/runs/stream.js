// Follows the log of a run over a web socket, and reconnects after the last received event.

import { get } from "../api/client.js";
import { followSocket } from "../api/live-socket.js";

/**
 * `onMessage(message)` is called with every message: the run's row in `hello` and in `run`, whenever it changes, after
 * the events that it counts. Further callbacks: `onReset()`: the log is a new one, and all events follow again;
 * `onLost(seconds)`: the connection is gone (every second); `onFound()`: it is back; `onAsking()`: no socket gets
 * through, and the run is asked for; `onDone()`: the run has ended, and all events have arrived; `onGone()`: the run does
 * not exist. `short` omits the layers and the sample sheet of epochs, which are most of the data. Returns a function that
 * stops.
 */
export function followRun(id, { onMessage, onReset, short = false, ...callbacks }) {
  let log = null;
  let lastSeq = 0;

  function hear(message) {
    if (message.seq <= lastSeq) return; // nothing new
    if (message.type === "hello") log = message.log;
    else if (message.type === "reset") {
      lastSeq = 0;
      onReset();
      return;
    } else if (message.seq !== undefined) lastSeq = message.seq;
    onMessage(message);
  }

  async function ask() {
    const run = await get(`/api/runs/${id}`); // before the events, so that they are at least those that it counts
    return { run, ...(await get(`/api/runs/${id}/events?${query(lastSeq, log, short)}`)) };
  }

  function take({ run, events, log: found, reset }) {
    if (found !== log) hear({ type: "hello", log: found, run, last_seq: run.last_seq });
    if (reset && lastSeq > 0) hear({ type: "reset" });
    for (const event of events) hear(event);
    hear({ type: "run", run });
    const hasAll = lastSeq >= run.last_seq;
    return { more: !hasAll, done: hasAll && run.ended !== null };
  }

  return followSocket({ address: () => `/api/runs/${id}/stream?${query(lastSeq, log, short)}`, hear, ask, take, ...callbacks });
}

function query(after, log, short) {
  const found = new URLSearchParams({ after });
  if (short) found.set("short", "true");
  if (log !== null) found.set("log", log);
  return found;
}
