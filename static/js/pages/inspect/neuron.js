// One neuron: inputs, weights, products, sum, bias, and the curve of its activation.

import { createCells } from "../../charts/heatmap.js";
import { num, signed } from "../../charts/heatmap-data.js";
import { curve } from "../../charts/sparkline.js";
import { t } from "../../i18n/translate.js";
import { layerName, placeName, typeName, unitName } from "../../labels/layer-text.js";
import { byId, element, setText } from "../../lib/dom.js";

/** Binds the card; `show(answer, labels)` shows an answer of /api/explain/neuron, `clear()` empties it. */
export function createNeuron() {
  const steps = byId("neuron-steps");
  const where = byId("neuron-where");

  return {
    show(answer, labels) {
      const name = answer.shape.length === 1 ? unitName(answer.unit, answer.shape, labels) : placeName(answer.place);
      setText(where, t("{layer}, {unit}", { layer: layerName({ index: answer.layer, type: answer.steps.find(({ layer }) => layer === answer.layer).type }), unit: name }));
      steps.replaceChildren(...answer.steps.map((step) => element("div", { class: "neuron-step", "data-layer": step.layer, "data-output": step.output }, element("h4", {}, layerName({ index: step.layer, type: step.type })), ...contents(step))));
      for (const draw of pending.splice(0)) draw();
    },
    clear() {
      setText(where, t("Click a cell of a layer."));
      steps.replaceChildren();
    },
  };
}

const pending = []; // heatmaps to draw once their elements are in the page

function contents(step) {
  if (step.bias !== undefined) return weighted(step);
  if (step.up !== undefined) return pooled(step);
  if (step.outputs !== undefined) return softmax(step);
  if (step.curve !== undefined) return activation(step);
  if (step.gamma !== undefined) return normalized(step);
  const text = step.type === "dropout" ? t("During training, {rate} of 100 units are dropped here at random; now all pass: {value}.", { rate: num(step.rate * 100), value: num(step.output) }) : t("It passes unchanged: {value}.", { value: num(step.output) });
  return [element("p", {}, text)];
}

function weighted(step) {
  const pair = element("div", { class: "pair" }, figure(step.inputs, t("its input")), figure(step.weights, t("its weights")));
  const sum = t("sum of products {sum}, plus the bias {bias}, makes {z}", { sum: num(step.sum), bias: num(step.bias), z: num(step.output) });
  return [
    pair,
    element("p", { class: "neuron-sum", "data-sum": step.sum, "data-bias": step.bias, "data-z": step.output }, `z = ${num(step.sum)} ${step.bias < 0 ? "−" : "+"} ${num(Math.abs(step.bias))} = `, element("strong", {}, num(step.output))),
    element("p", { class: "field-note" }, t("In words: {sum}. This z is the pre-activation.", { sum })),
    products(t("What pushes it up"), step.up),
    products(t("What pushes it down"), step.down),
    element("p", { class: "field-note" }, t("The other {count} products add up to {sum}; {zero} are zero.", { count: step.others.count, sum: num(step.others.sum), zero: step.zero })),
  ];
}

function products(title, rows) {
  if (rows.length === 0) return element("p", { class: "field-note" }, t("{title}: nothing.", { title }));
  const head = [t("input"), t("value"), "×", t("weight"), "=", t("product")].map((text) => element("th", { scope: "col" }, text));
  const body = rows.map(({ place, value, weight, product }) =>
    element("tr", { "data-product": product }, ...[placeName(place), num(value), "×", num(weight), "=", signed(product)].map((text) => element("td", {}, text))),
  );
  return element(
    "details",
    { open: true },
    element("summary", {}, title),
    element("div", { class: "scroll-x", tabindex: 0, role: "group", "aria-label": title }, element("table", { class: "numbers-table" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body))),
  );
}

const pooled = (step) => [
  element("p", {}, step.type === "max_pool2d" ? t("The largest of its window: {value}.", { value: num(step.output) }) : t("The mean of its window: {value}.", { value: num(step.output) })),
  products(t("In the window"), [...step.up, ...step.down]),
];

function softmax(step) {
  const { labels, logits, exponentials, sum, probabilities } = step.outputs;
  const at = labels.indexOf(step.label);
  return [element("p", {}, t("e to the power of its logit {z} (minus the largest, {largest}) is {exponential}; divided by the sum of all, {sum}, that is {probability}.", { z: num(logits[at]), largest: num(step.outputs.largest), exponential: num(exponentials[at]), sum: num(sum), probability: num(probabilities[at]) }))];
}

function activation(step) {
  const { x, y, slope, point, straight_through: isStraight } = step.curve;
  const label = t("{name}: at {x} it is {y}, and its slope {slope}.", { name: typeName(step.type), x: num(point.x), y: num(point.y), slope: num(point.slope) });
  return [
    element("p", { class: "neuron-sum", "data-x": point.x, "data-y": point.y }, `${typeName(step.type)}(${num(point.x)}) = `, element("strong", {}, num(step.output))),
    curve({ lines: [{ x, y: slope, kind: "slope" }, { x, y, kind: "line" }], point, label, xName: "z" }),
    element("p", { class: "field-note" }, t("The line is the activation, the point this neuron; dashed is its slope, here {slope}.", { slope: num(point.slope) })),
    isStraight ? element("p", { class: "field-note" }, t("In the backward pass, the gradient goes through it as if it were not there (“straight-through”), as a slope of zero would stop it.")) : "",
  ];
}

const normalized = ({ input, gamma, beta, running_mean: mean, running_variance: variance, epsilon, output }) => [
  element("p", { class: "neuron-sum" }, `${num(gamma)} · (${num(input)} − ${num(mean)}) / √(${num(variance)} + ${num(epsilon)}) + ${num(beta)} = `, element("strong", {}, num(output))),
  element("p", { class: "field-note" }, t("Its mean μ and variance σ² come from training; γ (gamma) and β (beta) are learned.")),
];

function figure(picture, caption) {
  const place = element("div");
  pending.push(() => createCells(place, { label: caption, name: (index) => unitName(index, picture.shape) }).show(picture));
  return element("figure", {}, place, element("figcaption", {}, caption));
}
