// Follows the log of a run over a web socket, and reconnects after the last received event. Where no socket gets through,
// as behind some proxies, it asks over HTTP.

import { get, Refused, ServerAway } from "../api/client.js";
import { countdown, pauseSeconds } from "../api/retry.js";
import { withRoot } from "../api/root.js";

const DONE = 1000; // close codes of the server
const REFUSED = 1008;
const SILENCE_MS = 8000; // the server says something at least every 3 s
const ASK_MS = 2000;
const ASKS_BETWEEN_SOCKETS = 10;

/**
 * `onMessage(message)` is called with every message: the run's row in `hello` and in `run`, whenever it changes, after
 * the events that it counts. Further callbacks: `onReset()`: the log is a new one, and all events follow again;
 * `onLost(seconds)`: the connection is gone (every second); `onFound()`: it is back; `onAsking()`: no socket gets
 * through, and the run is asked for; `onDone()`: the run has ended, and all events have arrived; `onGone()`: the run does
 * not exist. `short` omits the layers and the sample sheet of epochs, which are most of the data. Returns a function that
 * stops.
 */
export function followRun(id, { onMessage, onReset, onLost, onGone, onFound = () => {}, onAsking = () => {}, onDone = () => {}, short = false }) {
  let socket = null;
  let silence = 0; // the timer that ends a socket on which nothing comes
  let log = null;
  let lastSeq = 0;
  let failures = 0;
  let endPause = null;
  let asking = 0; // the timer of the next question, where no socket gets through
  let stopped = false;

  function connect() {
    endPause = null;
    const connection = new WebSocket(address(id, lastSeq, log, short));
    let heard = false;
    socket = connection;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => lose(connection, heard), SILENCE_MS);
    };
    listen();
    connection.addEventListener("message", ({ data }) => {
      if (socket !== connection) return;
      listen();
      if (!heard) stopAsking();
      heard = true;
      hear(JSON.parse(data));
    });
    connection.addEventListener("close", ({ code }) => {
      if (socket !== connection || stopped) return;
      if (code === DONE || code === REFUSED) finish(code === DONE ? onDone : onGone);
      else lose(connection, heard);
    });
  }

  /** Goes on after a socket was closed or fell silent: with another one, or by asking if nothing was ever heard on it. */
  function lose(connection, heard) {
    if (socket !== connection || stopped) return;
    drop();
    if (heard) reconnect();
    else if (asking === 0) ask(0);
  }

  function hear(message) {
    if (message.type === "beat" || message.seq <= lastSeq) return; // nothing new
    if (message.type === "hello") {
      if (failures > 0) onFound();
      failures = 0;
      log = message.log;
    } else if (message.type === "reset") {
      lastSeq = 0;
      onReset();
      return;
    } else if (message.seq !== undefined) lastSeq = message.seq;
    onMessage(message);
  }

  function reconnect() {
    endPause = countdown(pauseSeconds(failures), onLost, connect);
    failures += 1;
  }

  /** Asks for the run and its new events, and again after a while; now and then tries a socket beside. */
  async function ask(count) {
    asking = -1; // an answer is awaited
    try {
      const run = await get(`/api/runs/${id}`); // before the events, so that they are at least those that it counts
      const { events, log: found, reset } = await get(`/api/runs/${id}/events?${query(lastSeq, log, short)}`);
      if (stopped || asking === 0) return;
      if (found !== log) hear({ type: "hello", log: found, run, last_seq: run.last_seq });
      if (count === 0) onAsking();
      if (reset && lastSeq > 0) hear({ type: "reset" });
      for (const event of events) hear(event);
      hear({ type: "run", run });
      if (lastSeq >= run.last_seq && run.ended !== null) return finish(onDone);
      asking = setTimeout(ask, lastSeq >= run.last_seq ? ASK_MS : 0, count + 1);
      if (count % ASKS_BETWEEN_SOCKETS === ASKS_BETWEEN_SOCKETS - 1 && socket === null) connect();
    } catch (error) {
      if (stopped || asking === 0) return;
      asking = 0;
      if (error instanceof Refused && error.status === 404) finish(onGone);
      else if (error instanceof Refused || error instanceof ServerAway) reconnect();
      else throw error;
    }
  }

  function stopAsking() {
    if (asking === 0) return;
    clearTimeout(asking);
    asking = 0;
    failures += 1; // so that `hello` tells that the connection is back
  }

  function drop() {
    clearTimeout(silence);
    const old = socket;
    socket = null;
    old?.close();
  }

  function finish(callback) {
    stop();
    callback();
  }

  const hurry = () => endPause?.(true);

  function stop() {
    stopped = true;
    window.removeEventListener("online", hurry);
    endPause?.(false);
    clearTimeout(asking);
    drop();
  }

  window.addEventListener("online", hurry);
  connect();
  return stop;
}

function query(after, log, short) {
  const found = new URLSearchParams({ after });
  if (short) found.set("short", "true");
  if (log !== null) found.set("log", log);
  return found;
}

function address(id, after, log, short) {
  const url = new URL(withRoot(`/api/runs/${id}/stream?${query(after, log, short)}`), location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
