// One unit with two inputs: products, sum and activation.

import { get } from "../../api/client.js";
import { t } from "../../i18n/translate.js";
import { choice, row, short, slider, table } from "../../lib/controls.js";
import { element, setText } from "../../lib/dom.js";
import { debounced } from "../../lib/latest.js";
import { nameOf } from "./part-names.js";

const START = { x1: 1, x2: 0.5, w1: 0.8, w2: -0.6, b: -0.2 };
const ACTIVATIONS = ["identity", "step", "relu", "sigmoid", "tanh"];

export async function mountUnit(body, busy) {
  const ask = debounced((signal) => busy(() => load(signal)));
  const range = { min: -3, max: 3, step: 0.1 };
  const names = { x1: t("input x₁"), x2: t("input x₂"), w1: t("weight w₁"), w2: t("weight w₂"), b: t("bias b") };
  const sliders = Object.fromEntries(Object.entries(START).map(([key, value]) => [key, slider(names[key], { ...range, value }, ask)]));
  const activation = choice(t("Activation"), ACTIVATIONS.map((type) => [type, nameOf(type)]), "sigmoid", ask);
  const numbers = table(t("From the inputs to the output"), [t("step"), t("value"), t("how")]);
  const said = element("p", { class: "figure-verdict", role: "status" });
  body.replaceChildren(row(...Object.values(sliders).map(({ node }) => node)), row(activation.node), numbers.node, said);

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
    setText(said, t("The unit says {output}.", { output: short(found.output) }));
  }

  await load();
}
