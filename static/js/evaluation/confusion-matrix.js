// The confusion matrix: rows are true labels, columns predictions. A cell shows its images.

import { count, percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { byId, element, setText } from "../lib/dom.js";

const DARKEST = 34; // per cent of ink in a cell, which keeps its number legible

/**
 * Binds the matrix of the page. `show(labels, confusion)` fills it; `onCell({truth, said, count})` gets a pressed cell,
 * with the labels' indices.
 */
export function createMatrix(onCell) {
  const table = byId("judge-matrix");
  let labels = [];
  let confusion = [];
  let at = [0, 0]; // the focusable cell

  function show(nextLabels, nextConfusion) {
    [labels, confusion] = [nextLabels, nextConfusion];
    at = [0, 0];
    const head = element("tr", { role: "row" }, element("th", { scope: "col", role: "columnheader" }, element("span", { class: "visually-hidden" }, t("true ↓ / answer →"))), ...labels.map((label) => element("th", { scope: "col", role: "columnheader" }, label)));
    const rows = confusion.map((row, truth) => element("tr", { role: "row" }, element("th", { scope: "row", role: "rowheader" }, labels[truth]), ...row.map((_, said) => cellOf(truth, said))));
    table.replaceChildren(element("thead", { role: "rowgroup" }, head), element("tbody", { role: "rowgroup" }, ...rows));
    table.classList.toggle("many", labels.length > 12);
    fill();
  }

  const cellOf = (truth, said) => element("td", { role: "gridcell", tabindex: -1, "data-truth": truth, "data-said": said, "data-right": truth === said });

  const cell = (truth, said) => table.querySelector(`[data-truth="${truth}"][data-said="${said}"]`);

  /** Writes counts or shares, and shades the cells. */
  function fill() {
    const isShare = document.querySelector("input[name=judge-matrix]:checked").value === "shares";
    const sums = confusion.map((row) => row.reduce((sum, n) => sum + n, 0));
    const value = (truth, said) => (isShare ? confusion[truth][said] / (sums[truth] || 1) : confusion[truth][said]);
    const mistakes = confusion.flatMap((row, truth) => row.map((_, said) => (truth === said ? 0 : value(truth, said))));
    const most = Math.max(...mistakes, Number.MIN_VALUE);
    confusion.forEach((row, truth) =>
      row.forEach((n, said) => {
        const node = cell(truth, said);
        const share = truth === said ? 0.6 : value(truth, said) / most;
        node.style.setProperty("--share", `${n === 0 ? 0 : Math.max(4, Math.sqrt(share) * DARKEST)}%`);
        setText(node, n === 0 ? "·" : isShare ? shareText(value(truth, said)) : n < 10_000 ? String(n) : count(n));
        node.setAttribute("aria-label", cellWords({ truth: labels[truth], said: labels[said], count: n, share: n / (sums[truth] || 1) }));
        node.tabIndex = truth === at[0] && said === at[1] ? 0 : -1;
      }),
    );
    setText(byId("judge-matrix-unit"), isShare ? t("Cells: percent of the row.") : t("Cells: number of images."));
  }

  function move(truth, said) {
    cell(...at).tabIndex = -1;
    at = [truth, said];
    const node = cell(truth, said);
    node.tabIndex = 0;
    node.focus();
  }

  function press(node) {
    const [truth, said] = [Number(node.dataset.truth), Number(node.dataset.said)];
    move(truth, said);
    mark(node);
    onCell({ truth, said, count: confusion[truth][said] });
  }

  function mark(node) {
    table.querySelector("[aria-selected]")?.removeAttribute("aria-selected");
    node?.setAttribute("aria-selected", "true");
  }

  table.addEventListener("click", ({ target }) => {
    const node = target.closest("[role=gridcell]");
    if (node !== null) press(node);
  });
  table.addEventListener("keydown", (event) => {
    const last = labels.length - 1;
    const [truth, said] = at;
    const steps = { ArrowUp: [truth - 1, said], ArrowDown: [truth + 1, said], ArrowLeft: [truth, said - 1], ArrowRight: [truth, said + 1], Home: [truth, 0], End: [truth, last] };
    if (event.key === "Enter" || event.key === " ") press(cell(...at));
    else if (event.key in steps) move(...steps[event.key].map((index) => Math.min(last, Math.max(0, index))));
    else return;
    event.preventDefault();
  });
  for (const choice of document.querySelectorAll("input[name=judge-matrix]")) choice.addEventListener("change", fill);

  return { show, clearMark: () => mark(null) };
}

const shareText = (share) => (share >= 0.9995 ? "100" : (share * 100).toFixed(share < 0.0995 ? 1 : 0));

function cellWords({ truth, said, count: n, share }) {
  const values = { truth, said, count: count(n), share: percent(share) };
  return truth === said ? t("{truth} read correctly as {said}: {count} images, {share} of all {truth}", values) : t("{truth} mistaken for {said}: {count} images, {share} of all {truth}", values);
}
