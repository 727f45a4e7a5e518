// What the probabilities mean, in words.

const SURE = 0.8; // below this the answer is a guess
const CLOSE = 0.15; // a second label this likely is named as well

// Names of letters that begin with a vowel when spoken: "an F", but "a U".
const VOWEL_LETTER = /^[aefhilmnorsx]$/i;
const VOWEL_NUMBER = /^(8\d*|11|18)$/;
const VOWEL_WORD = /^[aeio]\w+|^u(?!ni)\w+/i;

/** "a" or "an", as the label is spoken. */
export const article = (label) =>
  VOWEL_LETTER.test(label) || VOWEL_NUMBER.test(label) || VOWEL_WORD.test(label) ? "an" : "a";

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
