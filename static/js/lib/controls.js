// Controls of interactive figures: choices, sliders, buttons, tables, a player; and their number format.

import { element, setText } from "./dom.js";

let count = 0;

/** A number with four digits, in scientific notation if it is very small or large. */
export function short(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 0.001 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replaceAll("-", "−");
}

/** A row of controls. */
export const row = (...nodes) => element("div", { class: "figure-row" }, ...nodes);

/** A choice among `options`, `[[value, text], ...]`. Returns `{node, value()}`. */
export function choice(label, options, value, onChange) {
  const field = element("select", { autocomplete: "off" }, ...options.map(([key, text]) => element("option", { value: key, selected: key === value }, text)));
  field.addEventListener("change", onChange);
  return { node: element("label", { class: "figure-field" }, element("span", {}, label), field), value: () => field.value };
}

/** A slider with its value. Returns `{node, value(), set(value)}`; `onInput` is called on every move. */
export function slider(label, { min, max, step, value, show = short }, onInput) {
  count += 1;
  const id = `slider-${count}`;
  const field = element("input", { type: "range", id, min, max, step, value, autocomplete: "off" });
  const output = element("output", { for: id });
  const say = () => {
    const text = show(Number(field.value));
    setText(output, text);
    field.setAttribute("aria-valuetext", text);
  };
  field.addEventListener("input", () => {
    say();
    onInput();
  });
  say();
  return {
    node: element("div", { class: "figure-field figure-slider" }, element("label", { for: id }, label), field, output),
    field,
    value: () => Number(field.value),
    set: (next) => {
      field.value = next;
      say();
    },
  };
}

/** A button. */
export function button(label, onClick, kind = "") {
  const node = element("button", { type: "button", class: `button ${kind}`.trim() }, label);
  node.addEventListener("click", onClick);
  return node;
}

/** A table: `heads` are texts, a row is a list of texts or nodes, with its name first. Returns `{node, show(rows)}`. */
export function table(label, heads) {
  const body = element("tbody");
  const head = element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text))));
  const node = element("div", { class: "scroll-x", tabindex: "0", role: "group", "aria-label": label }, element("table", { class: "figure-table" }, head, body));
  const show = (rows) => body.replaceChildren(...rows.map(([first, ...rest]) => element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, cell)))));
  return { node, body, show };
}

/** Buttons to play, step and reset. `go(at)` shows position `at` of `count()`. Returns `{node, set(at), stop(), at(), isPlaying()}`; it stops at the last position. */
export function player({ count: places, go, milliseconds, words }) {
  let [at, timer] = [0, 0];
  const play = button(words.play, () => (timer === 0 ? start() : stop()), "strong");
  const step = button(words.step, () => {
    stop();
    set(at + 1);
  });
  const end = button(words.end, () => {
    stop();
    set(places() - 1);
  });
  const reset = button(words.reset, () => {
    stop();
    set(0);
  });

  function start() {
    if (at >= places() - 1) set(0);
    setText(play, words.pause);
    timer = setInterval(() => {
      if (at + 1 >= places() - 1) stop();
      set(at + 1);
    }, milliseconds);
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    setText(play, words.play);
  }

  function set(next) {
    at = Math.max(0, Math.min(places() - 1, next));
    step.disabled = end.disabled = at >= places() - 1;
    go(at);
  }

  return { node: row(play, step, end, reset), set, stop, at: () => at, isPlaying: () => timer !== 0 };
}
