// The tools of a drawing, as buttons and keys: undo, redo, clear, and the eraser.

import { byId } from "../lib/dom.js";
import { isEmpty } from "./drawing.js";

/** `board()` returns the board, once it exists. */
export function createTools(canvas, board) {
  const eraser = byId("eraser");
  const buttons = { undo: byId("undo"), redo: byId("redo"), clear: byId("clear") };
  const tools = {
    erasing: () => eraser.getAttribute("aria-pressed") === "true",
    setErasing(erasing) {
      eraser.setAttribute("aria-pressed", String(erasing));
      canvas.toggleAttribute("data-erasing", erasing);
    },
    /** Updates the buttons for `drawing`. */
    show(drawing) {
      buttons.undo.disabled = !board().canUndo();
      buttons.redo.disabled = !board().canRedo();
      buttons.clear.disabled = isEmpty(drawing);
      byId("hint").toggleAttribute("data-off", !isEmpty(drawing));
    },
    /** Activates the tools. */
    listen() {
      const actions = {
        undo: board().undo,
        redo: board().redo,
        clear() {
          board().clear();
          tools.setErasing(false);
        },
      };
      for (const [name, act] of Object.entries(actions)) buttons[name].addEventListener("click", act);
      eraser.addEventListener("click", () => tools.setErasing(!tools.erasing()));
      listenToShortcuts(actions);
    },
  };
  return tools;
}

/** "undo", "redo", "clear" or null for a key event. */
export function shortcut({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  const command = (ctrlKey || metaKey) && !altKey;
  if (command && key.toLowerCase() === "z") return shiftKey ? "redo" : "undo";
  if (ctrlKey && !altKey && key.toLowerCase() === "y") return "redo";
  return key === "Escape" && !command ? "clear" : null;
}

/** Runs `actions[name]` for shortcuts, except in fields and dialogs. */
export function listenToShortcuts(actions) {
  document.addEventListener("keydown", (event) => {
    const name = shortcut(event);
    if (name === null || event.target.closest("select, textarea, input:not([type=range], [type=checkbox]), dialog")) return;
    event.preventDefault();
    actions[name]();
  });
}
