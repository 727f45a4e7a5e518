// Dialogs for confirmation and input.

import { t } from "../i18n/translate.js";
import { element } from "./dom.js";

/** Opens a confirmation; resolves to true only if the action was chosen. */
export async function confirmed({ title, text, action }) {
  const answers = [
    ["", t("Keep it")],
    ["yes", action],
  ];
  return (await choose({ title, text, answers })) === "yes";
}

/**
 * Opens a question with answers [value, text]: the first changes nothing, the last cannot be undone. The one of the
 * value `best` stands out, by default the last. Resolves to the value of the chosen one, or of the first if the dialog
 * was closed.
 */
export async function choose({ title, text, answers, best = answers.at(-1)[0] }) {
  const [nothing, ...others] = answers;
  const buttons = others.map(([value, words], i) =>
    element("button", { class: value === best ? "button strong" : "button", value, id: i === others.length - 1 ? "confirm" : `confirm-${value}` }, words),
  );
  const harmless = element("button", { class: "button", value: nothing[0], autofocus: true }, nothing[1]);
  return openForm({ title, fields: [aboutText(text)], buttons: [harmless, ...buttons], layout: others.length > 1 ? "stacked" : "" }).answered;
}

/** Asks for a whole number from 1 to `most`; resolves to null if cancelled. */
export async function askNumber({ value, most, ...words }) {
  const text = await askInput({ type: "number", min: 1, max: most, step: 1, value }, words);
  return text === null ? null : Number(text);
}

/** Asks for a short text of a `pattern`, which `text` describes, initially `value`; resolves to null if cancelled. */
export const askText = ({ value, most, pattern, ...words }) => askInput({ type: "text", maxlength: most, pattern, title: words.text, value, autocomplete: "off", autocapitalize: "none", spellcheck: "false" }, words);

async function askInput(attributes, { title, text, label, action }) {
  const input = element("input", { id: `dialog-${attributes.type}`, required: true, autofocus: true, ...attributes });
  const field = element("div", { class: "field" }, element("label", { for: input.id }, label), input);
  // the action comes first, as Enter presses the first button
  const buttons = [
    element("button", { class: "button strong", value: "yes", id: "confirm" }, action),
    element("button", { class: "button", value: "", formnovalidate: true }, t("Not now")),
  ];
  const answer = await openForm({ title, fields: [aboutText(text), field], buttons, layout: "reversed" }).answered;
  return answer === "yes" ? input.value.trim() : null;
}

const aboutText = (text) => element("p", { id: "confirm-text", class: "soft" }, text);

/**
 * Opens a dialog with a title, fields and buttons, and removes it when it is closed. Returns it, and `answered`, a
 * promise of the value of the pressed button.
 */
export function openForm({ title, fields, buttons, layout, kind = null }) {
  const heading = element("h2", { id: "confirm-title" }, title);
  const actions = element("div", { class: `dialog-actions ${layout}` }, ...buttons);
  const about = fields.find((field) => field?.id === "confirm-text")?.id;
  const dialog = element("dialog", { class: kind, "aria-labelledby": heading.id, "aria-describedby": about }, element("form", { method: "dialog", class: "dialog-body" }, heading, ...fields, actions));
  document.body.append(dialog);
  const answered = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
  dialog.showModal();
  return { dialog, answered };
}

/** Lets a press outside close a dialog. */
export function closeBeside(dialog) {
  dialog.onclick = ({ target }) => {
    if (target === dialog) dialog.close(); // in braces: a handler's `false` would undo what the press does
  };
}
