// Follows the log of a run over a web socket, and reconnects after the last received event.

import { countdown, pauseSeconds } from "../api/retry.js";

const DONE = 1000; // close codes of the server
const REFUSED = 1008;

/**
 * `onMessage(message)` is called with every message: the run's row in `hello` and in `run`, whenever it changes, after
 * the events that it counts. Further callbacks: `onReset()`: the log is a new one, and all events follow again;
 * `onLost(seconds)`: the connection is gone (every second); `onFound()`: it is back; `onDone()`: the run has ended, and
 * all events have arrived; `onGone()`: the run does not exist. `short` omits the layers and the sample sheet of epochs,
 * which are most of the data. Returns a function that stops.
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
    const connection = new WebSocket(address(id, lastSeq, log, short));
    socket = connection;
    connection.addEventListener("message", ({ data }) => {
      if (socket === connection) hear(JSON.parse(data));
    });
    connection.addEventListener("close", ({ code }) => {
      if (socket !== connection || stopped) return;
      socket = null;
      if (code === DONE) onDone();
      else if (code === REFUSED) onGone();
      else reconnect();
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

  function reconnect() {
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
