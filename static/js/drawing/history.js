// Undo and redo for immutable values.

const MOST_STEPS = 200; // that can be undone

export const begin = (present) => ({ past: [], present, future: [] });

export const commit = ({ past, present }, next) => ({
  past: [...past, present].slice(-MOST_STEPS),
  present: next,
  future: [],
});

export const canUndo = ({ past }) => past.length > 0;
export const canRedo = ({ future }) => future.length > 0;

export function undo(history) {
  if (!canUndo(history)) return history;
  const { past, present, future } = history;
  return { past: past.slice(0, -1), present: past.at(-1), future: [present, ...future] };
}

export function redo(history) {
  if (!canRedo(history)) return history;
  const { past, present, future } = history;
  return { past: [...past, present], present: future[0], future: future.slice(1) };
}
