// What the server says when it refuses, in the page's language; what is not known here stays as the server gave it.

import { t } from "./words.js";

/** What any page may hear. Each in the server's own words; tests/web/test_words.py makes the server say them. */
const MESSAGES = [
  [/^there is no run (\d+)$/, (run) => t("there is no run {run}", { run })],
  [/^there is no model (.+)$/, (name) => t("there is no model {name}", { name })],
  [/^there is no model yet: train one, or restore the one that ships with digitpad$/, () => t("there is no model yet: train one, or restore the one that ships with digitpad")],
  [/^there is no such drawing$/, () => t("there is no such drawing")],
  [/^the database is busy or cannot be reached; try again in a moment$/, () => t("the database is busy or cannot be reached; try again in a moment")],
  [/^expected fewer (?:and smaller requests|evaluations) at one time; try again in a moment$/, () => t("the server has much to do; try again in a moment")],
  [/^there is no room left on the disk; nothing was changed$/, () => t("there is no room left on the disk; nothing was changed")],
  [/^the folder where digitpad keeps its files cannot be written; its permissions may be wrong$/, () => t("the folder where digitpad keeps its files cannot be written; its permissions may be wrong")],
  [/^expected a token, as "Authorization: Bearer \.\.\."; .+$/, () => t("this server wants its token again; load the page anew to give it")],
  [/^something went wrong in the server; its log says what$/, () => t("something went wrong in the server; its log says what")],
  [/^expected a body of at most (\d+) MB; got more$/, (most) => t("that is too large: at most {most} MB", { most })],
  [/^expected a still image; got an animated PNG$/, () => t("expected a still image; got an animated PNG")],
  [/^expected an image of at most (\d+) megapixels; got (.+)$/, (most, size) => t("expected an image of at most {most} megapixels; got {size}", { most, size })],
  [/^expected a (?:whole )?PNG or JPEG image; got .+$/, () => t("expected a PNG or JPEG image; got a damaged or different file")],
];

/** `message` by the first of `patterns`, pairs of what it looks like and of what makes a sentence of its parts; else null. */
export function translated(message, patterns) {
  for (const [pattern, sentence] of patterns) {
    const found = pattern.exec(message);
    if (found !== null) return sentence(...found.slice(1));
  }
  return null;
}

/** A message of the server in the page's language. */
export const errorText = (message) => translated(message, MESSAGES) ?? message;
