// Numbers in the sentences of a lesson: some are dragged and move the figure beside them, others say what it computed.

import { short } from "../../lib/controls.js";
import { setText } from "../../lib/dom.js";

const PIXELS = 5; // of a drag for each step

const places = (name) => document.querySelectorAll(`.number[data-number="${name}"]`);

/** Binds the numbers named `name` to the figure's field, an input with `min`, `max` and `step`; `step` where it has none. */
export function bindNumber(name, field, step = Number(field.step)) {
  const [least, most] = [Number(field.min), Number(field.max)];
  const show = () => {
    if (!field.validity.valid) return; // the field says so
    for (const node of places(name)) {
      setText(node, short(Number(field.value)));
      node.setAttribute("aria-valuenow", field.value);
    }
  };
  const move = (value) => {
    const steps = Math.round((Math.min(most, Math.max(least, value)) - least) / step);
    field.value = Number((least + steps * step).toPrecision(12));
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const label = field.getAttribute("aria-label") ?? field.closest(".figure-slider").querySelector("label").textContent;
  for (const node of places(name)) {
    for (const [key, value] of Object.entries({ role: "slider", tabindex: 0, "aria-valuemin": least, "aria-valuemax": most, "aria-label": label })) node.setAttribute(key, value);
    listen(node, () => Number(field.value), step, [least, most], move);
  }
  field.addEventListener("input", show);
  show();
}

function listen(node, value, step, [least, most], move) {
  let held = null; // where a drag began, and the value there
  node.addEventListener("pointerdown", (event) => {
    node.setPointerCapture(event.pointerId);
    node.focus();
    held = { x: event.clientX, value: value() };
    event.preventDefault(); // or it would select text
  });
  node.addEventListener("pointermove", ({ clientX }) => {
    if (held !== null) move(held.value + Math.round((clientX - held.x) / PIXELS) * step);
  });
  for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, () => (held = null));
  node.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    move(Number.isFinite(by) ? value() + by * step : by < 0 ? least : most);
  });
}

/** Writes what the figure computed into the sentences. */
export function sayResult(name, text) {
  for (const node of document.querySelectorAll(`.number-result[data-result="${name}"]`)) setText(node, text);
}
