// Growing, random pauses between attempts, so that clients do not reconnect all at once.

import { t } from "../i18n/translate.js";
import { ServerAway } from "./client.js";

const FIRST_SECONDS = 0.5;
const LONGEST_SECONDS = 10;
const JITTER = 0.25; // a pause is up to a quarter shorter or longer

/** Seconds before attempt number `attempt` (0 is the first after a failure). */
export function pauseSeconds(attempt, random = Math.random) {
  const base = Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** attempt);
  return base * (1 + JITTER * (2 * random() - 1));
}

/**
 * Waits, and calls `onTick` with the remaining whole seconds, now and every second.
 * Returns a function that ends the wait: `end(true)` continues immediately, `end(false)` cancels.
 */
export function countdown(seconds, onTick, onDone) {
  const until = performance.now() + seconds * 1000;
  let timer = 0;
  const tick = () => {
    const remaining = (until - performance.now()) / 1000;
    if (remaining <= 0) return onDone();
    onTick(Math.ceil(remaining));
    const toNextSecond = remaining - Math.ceil(remaining) + 1;
    timer = setTimeout(tick, toNextSecond * 1000);
  };
  tick();
  return (goOn) => {
    clearTimeout(timer);
    if (goOn) onDone();
  };
}

/** Repeats `load` while the server is away; `onWait(seconds)` gets the time until the next attempt. */
export async function retryWhileAway(load, onWait) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await load();
    } catch (error) {
      if (!(error instanceof ServerAway)) throw error;
      await new Promise((resolve) => countdown(pauseSeconds(attempt), onWait, resolve));
    }
  }
}

export const awayText = (seconds) => t("The server cannot be reached. Trying again in {seconds} s.", { seconds });
