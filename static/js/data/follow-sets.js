// Follows the counts of the sets of drawings, whoever draws into them.

import { get } from "../api/client.js";
import { followSocket } from "../api/live-socket.js";

/**
 * `onSets(sets)` gets the sets, `{name, count, labels, declared}`, now and whenever one of them changes; with `set` it gets
 * that one alone, without drawings and labels if it is not there. Further callbacks as of `followSocket`. Returns a function
 * that stops.
 */
export function followSets({ set = null, onSets, ...callbacks }) {
  const path = pathOf(set === null ? "sets" : `sets/${encodeURIComponent(set)}`);
  let latest = "";

  function show(sets) {
    const text = JSON.stringify(sets);
    if (text === latest) return;
    latest = text;
    onSets(sets);
  }

  return followSocket({
    address: () => (set === null ? pathOf("stream") : `${path}/stream`),
    hear: ({ sets }) => show(sets),
    ask: () => get(path),
    take: (answer) => show(set === null ? answer.sets : [answer]),
    gone: [401, 403],
    ...callbacks,
  });
}

const pathOf = (rest) => `/api/drawings/${rest}`;

/** The fewest drawings of each of two labels, or more, that the server trains on. */
const LEAST_OF_EACH = 5;

/** True for a set with enough drawings to train on. */
export function canTrain({ labels }) {
  const counts = Object.values(labels);
  return counts.length > 1 && Math.min(...counts) >= LEAST_OF_EACH;
}

/** True for a set that was removed, or was never made. */
export const isMissing = ({ count, declared }) => count === 0 && declared.length === 0;
