// Formatting of numbers, times and sentences.

import { language, t } from "./translate.js";

const WHOLE = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: 3 });
/** The reader's own variety of the page's language: "en-GB" writes 20:34, "en-US" 8:34 PM. */
export const locale = navigator.languages.find((one) => one.split("-")[0] === language) ?? language;
const DAY = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const MINUTE = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

/** The text for an unknown number. */
export const NOTHING = "–";

const known = (value) => typeof value === "number" && Number.isFinite(value);

/** 0.974 → "97.4 %"; only 1 is "100.0 %". */
export function percent(fraction, digits = 1) {
  if (!known(fraction)) return NOTHING;
  const shown = fraction < 1 ? Math.min(fraction * 100, 100 - 10 ** -digits) : fraction * 100;
  return t("{number} %", { number: shown.toFixed(digits) });
}

/** 269322 → "269,322" */
export const count = (value) => (known(value) ? WHOLE.format(value) : NOTHING);

/** 150000 → "150K" */
export const compact = (value) => COMPACT.format(value);

/** A loss with four decimals, or in scientific notation if it is very small. */
export function loss(value) {
  if (!known(value)) return NOTHING;
  return value !== 0 && Math.abs(value) < 0.0005 ? value.toExponential(2) : value.toFixed(4);
}

/** 1.42 → "1.4 s", 75 → "1 min 15 s", 7300 → "2 h 1 min" */
export function duration(seconds) {
  if (!known(seconds)) return NOTHING;
  if (seconds < 9.95) return t("{seconds} s", { seconds: seconds.toFixed(1) });
  const rounded = Math.round(seconds);
  if (rounded < 60) return t("{seconds} s", { seconds: rounded });
  if (rounded < 3600) return t("{minutes} min {seconds} s", { minutes: Math.floor(rounded / 60), seconds: rounded % 60 });
  return t("{hours} h {minutes} min", { hours: Math.floor(rounded / 3600), minutes: Math.floor((rounded % 3600) / 60) });
}

/** "1 epoch", "5 epochs" */
export const epochsText = (epochs) => (epochs === 1 ? t("1 epoch") : t("{count} epochs", { count: epochs }));

/** A rounded estimate: 3.4 → "4 s", 23 → "25 s", 3472 → "58 min", 6720 → "2 h" */
export function roughly(seconds) {
  if (!known(seconds)) return NOTHING;
  if (seconds >= 3570) return t("{hours} h", { hours: Math.max(1, Math.round(seconds / 1800) / 2) });
  if (seconds >= 57.5) return t("{minutes} min", { minutes: Math.max(1, Math.round(seconds / 60)) });
  return t("{seconds} s", { seconds: seconds < 10 ? Math.ceil(seconds) : Math.round(seconds / 5) * 5 });
}

/** 1077000 → "1.1 MB" */
export function bytes(value) {
  if (!known(value)) return NOTHING;
  if (value < 1000) return `${value} B`;
  return value < 1e6 ? `${Math.round(value / 1000)}\u00a0kB` : `${(value / 1e6).toFixed(1)}\u00a0MB`;
}

/** The time since an ISO time, or its date if that is more than a day ago. */
export function ago(time, now = Date.now()) {
  const then = Date.parse(time);
  if (Number.isNaN(then)) return NOTHING;
  const seconds = Math.max(0, (now - then) / 1000);
  if (seconds < 60) return t("just now");
  if (seconds < 3600) return t("{minutes} min ago", { minutes: Math.floor(seconds / 60) });
  if (seconds < 86400) return t("{hours} h ago", { hours: Math.floor(seconds / 3600) });
  return DAY.format(then);
}

/** The full date and time of an ISO time. */
export const moment = (time) => (Number.isNaN(Date.parse(time)) ? NOTHING : MINUTE.format(Date.parse(time)));

/** Seconds from one ISO time to another; null when one is missing. */
export function between(from, to) {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}

const isSpaced = language !== "ja"; // Japanese sentences have no spaces between them

/** Sentences as one text, without empty ones. */
export const sentences = (...texts) => texts.filter(Boolean).join(isSpaced ? " " : "");

/** Clauses of one sentence, "a whole number; usually 3". */
export const clauses = (...texts) => texts.filter(Boolean).join(isSpaced ? "; " : "、");

/** "the stroke is wide" → "The stroke is wide." */
export function asSentence(text) {
  const sentence = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?。]$/.test(sentence) ? sentence : t("{sentence}.", { sentence });
}
