// One bar and one percentage for every label.

import { NOTHING, percent } from "../i18n/format.js";
import { element, setText } from "../lib/dom.js";

const MANY = 12; // labels, from which there are two columns
const WIDEST = 10; // the most characters of a label

/** Rebuilds the bars if the labels have changed. */
export function ensureBars(list, labels) {
  const shown = [...list.children].map((bar) => bar.dataset.label);
  if (shown.length !== labels.length || shown.some((label, i) => label !== labels[i])) {
    list.replaceChildren(...labels.map(createBar));
  }
  list.toggleAttribute("data-many", labels.length > MANY);
  const widest = Math.max(1, ...labels.map((label) => [...label].length));
  list.style.setProperty("--label-width", `${Math.min(WIDEST, widest) + 0.5}ch`);
}

/** Shows the probabilities; `winner` is the highlighted label. */
export function showBars(list, probabilities, winner) {
  for (const bar of list.children) {
    const value = probabilities[bar.dataset.label] ?? 0;
    showBar(bar, value, percent(value), bar.dataset.label === winner);
  }
}

/** Shows empty bars. */
export function clearBars(list) {
  for (const bar of list.children) showBar(bar, 0, NOTHING, false);
}

function showBar(bar, value, text, wins) {
  bar.dataset.value = value;
  bar.toggleAttribute("data-winner", wins);
  bar.querySelector(".bar-fill").style.width = `${value * 100}%`;
  setText(bar.querySelector(".bar-value"), text);
}

const createBar = (label) =>
  element(
    "li",
    { class: "bar", "data-label": label, "data-value": 0 },
    element("span", { class: "bar-label", title: label }, label),
    element("span", { class: "bar-track", "aria-hidden": "true" }, element("span", { class: "bar-fill" })),
    element("span", { class: "bar-value" }, NOTHING),
  );
