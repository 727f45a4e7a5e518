// The backward pass: the loss, y − t, the gradient of every layer, and the chain rule for one neuron.

import { createCells } from "../../charts/heatmap.js";
import { num, signed } from "../../charts/heatmap-data.js";
import { t } from "../../i18n/translate.js";
import { layerName, parameterName, placeName, typeName, unitName } from "../../labels/layer-text.js";
import { byId, element, setText } from "../../lib/dom.js";
import { createLayers } from "./layers.js";

/** Binds the part; `onChoose(layer, unit)` is called with the unit to explain. */
export function createBackward({ onChoose }) {
  const layers = createLayers(byId("gradients"), { onChoose });

  function show(answer, labels) {
    byId("backward-empty").hidden = true;
    byId("backward-body").hidden = false;
    const { loss, rows } = answer;
    const line = byId("loss-line");
    setText(line, t("Loss: {value} ({kind})", { value: num(loss.value), kind: lossName(loss) }));
    line.dataset.loss = loss.value;
    setText(byId("rows-note"), rowsNote(loss));
    const most = Math.max(...rows.map(({ gradient }) => Math.abs(gradient)));
    byId("rows").replaceChildren(...rows.map((row) => tableRow(row, most, row.label === answer.label)));
    byId("straight-through").hidden = !answer.straight_through;
    layers.show([...answer.layers].reverse(), { labels, words: false, facts: gradientFacts });
  }

  return {
    show,
    showDelta,
    mark: layers.mark,
    clear() {
      byId("backward-empty").hidden = false;
      byId("backward-body").hidden = true;
    },
  };
}

const lossName = ({ type, label_smoothing: smoothing, named }) => {
  if (!named) return t("cross-entropy, as the model does not record its training loss");
  if (type !== "cross_entropy") return t("squared error, as in this network's training");
  return smoothing > 0 ? t("plain cross-entropy; its training smoothed the labels by {smoothing}, which is left out here", { smoothing: num(smoothing) }) : t("cross-entropy, as in this network's training");
};

const rowsNote = ({ type, value }) =>
  type === "cross_entropy"
    ? t("y is the probability after softmax, t the target (1 for the true label). Their difference is the gradient at the logits, where the backward pass starts. The loss {value} is −log of the true label's y.", { value: num(value) })
    : t("y is what the network gives, t the target (1 for the true label). The loss {value} is half the sum of all (y − t)², and y − t its gradient.", { value: num(value) });

function tableRow({ label, said, target, gradient }, most, stressed) {
  const half = most > 0 ? (Math.abs(gradient) / most) * 50 : 0;
  const fill = element("span", { "data-minus": gradient < 0 });
  fill.style.width = `${half}%`;
  fill.style.left = gradient < 0 ? `${50 - half}%` : "50%";
  const bar = element("td", { "aria-hidden": "true" }, element("span", { class: "signed" }, fill));
  return element("tr", { "data-stressed": stressed, "data-gradient": gradient }, ...[label, num(said), num(target), signed(gradient)].map((text) => element("td", {}, text)), bar);
}

function gradientFacts({ norm, parameters }) {
  const weights = parameters.map(({ name, norm: length }) => `${parameterName(name)} ${num(length)}`).join(", ");
  return weights === "" ? t("norm {norm}", { norm: num(norm) }) : t("norm {norm}; of its parameters: {weights}", { norm: num(norm), weights });
}

/** Shows an answer of /api/explain/delta; `type` is the type of its layer. */
function showDelta(answer, { type, labels, shape }) {
  const unit = shape.length === 1 ? unitName(answer.unit, shape, labels) : placeName(answer.place);
  setText(byId("delta-where"), t("{layer}, {unit}", { layer: layerName({ index: answer.layer, type }), unit }));
  const parts = [];
  if (answer.next === null) parts.push(element("p", {}, t("It is an output: its gradient comes from the loss itself, {value}.", { value: num(answer.sum) })));
  else parts.push(...sum(answer));
  for (const { type: kind, slope } of answer.slopes) {
    const words = kind === "step" ? t("times {slope}: the step function passes the gradient straight through", { slope: num(slope) }) : t("times the slope of {name} here: {slope}", { name: typeName(kind), slope: num(slope) });
    parts.push(element("p", { "data-slope": slope }, words));
  }
  const factors = [num(answer.sum), ...answer.slopes.map(({ slope }) => num(slope))];
  const product = factors.length > 1 ? `δ = ${factors.join(" × ")} = ` : "δ = ";
  parts.push(element("p", { class: "neuron-sum", "data-delta": answer.delta }, product, element("strong", {}, num(answer.delta))));
  parts.push(element("p", { class: "field-note" }, t("δ (delta) is how the loss changes with this neuron's z.")));
  if (answer.weights !== null) parts.push(...weights(answer));
  byId("delta-body").replaceChildren(...parts);
  if (answer.weights !== null) {
    const picture = answer.weights.picture;
    createCells(byId("delta-weights"), { label: t("The gradient of its weights"), name: (index) => unitName(index, picture.shape) }).show(picture);
  }
}

function sum({ next, terms, others, sum: total }) {
  const rows = terms.map((term) => element("tr", { "data-product": term.product }, ...[placeName(term.place), num(term.weight), "×", num(term.delta), "=", signed(term.product)].map((text) => element("td", {}, text))));
  const head = [t("neuron there"), t("weight"), "×", "δ", "=", t("product")].map((text) => element("th", { scope: "col" }, text));
  return [
    element("p", {}, t("Its δ comes from {layer}: each neuron there passes back its own δ times the weight between the two.", { layer: layerName({ index: next.layer, type: next.type }) })),
    element("div", { class: "scroll-x", tabindex: 0, role: "group", "aria-label": t("Terms of the sum") }, element("table", { class: "numbers-table" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows))),
    element("p", { "data-sum": total }, t("With the other {count} ({rest}) they add up to {sum}.", { count: others.count, rest: num(others.sum), sum: num(total) })),
  ];
}

function weights({ weights: { norm, bias, shared, largest }, delta }) {
  const first = largest[0];
  const text = shared
    ? t("A filter is used at every place: its gradient is the sum of x · δ over all of them. That of the bias is {bias}; the norm of all is {norm}.", { bias: num(bias), norm: num(norm) })
    : t("The gradient of each of its weights is x · δ, the input times δ. That of the bias is δ itself, {bias}; the norm of all is {norm}.", { bias: num(bias), norm: num(norm) });
  const example = shared || first === undefined ? null : element("p", {}, t("The largest: {place}, {x} × {delta} = {product}", { place: placeName(first.place), x: num(first.value), delta: num(delta), product: num(first.product) }));
  return [element("p", {}, text), example, element("div", { id: "delta-weights" })].filter((part) => part !== null);
}
