// Small pictures with a caption, in rows; a press opens one large.

import { element } from "../lib/dom.js";
import { decoded, paintBytes } from "./bitmap.js";
import { openPicture } from "./zoom-dialog.js";

/**
 * A list item with a picture of base64 `pixels`, or an empty one where they are null. `caption` is short and stands below;
 * `title` and `text` say the same in full, to who hears the page and over the large picture. `kind` marks it in the style.
 */
export function tile({ pixels, caption, title, text, kind = null }) {
  const canvas = element("canvas", { class: "picture", width: 28, height: 28, "aria-hidden": "true" });
  const button = element("button", { type: "button", class: "tile", "data-kind": kind, "aria-label": `${title} ${text}`, title, disabled: pixels === null }, canvas, element("span", { class: "tile-caption", "aria-hidden": "true" }, ...caption));
  if (pixels !== null) {
    const bytes = decoded(pixels);
    paintBytes(canvas, bytes);
    button.addEventListener("click", () => openPicture({ paint: (large) => paintBytes(large, bytes), title, text }));
  }
  return element("li", {}, button);
}
