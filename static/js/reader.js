// Asks the server to read the drawing while it is drawn: one question on its way, the newest next, old answers dropped.

import { ServerAway } from "./api.js";
import { countdown, pauseSeconds } from "./backoff.js";

const LEAST_INTERVAL = 40; // ms between two questions
const PATIENCE = 8000; // ms until a question counts as lost

/**
 * `ask(question, signal)` sends a question. `onAnswer(answer, question, milliseconds)`, `onRefused(message)`,
 * `onAway(seconds)` and `onBack()` hear how it went.
 */
export function createReader({ ask, onAnswer, onRefused, onAway, onBack }) {
  let wanted = null; // the newest question that was not sent
  let flight = null; // the AbortController of the one on its way
  let timer = 0; // until the interval is over
  let sentAt = -Infinity;
  let failures = 0;
  let endPause = null; // while the server is away

  /** Asks this next; a question that still waits is dropped for it. */
  function read(question) {
    wanted = question;
    pump();
  }

  /** Drops the question that waits and the answer that is on its way: the drawing is another one now. */
  function forget() {
    wanted = null;
    clearTimeout(timer);
    timer = 0;
    flight?.abort();
    flight = null;
    if (failures > 0) back();
  }

  function back() {
    failures = 0;
    endPause?.(false);
    endPause = null;
    onBack();
  }

  function pump() {
    if (wanted === null || flight !== null || timer !== 0 || endPause !== null) return;
    const early = LEAST_INTERVAL - (performance.now() - sentAt);
    if (early > 0) {
      timer = setTimeout(() => {
        timer = 0;
        pump();
      }, early);
      return;
    }
    const question = wanted;
    wanted = null;
    send(question);
  }

  async function send(question) {
    const mine = new AbortController();
    flight = mine;
    sentAt = performance.now();
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      mine.abort();
    }, PATIENCE);
    try {
      const answer = await ask(question, mine.signal);
      if (flight !== mine) return;
      if (failures > 0) back();
      onAnswer(answer, question, performance.now() - sentAt);
    } catch (error) {
      if (flight !== mine) return;
      if (late || error instanceof ServerAway) away(question);
      else {
        if (failures > 0) back();
        onRefused(error.message);
      }
    } finally {
      clearTimeout(limit);
      if (flight === mine) {
        flight = null;
        pump();
      }
    }
  }

  function away(question) {
    wanted ??= question;
    const seconds = pauseSeconds(failures);
    failures += 1;
    const retry = () => {
      endPause = null;
      pump();
    };
    endPause = countdown(seconds, onAway, retry);
  }

  window.addEventListener("online", () => endPause?.(true));

  return { read, forget };
}
