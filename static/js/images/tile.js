// Small pictures with a caption, in rows; a press opens one large.

import { element } from "../lib/dom.js";
import { createBitmap, fromBase64, paintBytes } from "./bitmap.js";
import { openPicture } from "./zoom-dialog.js";

/**
 * A list item with a picture of base64 `pixels`, or an empty one where they are null. `caption` is short and stands below;
 * `title` and `text` say the same in full, to who hears the page and over the large picture. `kind` marks it in the style.
 */
export function tile({ pixels, caption, title, text, kind = null }) {
  const bytes = pixels === null ? null : fromBase64(pixels);
  const button = element("button", { type: "button", class: "tile", "data-kind": kind, "aria-label": `${title} ${text}`, title, disabled: pixels === null }, createBitmap(bytes, "picture"), element("span", { class: "tile-caption", "aria-hidden": "true" }, ...caption));
  button.addEventListener("click", () => openPicture({ paint: (large) => paintBytes(large, bytes), title, text }));
  return element("li", {}, button);
}
