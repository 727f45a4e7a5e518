// Fields of the settings form, from the server's schema of hyperparameters.

import { clauses, sentences } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { settingValue } from "../../labels/config-labels.js";
import { termBeside } from "../../labels/terms.js";
import { element, setText } from "../../lib/dom.js";
import { kindOf, rangeText, shownValue, valueOf } from "./form-values.js";

const LAST = /(\.[^.[\]]+|\[\d+\])$/; // the last part of a path

/** The id of the field at a path: "optimizer.learning_rate" → "learning-rate", "schedule.type" → "schedule". */
export function idOf(path) {
  const short = path.replace(/^(optimizer)\.(learning_rate)$/, "$2").replace(/\.type$/, "");
  return short.replace(/[[\]]/g, "-").replace(/[._]+/g, "-").replace(/-+/g, "-").replace(/-$/, "");
}

/**
 * Creates fields with a common table of errors. `onChange(path, value)` is called with a valid value,
 * `onText()` on every change. `errors` maps paths to the messages of invalid texts.
 */
export function createFields({ schema, onChange, onText }) {
  const errors = new Map(); // the message of an invalid text, by path
  const places = new Map(); // {input, error}, by path

  /** A field with its title, its explanation, its range, and its error. */
  function field(spec, path, value, { compact = false } = {}) {
    if (spec.type === "spec") return specField(spec, path, value);
    if (spec.type === "object") return objectField(spec, path, value);
    if (spec.type === "flag") return flagField(spec, path, value);
    const id = idOf(path);
    const input = spec.type === "choice" ? choiceInput(spec, id, value) : textInput(spec, id, value);
    const error = element("p", { class: "field-error", id: `${id}-error` });
    const describedBy = [compact ? null : `${id}-note`, error.id].filter(Boolean).join(" ");
    input.setAttribute("aria-describedby", describedBy);
    const node = element(
      "div",
      { class: "field" },
      label(spec, path, id, compact),
      input,
      compact ? null : element("p", { class: "field-note", id: `${id}-note` }, spec.explanation),
      error,
    );
    input.title = compact ? sentences(spec.explanation, rangeText(spec)) : clauses(rangeText(spec), defaultText(spec));
    place(path, input, error);
    input.addEventListener("input", () => read(spec, path, input));
    return node;
  }

  function read(spec, path, input) {
    try {
      const value = valueOf(spec, input.value);
      errors.delete(path);
      onChange(path, value);
    } catch (error) {
      errors.set(path, error.message);
      onText();
    }
  }

  function place(path, input, error) {
    places.set(path, { input, error });
    errors.delete(path);
  }

  function flagField(spec, path, value) {
    const id = idOf(path);
    const input = element("input", { type: "checkbox", id, checked: Boolean(value), "aria-describedby": `${id}-note`, autocomplete: "off" });
    const error = element("p", { class: "field-error", id: `${id}-error` });
    place(path, input, error);
    input.addEventListener("input", () => onChange(path, input.checked));
    return element(
      "div",
      { class: "field" },
      element("span", { class: "check" }, input, element("label", { for: id }, spec.title)),
      element("p", { class: "field-note", id: `${id}-note` }, spec.explanation),
      error,
    );
  }

  /** A choice of types, and below it the fields of the chosen one. */
  function specField(spec, path, value, { compact = false } = {}) {
    const parts = schema[spec.of];
    const inner = element("div", { class: compact ? "layer-inner" : "settings-inner" });
    const known = kindOf(parts, value);
    const choices = parts.map(({ type, title }) => [type, title]);
    if (value !== null && value !== undefined && known === undefined) choices.push([value.type ?? value, value.type ?? String(value)]);
    const head = { ...spec, type: "choice", choices: choices.map(([type]) => type), nullable: spec.nullable };
    const own = typeof value === "string" ? { type: value } : (value ?? null);
    const input = choiceInput(head, idOf(path), own?.type ?? "", choices);
    const explanation = element("p", { class: "field-note", id: `${idOf(path)}-note` });
    const error = element("p", { class: "field-error", id: `${idOf(path)}-error` });
    input.setAttribute("aria-describedby", `${explanation.id} ${error.id}`);
    place(path, input, error);
    if (!places.has(`${path}.type`)) places.set(`${path}.type`, { input, error });

    function fill(current) {
      const part = kindOf(parts, current);
      setText(explanation, sentences(spec.explanation, part?.explanation ?? ""));
      forget(`${path}.`);
      const made = (part?.fields ?? []).map((one) => nested(one, `${path}.${one.name}`, current?.[one.name] ?? one.default));
      inner.replaceChildren(...(path === "optimizer" ? withFold(made) : made));
    }

    const nested = (one, at, shown) => (one.type === "spec" ? specField(one, at, shown, { compact: true }) : field(one, at, shown, { compact }));

    input.addEventListener("input", () => {
      const type = input.value;
      const part = parts.find((one) => one.type === type);
      const required = (part?.fields ?? []).filter((one) => one.required).map((one) => [one.name, one.default]);
      const next = type === "" ? null : { type, ...Object.fromEntries(required) };
      const corrected = onChange(path, next) ?? next;
      fill(corrected);
    });
    fill(own);
    const title = label(spec, path, idOf(path), compact);
    return element("div", { class: "field-group" }, element("div", { class: "field" }, title, input, compact ? null : explanation, error), inner);
  }

  /** A checkbox that enables the fields of an object. */
  function objectField(spec, path, value) {
    const inner = element("div", { class: "settings-inner" });
    const id = idOf(path);
    const input = element("input", { type: "checkbox", id, checked: value !== null && value !== undefined, "aria-describedby": `${id}-note`, autocomplete: "off" });
    const error = element("p", { class: "field-error", id: `${id}-error` });
    place(path, input, error);

    function fill(current) {
      forget(`${path}.`);
      const fields = current === null ? [] : schema[spec.of ?? spec.name];
      inner.replaceChildren(...fields.map((one) => field(one, `${path}.${one.name}`, current[one.name] ?? one.default)));
    }

    input.addEventListener("input", () => {
      const required = (schema[spec.of ?? spec.name] ?? []).filter((one) => one.required).map((one) => [one.name, one.default]);
      const next = input.checked ? Object.fromEntries(required) : null;
      onChange(path, next);
      fill(next);
    });
    fill(value ?? null);
    return element(
      "div",
      { class: "field-group" },
      element(
        "div",
        { class: "field" },
        element("span", { class: "check" }, input, element("label", { for: id }, spec.title, beside(spec.name))),
        element("p", { class: "field-note", id: `${id}-note` }, spec.explanation),
        error,
      ),
      inner,
    );
  }

  /** Unregisters the fields with a prefix, which are removed from the page. */
  function forget(prefix) {
    for (const path of places.keys()) if (path.startsWith(prefix) && path !== `${prefix}type`) places.delete(path);
    for (const path of errors.keys()) if (path.startsWith(prefix)) errors.delete(path);
  }

  /** Shows the error of each field: of an invalid text, else the server's (`{path, message}`). */
  function showErrors(fromServerError = null) {
    const faulty = fromServerError === null ? null : nearest(fromServerError.path);
    for (const [path, { input, error }] of places) {
      if (path.endsWith(".type") && places.get(path.slice(0, -5))?.input === input) continue;
      const text = errors.get(path) ?? (path === faulty ? fromServerError.message : "");
      setText(error, text);
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }

  /** The path of the field of an error, or of the nearest enclosing one; null for none. */
  function nearest(path) {
    for (let at = path ?? ""; at !== ""; at = at.replace(LAST, "")) {
      if (places.has(at) && !at.endsWith(".type")) return at;
      if (!LAST.test(at)) return null;
    }
    return null;
  }

  /** The input at a path; null for none. */
  const inputAt = (path) => places.get(nearest(path))?.input ?? null;

  /** Registers an input that is part of the page. */
  const adopt = (path, input, error) => places.set(path, { input, error });

  return { field, specField, forget, showErrors, inputAt, adopt, errors, has: (path) => nearest(path) !== null };
}

const label = (spec, path, id, compact) => element("label", { for: id }, spec.title, compact ? null : beside(spec.name));

function beside(name) {
  const term = termBeside(name);
  return term === null ? null : element("span", { class: "ja", lang: term[1] }, ` ${term[0]}`);
}

/** The learning rate, and the rest of an optimizer's settings folded. */
const withFold = ([rate, ...others]) =>
  others.length === 0 ? [rate] : [rate, element("details", { class: "settings-fold" }, element("summary", {}, t("More of the optimizer")), element("div", { class: "settings-inner" }, ...others))];

const defaultText = ({ default: usual, nullable }) => (usual === null || usual === undefined || nullable ? "" : t("usually {value}", { value: shownValue(usual) }));

function choiceInput(spec, id, value, choices = spec.choices.map((choice) => [choice, settingValue(spec.name, choice)])) {
  const options = spec.nullable ? [["", spec.of === "initializers" ? t("default") : t("none")], ...choices] : [...choices];
  const shown = shownValue(value);
  if (shown !== "" && !options.some(([key]) => key === shown)) options.push([shown, shown]); // such as several teachers
  const select = element("select", { id, autocomplete: "off" }, ...options.map(([key, text]) => element("option", { value: key }, text)));
  select.value = shown;
  return select;
}

const textInput = (spec, id, value) =>
  element("input", {
    id,
    value: shownValue(value),
    inputmode: spec.choices ? null : spec.type === "whole" ? "numeric" : "decimal",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: spec.nullable ? t("none") : null,
  });
