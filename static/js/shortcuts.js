// Keys that work anywhere on the page.

/** "undo", "redo", "clear" or null for a key that was pressed. */
export function shortcut({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  const command = (ctrlKey || metaKey) && !altKey;
  if (command && key.toLowerCase() === "z") return shiftKey ? "redo" : "undo";
  if (ctrlKey && !altKey && key.toLowerCase() === "y") return "redo";
  return key === "Escape" && !command ? "clear" : null;
}

/** Runs `actions[name]` for each; in a field or a dialog the keys are the browser's. */
export function listenToShortcuts(actions) {
  document.addEventListener("keydown", (event) => {
    const name = shortcut(event);
    if (name === null || event.target.closest("select, textarea, input:not([type=range], [type=checkbox]), dialog")) return;
    event.preventDefault();
    actions[name]();
  });
}
