// Follows the log of a run over a socket, and comes back by itself after the last event it saw.

import { countdown, pauseSeconds } from "../api/retry.js";

const DONE = 1000; // close codes of the server
const REFUSED = 1008;

/**
 * `onMessage(message)` hears every message: the run's row in `hello` and in `run`, whenever it changes, after the events
 * that it counts. `onReset()` hears that the log is another one and all events come again, `onLost(seconds)` that the
 * connection is gone (every second), `onFound()` that it is back, `onDone()` that the run has ended and all was said,
 * `onGone()` that the run does not exist. `short` leaves out what an epoch shows of its layers and its sheet, which
 * is most of it. Gives a function that stops.
 */
export function followRun(id, { onMessage, onReset, onLost, onGone, onFound = () => {}, onDone = () => {}, short = false }) {
  let socket = null;
  let log = null;
  let lastSeq = 0;
  let failures = 0;
  let endPause = null;
  let stopped = false;

  function connect() {
    endPause = null;
    const mine = new WebSocket(address(id, lastSeq, log, short));
    socket = mine;
    mine.addEventListener("message", ({ data }) => {
      if (socket === mine) hear(JSON.parse(data));
    });
    mine.addEventListener("close", ({ code }) => {
      if (socket !== mine || stopped) return;
      socket = null;
      if (code === DONE) onDone();
      else if (code === REFUSED) onGone();
      else lost();
    });
  }

  function hear(message) {
    if (message.type === "hello") {
      if (failures > 0) onFound();
      failures = 0;
      log = message.log;
    } else if (message.type === "reset") {
      lastSeq = 0;
      onReset();
      return;
    } else if (typeof message.seq === "number") lastSeq = message.seq;
    onMessage(message);
  }

  function lost() {
    endPause = countdown(pauseSeconds(failures), onLost, connect);
    failures += 1;
  }

  function drop() {
    const old = socket;
    socket = null;
    old?.close();
  }

  const hurry = () => endPause?.(true);
  window.addEventListener("online", hurry);
  connect();

  return function stop() {
    stopped = true;
    window.removeEventListener("online", hurry);
    endPause?.(false);
    drop();
  };
}

function address(id, after, log, short) {
  const url = new URL(`/api/runs/${id}/stream?after=${after}`, location.href);
  if (short) url.searchParams.set("short", "true");
  if (log !== null) url.searchParams.set("log", log);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
