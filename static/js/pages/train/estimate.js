// Asks the server what a setup comes to, while it is being changed: the newest question alone counts.

import { Refused, post } from "../../api/client.js";
import { debounced } from "../../lib/latest.js";

const PAUSE_MS = 200;

/** `onAnswer(estimate)` hears what came, `onRefused(error)` what is wrong with the setup, `onAway()` that nobody knows. */
export const createEstimator = ({ onAnswer, onRefused, onAway }) =>
  debounced(async (signal, config) => {
    try {
      const answer = await post("/api/estimate", config, { signal });
      if (!signal.aborted) onAnswer(answer);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.status === 422) onRefused(error);
      else onAway();
    }
  }, PAUSE_MS);
