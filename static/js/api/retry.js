// Pauses between attempts that grow, so that a server coming back is not met by everybody at once.

import { t } from "../i18n/translate.js";
import { ServerAway } from "./client.js";

const FIRST_SECONDS = 0.5;
const LONGEST_SECONDS = 10;
const JITTER = 0.25; // a pause is up to a quarter shorter or longer

/** Seconds to wait before attempt number `attempt` (0 is the first that follows a failure). */
export function pauseSeconds(attempt, random = Math.random) {
  const base = Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** attempt);
  return base * (1 + JITTER * (2 * random() - 1));
}

/**
 * Waits, and tells `onTick` the whole seconds that are left, at once and after each.
 * Gives a function that ends the waiting: `end(true)` goes on at once, `end(false)` drops it.
 */
export function countdown(seconds, onTick, onDone) {
  const until = performance.now() + seconds * 1000;
  let timer = 0;
  const tick = () => {
    const left = (until - performance.now()) / 1000;
    if (left <= 0) return onDone();
    onTick(Math.ceil(left));
    const toNextSecond = left - Math.ceil(left) + 1;
    timer = setTimeout(tick, toNextSecond * 1000);
  };
  tick();
  return (goOn) => {
    clearTimeout(timer);
    if (goOn) onDone();
  };
}

/** Repeats `load` while the server is away; `onWait(seconds)` hears how long until the next try. */
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
