// Texts after one another: between those of Japanese there is no space.

import { language } from "./words.js";

const isSpaced = language !== "ja";

/** Whole sentences as one text; those that are empty are left out. */
export const sentences = (...texts) => texts.filter(Boolean).join(isSpaced ? " " : "");

/** Clauses of one sentence, "a whole number; usually 3". */
export const clauses = (...texts) => texts.filter(Boolean).join(isSpaced ? "; " : "、");
