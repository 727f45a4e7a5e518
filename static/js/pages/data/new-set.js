// A new set: its name and its labels.

import { call, explain, get } from "../../api/client.js";
import { t } from "../../i18n/translate.js";
import { choose } from "../../lib/dialog.js";
import { byId, setText } from "../../lib/dom.js";

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const LONGEST = 64;
const MOST = 100;

/** The unique labels in a text, separated by blanks or commas, in the server's Unicode normalization. */
export const labelsIn = (text) => [...new Set(text.normalize("NFC").split(/[\s,、，]+/).filter((part) => part !== ""))];

/** The errors in a name and a text of labels: `{name, labels}`, "" for none. */
export function faults(name, text) {
  const labels = labelsIn(text);
  return {
    name: NAME.test(name) ? "" : t("Use up to {most} lower-case letters, digits, dots and dashes, such as “shapes”.", { most: LONGEST }),
    labels:
      labels.length < 2 || labels.length > MOST
        ? t("Enter 2 to {most} labels, separated by spaces, such as “○ △ ×”.", { most: MOST })
        : labels.some((label) => [...label].length > LONGEST)
          ? t("A label has at most {most} characters.", { most: LONGEST })
          : "",
  };
}

/** Stores the labels of a set on the server; asks first if the set has drawings. */
async function declared(set, labels) {
  const address = `/api/drawings/sets/${encodeURIComponent(set)}`;
  const { count: drawn } = await get(address);
  if (drawn > 0) {
    const sure = await choose({
      title: t("There is already a data set named “{name}”", { name: set }),
      text: drawn === 1 ? t("It has 1 drawing. New ones would be added to it.") : t("It has {count} drawings. New ones would be added to these.", { count: drawn }),
      answers: [["", t("Choose another name")], ["add", t("Add to it")]],
    });
    if (sure !== "add") return false;
  }
  await call("PUT", address, { body: { labels, add: drawn > 0 } });
  return true;
}

/** Creates the view; returns the function that shows it. */
export function createMake(page) {
  const form = byId("make-form");
  const inputs = { name: byId("make-name"), labels: byId("make-labels") };

  function check() {
    const found = faults(inputs.name.value.trim(), inputs.labels.value);
    for (const [key, text] of Object.entries(found)) {
      setText(byId(`make-${key}-error`), text);
      if (text) inputs[key].setAttribute("aria-invalid", "true");
      else inputs[key].removeAttribute("aria-invalid");
    }
    return Object.keys(found).find((key) => found[key]);
  }

  form.addEventListener("input", () => {
    if (form.querySelector("[aria-invalid]")) check();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wrong = check();
    if (wrong !== undefined) return inputs[wrong].focus();
    const set = inputs.name.value.trim();
    setText(byId("make-error"), "");
    try {
      if (!(await declared(set, labelsIn(inputs.labels.value)))) return inputs.name.focus();
    } catch (error) {
      return setText(byId("make-error"), explain(error));
    }
    await page.go({ kind: "draw", set, labels: [] });
    byId("draw-title").focus();
  });

  return () => {};
}
