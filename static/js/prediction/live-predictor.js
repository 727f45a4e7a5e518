// Asks the server to read the drawing while it is drawn: one question on its way, the newest next, old answers dropped.

import { explain, ServerAway } from "../api/client.js";
import { countdown, pauseSeconds } from "../api/retry.js";
import { createLatest } from "../lib/latest.js";

const LEAST_INTERVAL = 40; // ms between two questions
const PATIENCE = 8000; // ms until a question counts as lost
const SOON = 400; // ms after which an answer is waited for

/**
 * `ask(question, signal)` sends a question; one with `final` set need not wait for the interval to pass.
 * `onAnswer(answer, question, milliseconds)`, `onRefused(message)`, `onWaiting()` (it takes long), `onAway(seconds)` and
 * `onBack()` hear how it went.
 */
export function createReader({ ask, onAnswer, onRefused, onWaiting, onAway, onBack }) {
  let wanted = null; // the newest question that was not sent
  const questions = createLatest();
  let isAsking = false;
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
    questions.drop();
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
    if (wanted === null || isAsking || endPause !== null) return;
    if (wanted.final) {
      clearTimeout(timer);
      timer = 0;
    } else if (timer !== 0) return;
    const early = wanted.final ? 0 : LEAST_INTERVAL - (performance.now() - sentAt);
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
    const signal = questions.begin();
    isAsking = true;
    sentAt = performance.now();
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      questions.drop();
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
        const message = explain(error);
        if (!signal.aborted) onRefused(message);
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
