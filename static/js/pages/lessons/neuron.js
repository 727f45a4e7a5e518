// One unit with two inputs: products, sum and activation, as a drawing and as a table.

import { get } from "../../api/client.js";
import { t } from "../../i18n/translate.js";
import { choice, row, short, slider, table } from "../../lib/controls.js";
import { element, setText } from "../../lib/dom.js";
import { debounced } from "../../lib/latest.js";
import { nameOf } from "./part-names.js";

const START = { x1: 1, x2: 0.5, w1: 0.8, w2: -0.6, b: -0.2 };
const SVG = "http://www.w3.org/2000/svg";
const INPUTS = [{ y: 52 }, { y: 168 }]; // of the drawing, which is 460 × 220
const WIDEST = 9; // of a line, for a weight of 3
const ACTIVATIONS = ["identity", "step", "relu", "sigmoid", "tanh"];

export async function mountUnit(body, busy) {
  const ask = debounced((signal) => busy(() => load(signal)));
  const range = { min: -3, max: 3, step: 0.1 };
  const names = { x1: t("input x₁"), x2: t("input x₂"), w1: t("weight w₁"), w2: t("weight w₂"), b: t("bias b") };
  const sliders = Object.fromEntries(Object.entries(START).map(([key, value]) => [key, slider(names[key], { ...range, value }, ask)]));
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
    const cell = (key, value) => element("span", { "data-unit": key }, short(value));
    const times = (x, w) => `${short(values[x])} × ${short(values[w])}`;
    const [first, second] = found.products;
    numbers.show([
      [t("first product"), cell("first", first), times("x1", "w1")],
      [t("second product"), cell("second", second), times("x2", "w2")],
      [t("sum with the bias"), cell("sum", found.sum), `${short(first)} + ${short(second)} + ${short(values.b)}`],
      [t("output"), cell("output", found.output), `${nameOf(activation.value())}(${short(found.sum)})`],
    ]);
    picture.replaceChildren(drawUnit({ ...values, ...found, name: nameOf(activation.value()) }));
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
  const svg = shape("svg", { viewBox: "0 0 460 220", role: "img", "aria-label": label });
  const text = (x, y, words, kind = "") => shape("text", { x, y, class: kind, "text-anchor": "middle" }, words);
  for (const [i, [x, w]] of [[x1, w1], [x2, w2]].entries()) {
    const { y } = INPUTS[i];
    svg.append(
      shape("line", { x1: 66, y1: y, x2: 216, y2: 110, class: w < 0 ? "minus" : "plus", "stroke-width": Math.max(0.5, (Math.abs(w) / 3) * WIDEST) }),
      shape("circle", { cx: 40, cy: y, r: 27 }),
      text(40, y + 5, short(x)),
      text(40, i === 0 ? y - 34 : y + 44, `x${"₁₂"[i]}`, "soft"),
      text(146, i === 0 ? 56 : 180, `× ${short(w)} = ${short(products[i])}`),
    );
  }
  svg.append(
    shape("line", { x1: 240, y1: 178, x2: 240, y2: 140, class: b < 0 ? "minus" : "plus", "stroke-width": 2 }),
    text(240, 198, `b = ${short(b)}`),
    shape("line", { x1: 270, y1: 110, x2: 316, y2: 110, class: "flow" }),
    shape("circle", { cx: 240, cy: 110, r: 30 }),
    text(240, 66, t("sum"), "soft"),
    text(240, 115, short(sum)),
    shape("rect", { x: 308, y: 88, width: 76, height: 44, rx: 10 }),
    text(346, 115, name),
    shape("line", { x1: 384, y1: 110, x2: 404, y2: 110, class: "flow" }),
    shape("circle", { cx: 430, cy: 110, r: 29, class: "output" }),
    text(430, 115, short(output), "strong"),
    text(430, 66, t("output"), "soft"),
  );
  return svg;
}
