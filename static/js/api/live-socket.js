// A live stream over a web socket, which reconnects. Where no socket gets through, as behind some proxies, it asks over
// HTTP.

import { Refused, ServerAway } from "./client.js";
import { countdown, pauseSeconds } from "./retry.js";
import { withRoot } from "./root.js";

const DONE = 1000; // close codes of the server
const REFUSED = 1008;
const SILENCE_MS = 8000; // the server says something at least every 3 s
const ASK_MS = 2000;
const ASKS_BETWEEN_SOCKETS = 10;

/**
 * `address()` is the path of the next socket, and `hear(message)` is called with each of its messages but beats. `ask()`
 * asks for the same over HTTP, and `take(answer)` returns `{more, done}`: whether to ask again at once, and whether the
 * stream is over. Further callbacks: `onLost(seconds)`: the connection is gone (every second); `onFound()`: it is back;
 * `onAsking()`: no socket gets through; `onDone()`: the stream is over; `onGone(error)`: the server refuses it for good,
 * with the error of an answer whose status is one of `gone`, or null. Returns a function that stops.
 */
export function followSocket({ address, hear, ask, take, onLost = () => {}, onGone = () => {}, onFound = () => {}, onAsking = () => {}, onDone = () => {}, gone = [404] }) {
  let socket = null;
  let silence = 0; // the timer that ends a socket on which nothing comes
  let failures = 0;
  let endPause = null;
  let asking = 0; // the timer of the next question, where no socket gets through
  let stopped = false;

  function connect() {
    endPause = null;
    const connection = new WebSocket(socketUrl(address()));
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
      found();
      const message = JSON.parse(data);
      if (message.type !== "beat") hear(message);
    });
    connection.addEventListener("close", ({ code }) => {
      if (socket !== connection || stopped) return;
      if (code === DONE) finish(onDone);
      else if (code === REFUSED) finish(() => onGone(null));
      else lose(connection, heard);
    });
  }

  /** Goes on after a socket was closed or fell silent: with another one, or by asking if nothing was ever heard on it. */
  function lose(connection, heard) {
    if (socket !== connection || stopped) return;
    drop();
    if (heard) reconnect();
    else if (asking === 0) askNow(0);
  }

  function found() {
    if (failures > 0) onFound();
    failures = 0;
  }

  function reconnect() {
    endPause = countdown(pauseSeconds(failures), onLost, connect);
    failures += 1;
  }

  /** Asks over HTTP, and again after a while; now and then tries a socket beside. */
  async function askNow(count) {
    asking = -1; // an answer is awaited
    try {
      const answer = await ask();
      if (stopped || asking === 0) return;
      found();
      if (count === 0) onAsking();
      const { more = false, done = false } = take(answer) ?? {};
      if (done) return finish(onDone);
      asking = setTimeout(askNow, more ? 0 : ASK_MS, count + 1);
      if (count % ASKS_BETWEEN_SOCKETS === ASKS_BETWEEN_SOCKETS - 1 && socket === null) connect();
    } catch (error) {
      if (stopped || asking === 0) return;
      asking = 0;
      if (error instanceof Refused && gone.includes(error.status)) finish(() => onGone(error));
      else if (error instanceof Refused || error instanceof ServerAway) reconnect();
      else throw error;
    }
  }

  function stopAsking() {
    if (asking === 0) return;
    clearTimeout(asking);
    asking = 0;
    failures += 1; // so that the connection is told to be back
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

function socketUrl(path) {
  const url = new URL(withRoot(path), location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
