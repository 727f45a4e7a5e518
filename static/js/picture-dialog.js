// The dialog of templates/_picture.html: a picture of few pixels, large, with a title and a sentence.

import { byId, setText } from "./dom.js";

/** Opens it; `paint(canvas)` draws the picture. A press beside it closes it, as its button does. */
export function openPicture({ paint, title, text }) {
  const dialog = byId("picture-dialog");
  paint(byId("picture-large"));
  setText(byId("picture-title"), title);
  setText(byId("picture-text"), text);
  dialog.onclick = ({ target }) => target === dialog && dialog.close();
  dialog.showModal();
}
