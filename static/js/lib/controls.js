// Controls of live figures: choices, sliders, buttons, tables, a player; and how figures say their numbers.

import { element, setText } from "./dom.js";

let count = 0;

/** Four digits of a number, in powers of ten where that would show nothing. */
export function short(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 0.001 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replaceAll("-", "−");
}

/** A row of controls. */
export const row = (...nodes) => element("div", { class: "figure-row" }, ...nodes);

/** A choice among `options`, `[[value, text], ...]`. Gives `{node, value()}`. */
export function choice(label, options, value, onChange) {
  const field = element("select", { autocomplete: "off" }, ...options.map(([key, text]) => element("option", { value: key, selected: key === value }, text)));
  field.addEventListener("change", onChange);
  return { node: element("label", { class: "figure-field" }, element("span", {}, label), field), value: () => field.value };
}

/** A slider with its value beside it. Gives `{node, value(), set(value)}`; `onInput` comes at every move. */
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

/** A table: `heads` are texts, a row is a list of texts or nodes, the first of which names it. Gives `{node, show(rows)}`. */
export function table(label, heads) {
  const body = element("tbody");
  const head = element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text))));
  const node = element("div", { class: "scroll-x", tabindex: "0", role: "group", "aria-label": label }, element("table", { class: "figure-table" }, head, body));
  const show = (rows) => body.replaceChildren(...rows.map(([first, ...rest]) => element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, cell)))));
  return { node, body, show };
}

/** Play, one step, back to the beginning. `go(at)` shows place `at` of `count()`. Gives `{node, set(at), stop(), at(), isPlaying()}`; when the last place is shown it no longer plays. */
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
