// Pictures of 28×28 in a grid, an enlarged view, and the counts of the labels.

import { count } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { createBitmap, fromBase64, paintBytes } from "../../images/bitmap.js";
import { closeBeside } from "../../lib/dialog.js";
import { byId, element, setText } from "../../lib/dom.js";
import { rove } from "../../lib/roving-focus.js";

/** Creates the grid; a picture is `{label, pixels, ...}`. `onOpen(picture, place)` is called to enlarge one. */
export function createGrid({ onOpen }) {
  const grid = byId("grid");
  const refresh = rove(grid);

  function cell(picture, place) {
    const name = t("{label}, image {number}: enlarge", { label: picture.label, number: place + 1 });
    const button = element("button", { class: "cell", type: "button", "aria-label": name, "data-place": place }, createBitmap(fromBase64(picture.pixels)), element("span", { "aria-hidden": "true" }, picture.label));
    button.addEventListener("click", () => onOpen(place));
    return element("li", {}, button);
  }

  return {
    show(pictures, first = 0) {
      grid.replaceChildren(...pictures.map((picture, i) => cell(picture, first + i)));
      refresh();
    },
    showNothing(...children) {
      grid.replaceChildren(element("li", { class: "grid-empty blank-slate card" }, ...children));
    },
  };
}

/** Shows the count of each label as a bar that filters; `chosen` is a label or null, as is the argument of `onChoose`. */
export function showBalance(counts, chosen, onChoose) {
  const list = byId("balance");
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.label : null;
  const most = Math.max(1, ...Object.values(counts));
  const longest = Math.max(...Object.keys(counts).map((label) => [...label].length));
  list.style.setProperty("--label-width", `${Math.min(7, Math.max(1.5, longest))}em`);
  list.replaceChildren(
    ...Object.entries(counts).map(([label, number]) => {
      const fill = element("span", { class: "balance-fill" });
      fill.style.width = `${(100 * number) / most}%`;
      const name = number === 1 ? t("{label}: 1 image", { label }) : t("{label}: {count} images", { label, count: count(number) });
      const row = element(
        "button",
        { class: "balance-row", type: "button", "data-label": label, "aria-pressed": String(label === chosen), "aria-label": name },
        element("span", { class: "balance-label" }, label),
        element("span", { class: "balance-track", "aria-hidden": "true" }, fill),
        element("span", { class: "balance-count" }, count(number)),
      );
      row.addEventListener("click", () => onChoose(label === chosen ? null : label));
      return element("li", {}, row);
    }),
  );
  if (focused !== null) [...list.querySelectorAll("button")].find(({ dataset }) => dataset.label === focused)?.focus();
}

/**
 * Creates the dialog of an enlarged picture. `pictures()` returns the list to page through; a picture with an `id` is a
 * drawing, which `onRelabel(picture, label)` relabels and `onDelete(picture)` removes.
 */
export function createLarge({ pictures, titleOf, textOf, onRelabel, onDelete }) {
  const dialog = byId("zoom-dialog");
  const form = byId("relabel");
  const input = byId("relabel-label");
  const error = byId("relabel-error");
  let place = 0;
  let current = null; // the visible picture; the list behind the dialog may change

  const picture = () => pictures()[place];

  function show() {
    current = picture();
    const { label, pixels, id } = current;
    paintBytes(byId("zoom-picture"), fromBase64(pixels));
    setText(byId("zoom-title"), titleOf(picture(), place));
    setText(byId("zoom-text"), textOf(picture()));
    setText(error, "");
    form.hidden = byId("delete-drawing").hidden = id === undefined;
    input.value = label;
    byId("zoom-previous").disabled = place === 0;
    byId("zoom-next").disabled = place === pictures().length - 1;
  }

  function step(by) {
    if (pictures()[place + by] === undefined) return;
    place += by;
    show();
  }

  byId("zoom-previous").addEventListener("click", () => step(-1));
  byId("zoom-next").addEventListener("click", () => step(1));
  dialog.addEventListener("keydown", (event) => {
    if (event.target === input) return;
    if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
  });
  closeBeside(dialog);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    setText(error, "");
    try {
      await onRelabel(current, input.value);
      dialog.close();
    } catch (failure) {
      setText(error, failure.message);
      input.focus();
    }
  });
  byId("delete-drawing").addEventListener("click", () => {
    dialog.close();
    onDelete(current);
  });

  return function open(at) {
    place = at;
    show();
    dialog.showModal();
  };
}
