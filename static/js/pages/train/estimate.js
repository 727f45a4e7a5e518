// Requests the estimate of a setup while it is edited; only the latest request counts.

import { Refused, post } from "../../api/client.js";
import { debounced } from "../../lib/latest.js";

const PAUSE_MS = 200;

/** `onAnswer(estimate)` gets the estimate, `onRefused(error)` the setup's error; `onAway()`: the server is away. */
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
