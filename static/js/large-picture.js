// A picture of few pixels, opened large.

import { byId, setText } from "./dom.js";
import { paintPicture } from "./picture.js";
import { t } from "./words.js";

/** Binds the dialog of the page; gives `open(rows, title)`. */
export function createLargePicture() {
  const dialog = byId("seen-dialog");
  const canvas = byId("seen-large");

  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  return (rows, title) => {
    paintPicture(canvas, rows);
    setText(byId("seen-title"), title);
    setText(byId("seen-size"), t("{width} × {height} pixels, each from 0 (paper) to 1 (ink).", { width: rows[0].length, height: rows.length }));
    dialog.showModal();
  };
}
