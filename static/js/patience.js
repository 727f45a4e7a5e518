// Asks until the server answers.

import { ServerAway } from "./api.js";
import { countdown, pauseSeconds } from "./backoff.js";
import { t } from "./words.js";

/** Repeats `load` while the server is away; `onWait(seconds)` hears how long until the next try. */
export async function untilAnswered(load, onWait) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await load();
    } catch (error) {
      if (!(error instanceof ServerAway)) throw error;
      await new Promise((resolve) => countdown(pauseSeconds(attempt), onWait, resolve));
    }
  }
}

export const awayText = (seconds) => t("The server is away. Trying again in {seconds} s.", { seconds });
