// Sentences about what the network took a drawing for.

import { percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { withArticle } from "../../prediction/describe.js";

/** "a 9, 83.0 % sure"; the answer is null for an empty paper. */
export function takenFor(answer) {
  if (answer === null || answer.blank) return t("nothing, the paper is empty");
  const probability = percent(answer.probabilities[answer.label]);
  if (!answer.is_digit) return t("unclear, closest to {label}", { label: withArticle(answer.label) });
  return t("{label}, {percent} sure", { label: withArticle(answer.label), percent: probability });
}

/** "+87 points" */
export const gained = (points) => t("+{points} points", { points });
