// The dialog of templates/partials/zoom-dialog.html: an enlarged picture with a title and a sentence.

import { closeBeside } from "../lib/dialog.js";
import { byId, setText } from "../lib/dom.js";

/** Opens it; `paint(canvas)` draws the picture. Its button or a press outside closes it. */
export function openPicture({ paint, title, text }) {
  const dialog = byId("zoom-dialog");
  paint(byId("zoom-picture"));
  setText(byId("zoom-title"), title);
  setText(byId("zoom-text"), text);
  closeBeside(dialog);
  dialog.showModal();
}
