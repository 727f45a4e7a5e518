// Precision and recall of each label, as a table with bars.

import { count, percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { byId, element, setText } from "../lib/dom.js";

/** Fills the table of the page from an evaluation. */
export function showLabels({ labels, confusion, precision, recall }) {
  const known = [...precision, ...recall].filter((value) => value !== null);
  const from = startOfBars(Math.min(1, ...known));
  const rows = labels.map((label, i) => {
    const images = confusion[i].reduce((sum, n) => sum + n, 0);
    return element("tr", {}, element("th", { scope: "row" }, label), barCell("precision", precision[i], from), barCell("recall", recall[i], from), element("td", {}, count(images)));
  });
  byId("judge-labels").replaceChildren(...rows);
  setText(byId("judge-labels-scale"), t("The bars range from {from} to {to}.", { from: percent(from, 0), to: percent(1, 0) }));
}

/** The start of the bars' scale: a round tenth below the smallest, so that differences are visible. */
export const startOfBars = (least) => (least >= 0.95 ? 0.9 : least >= 0.85 ? 0.8 : least >= 0.55 ? 0.5 : 0);

function barCell(kind, value, from) {
  const bar = element("span", { class: "label-bar", "data-kind": kind, "aria-hidden": "true" }, element("span"));
  bar.firstElementChild.style.width = `${value === null ? 0 : Math.max(0, (value - from) / (1 - from)) * 100}%`;
  return element("td", {}, element("span", { class: "label-value" }, bar, element("span", {}, percent(value, 1))));
}
