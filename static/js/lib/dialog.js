// Asks before something that cannot be undone, and for what must be known first.

import { t } from "../i18n/translate.js";
import { element } from "./dom.js";

/** Opens a question; resolves to true only when the action was chosen. */
export async function confirmed({ title, text, action }) {
  const answers = [
    ["", t("Keep it")],
    ["yes", action],
  ];
  return (await asked({ title, text, answers })) === "yes";
}

/**
 * Opens a question with answers as [value, text]: the first is the one that changes nothing, the last the one that
 * cannot be undone. Resolves to the value of the chosen one, the first where the dialog was just closed.
 */
export async function asked({ title, text, answers }) {
  const [nothing, ...others] = answers;
  const buttons = others.map(([value, words], i) => {
    const last = i === others.length - 1;
    return element("button", { class: last ? "button strong" : "button", value, id: last ? "confirm" : `confirm-${value}` }, words);
  });
  const harmless = element("button", { class: "button", value: nothing[0], autofocus: true }, nothing[1]);
  return (await opened(title, text, [harmless, ...buttons], { layout: others.length > 1 ? "stacked" : "" })).answer;
}

/** Asks for a whole number from 1 to `most`; resolves to null where none was given. */
export async function askedNumber({ title, text, label, value, most, action }) {
  const input = element("input", { id: "dialog-number", type: "number", min: 1, max: most, step: 1, value, required: true, autofocus: true });
  const field = element("div", { class: "field" }, element("label", { for: input.id }, label), input);
  // the action comes first in the form, as the key Enter presses the first button
  const buttons = [
    element("button", { class: "button strong", value: "yes", id: "confirm" }, action),
    element("button", { class: "button", value: "", formnovalidate: true }, t("Not now")),
  ];
  const { answer } = await opened(title, text, buttons, { layout: "reversed", field });
  return answer === "yes" ? Number(input.value) : null;
}

/** Asks for a short text, `value` at first; resolves to null where none was given. */
export async function askedText({ title, text, label, value, most, action }) {
  const input = element("input", { id: "dialog-text", type: "text", maxlength: most, value, required: true, autofocus: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  const field = element("div", { class: "field" }, element("label", { for: input.id }, label), input);
  const buttons = [
    element("button", { class: "button strong", value: "yes", id: "confirm" }, action),
    element("button", { class: "button", value: "", formnovalidate: true }, t("Not now")),
  ];
  const { answer } = await opened(title, text, buttons, { layout: "reversed", field });
  return answer === "yes" ? input.value.trim() : null;
}

function opened(title, text, buttons, { layout, field = null }) {
  const dialog = element(
    "dialog",
    { "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
    element(
      "form",
      { method: "dialog", class: "dialog-body" },
      element("h2", { id: "confirm-title" }, title),
      element("p", { id: "confirm-text", class: "soft" }, text),
      field,
      element("div", { class: `dialog-actions ${layout}` }, ...buttons),
    ),
  );
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve({ answer: dialog.returnValue });
    });
    dialog.showModal();
  });
}
