// Drawings that the server has not accepted yet: they outlast a reload of the page, and are never saved twice.

import { forTab, keep, recall } from "../../lib/storage.js";

const NAME = "unsent-drawings";

/** A random name by which the server knows a drawing that is sent again. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** `{label, strokes, set, key}` by key; `failed` are the keys of those that are not on their way. */
export function createUnsent() {
  const drawings = new Map((recall(forTab, NAME) ?? []).map((drawing) => [drawing.key, drawing]));
  const failed = new Set(drawings.keys());
  const store = () => keep(forTab, NAME, drawings.size === 0 ? null : [...drawings.values()]);

  return {
    add(drawing) {
      drawings.set(drawing.key, drawing);
      store();
    },
    fail: (key) => failed.add(key),
    /** The drawings that failed, which are on their way again. */
    retry() {
      const again = [...failed].map((key) => drawings.get(key));
      failed.clear();
      return again;
    },
    accept(key) {
      drawings.delete(key);
      failed.delete(key);
      store();
    },
    discard() {
      for (const key of failed) drawings.delete(key);
      failed.clear();
      store();
    },
    failures: () => failed.size,
    /** The number of drawings of a label on their way. */
    sending: (set, label) => [...drawings.values()].filter((one) => one.set === set && one.label === label && !failed.has(one.key)).length,
    isEmpty: () => drawings.size === 0,
  };
}
