// The tools beside a drawing, as buttons and as keys: undo, redo, clear, and the eraser.

import { byId } from "./dom.js";
import { isEmpty } from "./drawing.js";
import { listenToShortcuts } from "./shortcuts.js";

/** `board()` is the board that is drawn on, once there is one. */
export function createTools(canvas, board) {
  const eraser = byId("eraser");
  const buttons = { undo: byId("undo"), redo: byId("redo"), clear: byId("clear") };
  const tools = {
    erasing: () => eraser.getAttribute("aria-pressed") === "true",
    setErasing(erasing) {
      eraser.setAttribute("aria-pressed", String(erasing));
      canvas.toggleAttribute("data-erasing", erasing);
    },
    /** Shows what can be done with `drawing`. */
    show(drawing) {
      buttons.undo.disabled = !board().canUndo();
      buttons.redo.disabled = !board().canRedo();
      buttons.clear.disabled = isEmpty(drawing);
      byId("hint").toggleAttribute("data-off", !isEmpty(drawing));
    },
    /** From here on they do what they say. */
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
