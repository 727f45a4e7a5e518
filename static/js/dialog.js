// Asks before something that cannot be undone.

import { element } from "./dom.js";

/** Opens a question; resolves to true only when the action was chosen. */
export function confirmed({ title, text, action }) {
  const dialog = element(
    "dialog",
    { "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
    element(
      "form",
      { method: "dialog", class: "dialog-body" },
      element("h2", { id: "confirm-title" }, title),
      element("p", { id: "confirm-text", class: "soft" }, text),
      element(
        "div",
        { class: "dialog-actions" },
        element("button", { class: "button", value: "no", autofocus: true }, "Keep it"),
        element("button", { class: "button strong", value: "yes", id: "confirm" }, action),
      ),
    ),
  );
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
  });
}
