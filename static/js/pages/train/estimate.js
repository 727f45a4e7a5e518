// Asks the server what a setup comes to, while it is being changed: the newest question alone counts.

import { Refused, post } from "../../api/client.js";

const PAUSE_MS = 200;

/** `onAnswer(estimate)` hears what came, `onRefused(error)` what is wrong with the setup, `onAway()` that nobody knows. */
export function createEstimator({ onAnswer, onRefused, onAway }) {
  let timer = 0;
  let newest = 0;

  return function ask(config) {
    clearTimeout(timer);
    const mine = (newest += 1);
    timer = setTimeout(async () => {
      try {
        const answer = await post("/api/estimate", config);
        if (mine === newest) onAnswer(answer);
      } catch (error) {
        if (mine !== newest) return;
        if (error instanceof Refused && error.status === 422) onRefused(error);
        else onAway();
      }
    }, PAUSE_MS);
  };
}
