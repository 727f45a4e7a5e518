// A sweep: the same training several times with one parameter varied, started together and shown on one chart.

import { explain, post } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { t } from "../../i18n/translate.js";
import { byId, element, setText } from "../../lib/dom.js";
import { KINDS, parsed, written } from "./sweep-values.js";

/**
 * Puts a sweep beside the start button, into the element `#race-place`. `current({go})` returns the config of the form,
 * or null if it is invalid, after showing the error, which it focuses if `go`. Returns the function to call
 * after every change of the form. `range` is of the number of values.
 */
export function createSweep({ current, range, onStarted = (sweep) => location.assign(withRoot(`/compare?tag=${encodeURIComponent(sweep.tag)}`)) }) {
  const place = byId("race-place");
  const button = element("button", { class: "button", id: "race", type: "button", disabled: true });
  const error = element("p", { class: "field-error", role: "alert" });
  const kind = element("select", { id: "race-kind" }, ...Object.entries(KINDS).map(([value, { name }]) => element("option", { value }, name())));
  const values = element("input", { id: "race-values", autocomplete: "off", spellcheck: "false", "aria-describedby": "race-values-error" });
  const wrong = element("p", { class: "field-error", id: "race-values-error" });
  const what = element("p", { class: "race-what", id: "race-what" });
  let isOwn = false; // the values were typed, and are not replaced

  const body = element(
    "div",
    { class: "race-body", id: "race-body", hidden: true },
    element("div", { class: "field" }, element("label", { for: "race-kind" }, t("What to vary")), kind),
    element("div", { class: "field" }, element("label", { for: "race-values" }, t("Values")), values, element("p", { class: "field-note" }, t("one run per value, separated by commas")), wrong),
    what,
  );
  const change = element("button", { class: "button", id: "race-change", type: "button", "aria-expanded": "false", "aria-controls": "race-body" }, t("Change"));

  place.classList.add("race");
  place.replaceChildren(error, element("div", { class: "race-line" }, button, change), body);
  button.setAttribute("aria-describedby", "race-what");
  change.setAttribute("aria-label", t("Change the race"));

  change.addEventListener("click", () => {
    body.hidden = !body.hidden;
    change.setAttribute("aria-expanded", String(!body.hidden));
    if (!body.hidden) body.scrollIntoView({ block: "nearest" });
  });
  kind.addEventListener("input", () => {
    isOwn = false;
    review();
  });
  values.addEventListener("input", () => {
    isOwn = true;
    review();
  });
  // neither field belongs to the form's training
  for (const node of [kind, values]) node.addEventListener("input", (event) => event.stopPropagation());
  values.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    button.click();
  });

  function review() {
    const config = current({ go: false });
    setText(error, "");
    if (!isOwn && config !== null) values.value = written(kind.value, KINDS[kind.value].values(config));
    let found = null;
    try {
      found = parsed(kind.value, values.value, range);
      setText(wrong, "");
      values.removeAttribute("aria-invalid");
    } catch (problem) {
      setText(wrong, values.value === "" ? "" : problem.message);
      values.setAttribute("aria-invalid", "true");
    }
    button.disabled = found === null;
    if (!button.hasAttribute("data-busy")) setText(button, found === null ? t("Race") : t("Race {count} {kind}", { count: found.length, kind: KINDS[kind.value].name() }));
    setText(what, found === null ? "" : written(kind.value, found).replaceAll(", ", " · "));
    button.title = what.textContent;
    return found;
  }

  button.addEventListener("click", async () => {
    const found = review();
    const config = current({ go: true });
    if (found === null || config === null || button.hasAttribute("data-busy")) return;
    button.toggleAttribute("data-busy", true);
    button.disabled = true;
    setText(button, t("Starting …"));
    try {
      onStarted(await post("/api/races", { config, vary: kind.value, values: found })); // the button stays disabled: the page is left
    } catch (refused) {
      rest();
      setText(error, explain(refused));
    }
  });
  window.addEventListener("pageshow", ({ persisted }) => persisted && rest());

  function rest() {
    button.removeAttribute("data-busy");
    review();
  }

  return review;
}
