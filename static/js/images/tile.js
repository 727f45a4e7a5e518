// Small pictures with a caption; a press enlarges one.

import { element } from "../lib/dom.js";
import { createBitmap, fromBase64, paintBytes } from "./bitmap.js";
import { openPicture } from "./zoom-dialog.js";

/**
 * A list item with a picture of base64 `pixels`, empty if they are null. `caption` is short; `title` and `text` are the
 * full description for screen readers and for the enlarged picture. `kind` is for the style.
 */
export function tile({ pixels, caption, title, text, kind = null }) {
  const bytes = pixels === null ? null : fromBase64(pixels);
  const button = element("button", { type: "button", class: "tile", "data-kind": kind, "aria-label": `${title} ${text}`, title, disabled: pixels === null }, createBitmap(bytes, "picture"), element("span", { class: "tile-caption", "aria-hidden": "true" }, ...caption));
  button.addEventListener("click", () => openPicture({ paint: (large) => paintBytes(large, bytes), title, text }));
  return element("li", {}, button);
}
