// What an answer of /predict means, in words.

import { percent } from "./format.js";

const SURE = 0.8; // below this the answer is a guess
const CLOSE = 0.15; // a second label this likely is named as well

// Names of letters that begin with a vowel when spoken: "an F", but "a U".
const VOWEL_LETTER = /^[aefhilmnorsx]$/i;
const VOWEL_NUMBER = /^(8\d*|11|18)$/;
const VOWEL_WORD = /^[aeio]\w+|^u(?!ni)\w+/i;

/** Stands for what is no digit, as the server writes it in a reading. */
export const UNREADABLE = "?";

/** "a" or "an", as the label is spoken. */
export const article = (label) =>
  VOWEL_LETTER.test(label) || VOWEL_NUMBER.test(label) || VOWEL_WORD.test(label) ? "an" : "a";

/** "a 3", "an 8" */
export const withArticle = (label) => `${article(label)} ${label}`;

/** Labels and their probabilities, the most likely first. */
export const ranked = (probabilities) => Object.entries(probabilities).sort(([, a], [, b]) => b - a);

/** `{label, probability, sure, second}`: the likeliest label, and the next when that is worth saying. */
export function judge(probabilities) {
  const [[label, probability], next] = ranked(probabilities);
  const sure = probability >= SURE && !(next?.[1] >= CLOSE);
  return { label, probability, sure, second: sure || next === undefined ? null : next[0] };
}

/** The sentence in parts; a part in an array of its own is to be stressed. */
export function sentence({ label, sure, second }) {
  if (sure) return [`This is ${article(label)} `, [label], "."];
  const opening = `${article(label) === "an" ? "An" : "A"} `;
  if (second === null) return [opening, [label], ", perhaps."];
  return [opening, [label], `, or perhaps ${article(second)} `, [second], "."];
}

/** Whether all labels are single digits, as the words on the page assume when they say "digit". */
export const areDigits = (labels) => labels.every((label) => /^\d$/.test(label));

/** What to draw for a model with these labels. */
export const invitation = (labels) => (areDigits(labels) ? "Draw a digit" : "Draw one of its symbols");

/** What the model says of a drawing that it does not know. */
export const refusal = (labels) =>
  `That does not look like ${areDigits(labels) ? "a digit" : "one of its symbols"} to me.`;

/** Whether an answer, or a part of one, is of something that the model knows; servers of old do not say. */
export const isKnown = ({ is_digit: isDigit }) => isDigit !== false;

/** The parts that a drawing fell into, left to right; [] when it is one. */
export const partsOf = ({ digits }) => (digits?.length > 1 ? digits : []);

/** The character or word that a part is read as. */
export const readAs = (part) => (isKnown(part) && part.label !== null ? part.label : UNREADABLE);

/**
 * How to show an answer: `{glyph, sentence, facts, winner, spoken, known}`. `sentence` is in parts as above, `facts`
 * are short, `winner` is the label whose bar is stressed or null. `selected` is the part whose bars are shown.
 */
export function describe(answer, labels, selected = 0) {
  const parts = partsOf(answer);
  return parts.length > 0 ? describeParts(answer, parts, labels, selected) : describeOne(answer, labels);
}

function describeOne(answer, labels) {
  const verdict = judge(answer.probabilities);
  if (!isKnown(answer)) {
    const words = refusal(labels);
    const nearest = `the nearest would be ${verdict.label}`;
    const spoken = `${words} ${capital(nearest)}.`;
    return { glyph: UNREADABLE, sentence: [words], facts: [nearest], winner: null, spoken, known: false };
  }
  const words = sentence(verdict);
  const sureness = `${percent(verdict.probability)} sure`;
  const spoken = `${words.flat().join("")} ${sureness}.`;
  return { glyph: verdict.label, sentence: words, facts: [sureness], winner: verdict.label, spoken, known: true };
}

function describeParts(answer, parts, labels, selected) {
  const reading = answer.reading ?? parts.map(readAs).join("");
  const part = parts[Math.min(selected, parts.length - 1)];
  const verdict = judge(part.probabilities);
  const known = isKnown(part);
  const place = `part ${parts.indexOf(part) + 1} of ${parts.length}`;
  const fact = known
    ? `${place}: ${withArticle(verdict.label)}, ${percent(verdict.probability)} sure`
    : `${place}: unclear, the nearest would be ${verdict.label}`;
  const unknown = parts.filter((one) => !isKnown(one)).length;
  const rest = unknown === 0 ? "" : ` ${unknown === 1 ? "One part does" : `${unknown} parts do`} not look like ${areDigits(labels) ? "a digit" : "one of its symbols"} to me.`;
  return {
    glyph: reading,
    sentence: ["This reads ", [reading], "."],
    facts: [fact],
    winner: known ? verdict.label : null,
    spoken: `This reads ${parts.map(readAs).join(" ")}.${rest}`,
    known,
  };
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
