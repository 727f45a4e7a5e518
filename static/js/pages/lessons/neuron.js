// One unit with two inputs: products, sum and activation, as a drawing and as a table.

import { get } from "../../api/client.js";
import { t } from "../../i18n/translate.js";
import { choice, row, short, slider, table } from "../../lib/controls.js";
import { element, setText } from "../../lib/dom.js";
import { debounced } from "../../lib/latest.js";
import { bindNumber, sayResult } from "./numbers.js";
import { nameOf } from "./part-names.js";

const START = { x1: 1, x2: 0.5, w1: 0.8, w2: -0.6, b: -0.2 };
const SVG = "http://www.w3.org/2000/svg";
const INPUTS = [54, 176]; // heights in the drawing, which is 500 × 230
const WIDEST = 9; // of a line, for a weight of 3
const WRITTEN = { relu: "ReLU" }; // the name of an activation in a formula, where it is not its type
const ACTIVATIONS = ["identity", "step", "relu", "sigmoid", "tanh"];

export async function mountUnit(body, busy) {
  const ask = debounced((signal) => busy(() => load(signal)));
  const range = { min: -3, max: 3, step: 0.1 };
  const names = { x1: t("input x₁"), x2: t("input x₂"), w1: t("weight w₁"), w2: t("weight w₂"), b: t("bias b") };
  const sliders = Object.fromEntries(Object.entries(START).map(([key, value]) => [key, slider(names[key], { ...range, value }, ask)]));
  for (const [key, { field }] of Object.entries(sliders)) bindNumber(key, field);
  const activation = choice(t("Activation"), ACTIVATIONS.map((type) => [type, nameOf(type)]), "sigmoid", ask);
  const numbers = table(t("From the inputs to the output"), [t("step"), t("value"), t("how")]);
  const said = element("p", { class: "figure-verdict", role: "status" });
  const picture = element("div", { class: "unit-picture" });
  const controls = row(...Object.values(sliders).map(({ node }) => node), activation.node);
  body.replaceChildren(element("div", { class: "unit-pair" }, controls, picture, numbers.node, said));

  async function load(signal) {
    const values = Object.fromEntries(Object.entries(sliders).map(([key, { value }]) => [key, value()]));
    const found = await get(`/api/explain/unit?${new URLSearchParams({ ...values, activation: activation.value() })}`);
    if (signal?.aborted) return;
    sayResult("sum", short(found.sum));
    sayResult("output", short(found.output));
    const name = WRITTEN[activation.value()] ?? activation.value();
    const cell = (key, value) => element("span", { "data-unit": key }, short(value));
    const times = (x, w) => `${short(values[x])} × ${short(values[w])}`;
    const [first, second] = found.products;
    numbers.show([
      [t("first product"), cell("first", first), times("x1", "w1")],
      [t("second product"), cell("second", second), times("x2", "w2")],
      [t("sum with the bias"), cell("sum", found.sum), `${short(first)} + ${short(second)} + ${short(values.b)}`],
      [t("output"), cell("output", found.output), `${name}(${short(found.sum)})`],
    ]);
    picture.replaceChildren(drawUnit({ ...values, ...found, name }));
    setText(said, t("The unit says {output}.", { output: short(found.output) }));
  }

  await load();
}

function shape(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/** The unit as a drawing: a line is as thick as its weight, and dashed where that is below zero. */
function drawUnit({ x1, x2, w1, w2, b, products, sum, output, name }) {
  const label = t("A unit: {x1} × {w1} plus {x2} × {w2} plus the bias {b} makes {sum}; {name} makes that {output}.", { x1: short(x1), w1: short(w1), x2: short(x2), w2: short(w2), b: short(b), sum: short(sum), name, output: short(output) });
  const svg = shape("svg", { viewBox: "0 0 500 230", role: "img", "aria-label": label });
  const text = (x, y, words, kind = "") => shape("text", { x, y, class: kind, "text-anchor": "middle" }, words);
  for (const [i, [x, w]] of [[x1, w1], [x2, w2]].entries()) {
    const y = INPUTS[i];
    svg.append(
      shape("line", { x1: 68, y1: y, x2: 230, y2: 115, class: w < 0 ? "minus" : "plus", "stroke-width": Math.max(0.5, (Math.abs(w) / 3) * WIDEST) }),
      shape("circle", { cx: 40, cy: y, r: 30 }),
      text(40, y + 6, short(x)),
      text(40, i === 0 ? y - 38 : y + 50, `x${"₁₂"[i]}`, "soft"),
      text(150, i === 0 ? 48 : 196, `× ${short(w)} = ${short(products[i])}`),
    );
  }
  svg.append(
    shape("line", { x1: 250, y1: 186, x2: 250, y2: 150, class: b < 0 ? "minus" : "plus", "stroke-width": Math.max(0.5, (Math.abs(b) / 3) * WIDEST) }),
    text(268, 208, `b = ${short(b)}`),
    shape("line", { x1: 284, y1: 115, x2: 322, y2: 115, class: "flow" }),
    shape("circle", { cx: 250, cy: 115, r: 34 }),
    text(250, 68, t("sum"), "soft"),
    text(250, 121, short(sum)),
    shape("rect", { x: 322, y: 91, width: 82, height: 48, rx: 10 }),
    text(363, 121, name),
    shape("line", { x1: 404, y1: 115, x2: 430, y2: 115, class: "flow" }),
    shape("circle", { cx: 464, cy: 115, r: 34, class: "output" }),
    text(464, 121, short(output), "strong"),
    text(464, 68, t("output"), "soft"),
  );
  return svg;
}
