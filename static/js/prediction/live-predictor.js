// Live predictions while the user draws: one request at a time, then the newest; outdated answers are dropped.

import { ServerAway } from "../api/client.js";
import { countdown, pauseSeconds } from "../api/retry.js";
import { createLatest } from "../lib/latest.js";

const LEAST_INTERVAL = 40; // ms between two requests
const PATIENCE = 8000; // ms until a request times out
const SOON = 400; // ms before the page says that it is waiting

/**
 * `ask(question, signal)` sends a request; one with `final` set skips the interval.
 * The callbacks: `onAnswer(answer, question, milliseconds)`, `onRefused(error)`, `onWaiting()` (it takes long),
 * `onAway(seconds)` and `onBack()`.
 */
export function createReader({ ask, onAnswer, onRefused, onWaiting, onAway, onBack }) {
  let next = null; // the next question
  const requests = createLatest();
  let isAsking = false;
  let timer = 0; // until the interval is over
  let sentAt = -Infinity;
  let failures = 0;
  let endPause = null; // while the server is away

  /** Asks this next, in place of a waiting question. */
  function read(question) {
    next = question;
    pump();
  }

  /** Drops the waiting question and the request in flight: the drawing has changed. */
  function forget() {
    next = null;
    clearTimeout(timer);
    timer = 0;
    requests.drop();
    isAsking = false;
    if (failures > 0) back();
  }

  function back() {
    failures = 0;
    endPause?.(false);
    endPause = null;
    onBack();
  }

  function pump() {
    if (next === null || isAsking || endPause !== null) return;
    if (next.final) {
      clearTimeout(timer);
      timer = 0;
    } else if (timer !== 0) return;
    const early = next.final ? 0 : LEAST_INTERVAL - (performance.now() - sentAt);
    if (early > 0) {
      timer = setTimeout(() => {
        timer = 0;
        pump();
      }, early);
      return;
    }
    const question = next;
    next = null;
    send(question);
  }

  async function send(question) {
    const signal = requests.begin();
    isAsking = true;
    sentAt = performance.now();
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      requests.drop();
    }, PATIENCE);
    const waiting = setTimeout(onWaiting, SOON);
    try {
      const answer = await ask(question, signal);
      if (signal.aborted) return;
      if (failures > 0) back();
      onAnswer(answer, question, performance.now() - sentAt);
    } catch (error) {
      if (signal.aborted && !late) return;
      if (late || error instanceof ServerAway) away(question);
      else {
        if (failures > 0) back();
        if (!signal.aborted) onRefused(error);
      }
    } finally {
      clearTimeout(limit);
      clearTimeout(waiting);
      if (!signal.aborted || late) {
        isAsking = false;
        pump();
      }
    }
  }

  function away(question) {
    next ??= question;
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
