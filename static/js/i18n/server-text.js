// Texts that the server gives in English: titles and summaries of recipes and data sets, and explanations of settings.

import { t } from "./translate.js";

const NUMBER = /\d[\d,.]*/;

/** A text of the server in the page's language, also one with a number in it; what a person wrote stays as it is. */
export function fromServer(text, values) {
  if (!text) return text;
  const whole = t(text, values);
  const number = NUMBER.exec(text)?.[0];
  if (whole !== text || number === undefined) return whole;
  return t(text.replace(number, "{number}"), { number });
}
