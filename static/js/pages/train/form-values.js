// Texts of the settings' fields and their values. Nothing here touches the page.

import { clauses } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";

/** The text of a value; empty for null. */
export function shownValue(value) {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** The value of a field's text. Throws an Error with the expected format. */
export function valueOf(field, text) {
  const trimmed = text.trim();
  if (trimmed === "" && field.nullable) return null;
  if (field.choices?.includes(trimmed)) return trimmed;
  if (field.type === "choice") throw expected(field);
  if (field.type === "shape") return shape(field, trimmed);
  const value = Number(trimmed);
  const whole = field.type === "whole";
  if (trimmed === "" || !Number.isFinite(value) || (whole && !Number.isInteger(value)) || !within(field, value)) throw expected(field);
  return value;
}

function shape(field, text) {
  const sizes = text.split(/[\s,×x]+/).map(Number);
  if (sizes.length > 2 || !sizes.every((size) => Number.isInteger(size) && within(field, size) && size > 0)) throw expected(field);
  return sizes.length === 1 ? sizes[0] : sizes;
}

const within = ({ minimum, maximum, above, below }, value) =>
  !(value < minimum && minimum !== null) && !(value > maximum && maximum !== null) && !(above !== null && value <= above) && !(below !== null && value >= below);

const expected = (field) => new Error(`${rangeText(field)}.`);

/** The allowed values of a field: "a whole number from 1 to 1000". */
export function rangeText(field) {
  if (field.type === "choice") return t("one of {choices}", { choices: field.choices.join(", ") });
  const parts = [field.type === "whole" ? wholeText(field) : field.type === "shape" ? t("one size, or height and width") : numberText(field)];
  if (field.choices) parts.push(field.choices.map((choice) => `“${choice}”`).join(", "));
  if (field.nullable) parts.push(t("empty for none"));
  return clauses(...parts);
}

function wholeText({ minimum: low, maximum: high }) {
  const values = { low: grouped(low), high: grouped(high) };
  if (low !== null && high !== null) return t("a whole number from {low} to {high}", values);
  return low === null ? t("a whole number") : t("a whole number of at least {low}", values);
}

function numberText({ minimum, maximum, above, below }) {
  const bounds = [
    ["≥", minimum],
    [">", above],
    ["≤", maximum],
    ["<", below],
  ].filter(([, bound]) => bound !== null && bound !== undefined);
  return bounds.length === 0 ? t("a number") : t("a number {bounds}", { bounds: bounds.map(([sign, bound]) => `${sign} ${bound}`).join(", ") });
}

const grouped = (number) => (typeof number === "number" ? number.toLocaleString("en") : "");

/** The schema of the type of an object, a table or a name: `{type, ...fields}`. */
export const kindOf = (parts, value) => parts.find(({ type }) => type === (value?.type ?? value));

/** The value at a dotted path of nested objects; undefined for none. */
export const at = (config, path) => path.split(".").reduce((value, key) => value?.[key], config);

/** `config` with another value at a dotted path; undefined removes the key. */
export function withValue(config, path, value) {
  const [key, ...rest] = path.split(".");
  if (rest.length > 0) return { ...config, [key]: withValue(config[key] ?? {}, rest.join("."), value) };
  if (value !== undefined) return { ...config, [key]: value };
  const { [key]: _, ...others } = config;
  return others;
}
