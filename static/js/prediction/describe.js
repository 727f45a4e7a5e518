// Sentences about an answer of /predict.

import { percent } from "../i18n/format.js";
import { language, t, tParts } from "../i18n/translate.js";

const SURE = 0.8; // below this the answer is a guess
const CLOSE = 0.15; // a second label this likely is named as well

// Names of letters that begin with a vowel sound: "an F", but "a U".
const VOWEL_LETTER = /^[aefhilmnorsx]$/i;
const VOWEL_NUMBER = /^(8\d*|11|18)$/;
const VOWEL_WORD = /^[aeio]\w+|^u(?!ni)\w+/i;

/** The server's mark in a reading for a part that is no digit. */
export const UNREADABLE = "?";

/** "a" or "an", by the pronunciation of the label. */
export const article = (label) =>
  VOWEL_LETTER.test(label) || VOWEL_NUMBER.test(label) || VOWEL_WORD.test(label) ? "an" : "a";

/** "a 3", "an 8"; in a language without articles the label alone. */
export const withArticle = (label) => (language === "en" ? `${article(label)} ${label}` : `「${label}」`);

/** Labels and their probabilities, the most likely first. */
export const ranked = (probabilities) => Object.entries(probabilities).sort(([, a], [, b]) => b - a);

/** `{label, probability, sure, second}`: the likeliest label, and the second if it is close. */
export function judge(probabilities) {
  const [[label, probability], next] = ranked(probabilities);
  const sure = probability >= SURE && !(next?.[1] >= CLOSE);
  return { label, probability, sure, second: sure || next === undefined ? null : next[0] };
}

/** The sentence in parts; a part in a nested array is emphasized. */
export function sentence({ label, sure, second }) {
  const values = { a: article(label), A: capital(article(label)), label: [label] };
  if (sure) return tParts("This is {a} {label}.", values);
  if (second === null) return tParts("{A} {label}, perhaps.", values);
  return tParts("{A} {label}, or perhaps {another} {second}.", { ...values, another: article(second), second: [second] });
}

/** Whether all labels are single digits, so that the page may say "digit". */
export const areDigits = (labels) => labels.every((label) => /^\d$/.test(label));

/** The hint what to draw, for a model with these labels. */
export const invitation = (labels) => (areDigits(labels) ? t("Draw a digit") : t("Draw one of its symbols"));

/** The sentence for a drawing that the model does not know. */
export const refusal = (labels) =>
  areDigits(labels) ? t("That does not look like a digit to me.") : t("That does not look like one of its symbols to me.");

/** Whether the model knows what was drawn, in an answer or a part; older servers omit this. */
export const isKnown = ({ is_digit: isDigit }) => isDigit !== false;

/** The parts of a drawing, left to right; [] for a single one. */
export const partsOf = ({ digits }) => (digits?.length > 1 ? digits : []);

/** The character or word that a part is read as. */
export const readAs = (part) => (isKnown(part) && part.label !== null ? part.label : UNREADABLE);

/**
 * The presentation of an answer: `{glyph, sentence, facts, winner, spoken, known}`. `sentence` is in parts as above,
 * `facts` are short, `winner` is the highlighted label or null. `selected` is the part whose bars are shown.
 */
export function describe(answer, labels, selected = 0) {
  const parts = partsOf(answer);
  return parts.length > 0 ? describeParts(answer, parts, labels, selected) : describeOne(answer, labels);
}

function describeOne(answer, labels) {
  const verdict = judge(answer.probabilities);
  if (!isKnown(answer)) {
    const words = refusal(labels);
    const nearest = t("closest: {label}", { label: verdict.label });
    const spoken = `${words} ${t("Closest: {label}.", { label: verdict.label })}`;
    return { glyph: UNREADABLE, sentence: [words], facts: [nearest], winner: null, spoken, known: false };
  }
  const words = sentence(verdict);
  const sureness = t("{percent} sure", { percent: percent(verdict.probability) });
  const spoken = `${words.flat().join("")} ${t("{percent} sure.", { percent: percent(verdict.probability) })}`;
  return { glyph: verdict.label, sentence: words, facts: [sureness], winner: verdict.label, spoken, known: true };
}

function describeParts(answer, parts, labels, selected) {
  const reading = answer.reading ?? parts.map(readAs).join("");
  const part = parts[Math.min(selected, parts.length - 1)];
  const verdict = judge(part.probabilities);
  const known = isKnown(part);
  const place = { number: parts.indexOf(part) + 1, total: parts.length };
  const fact = known
    ? t("Part {number} of {total}: {label}, {percent} sure", {
        ...place,
        label: withArticle(verdict.label),
        percent: percent(verdict.probability),
      })
    : t("Part {number} of {total} is unclear; closest is {label}", { ...place, label: verdict.label });
  return {
    glyph: reading,
    sentence: tParts("This reads {reading}.", { reading: [reading] }),
    facts: [fact],
    winner: known ? verdict.label : null,
    spoken: `${t("This reads {reading}.", { reading: parts.map(readAs).join(" ") })}${unknownParts(parts, areDigits(labels))}`,
    known,
  };
}

/** An additional sentence about unknown parts; "" for none. */
function unknownParts(parts, digits) {
  const count = parts.filter((one) => !isKnown(one)).length;
  if (count === 0) return "";
  if (count === 1) return ` ${digits ? t("One part does not look like a digit to me.") : t("One part does not look like one of its symbols to me.")}`;
  const words = digits
    ? t("{count} parts do not look like a digit to me.", { count })
    : t("{count} parts do not look like one of its symbols to me.", { count });
  return ` ${words}`;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
