// The questions of a lesson, to be answered before the figure tells.

import { t } from "../../i18n/translate.js";
import { setText } from "../../lib/dom.js";

for (const question of document.querySelectorAll(".question")) {
  question.addEventListener("change", ({ target }) => {
    const isRight = target.value === question.dataset.right;
    question.dataset.kind = isRight ? "right" : "wrong";
    setText(question.querySelector(".question-verdict"), isRight ? t("Yes.") : t("Not that one: choose another, or see below."));
    question.querySelector(".question-why").hidden = !isRight;
  });
}
