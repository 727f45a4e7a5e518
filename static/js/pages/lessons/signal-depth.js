// The spread of activations and gradients in many layers of random weights.

import { get } from "../../api/client.js";
import { createLines } from "../../charts/line-chart.js";
import { t } from "../../i18n/translate.js";
import { choice, row, short, slider } from "../../lib/controls.js";
import { element, setText } from "../../lib/dom.js";
import { debounced } from "../../lib/latest.js";
import { nameOf } from "./part-names.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [140, 70];
const THINNEST = 1.5;
const SATURATED = 0.1; // the mean slope below which hardly any gradient passes

export async function mountDepth(body, busy) {
  const choices = await get("/api/explain/depth/choices");
  const named = (types) => types.map((type) => [type, nameOf(type)]);
  const ask = debounced((signal) => busy(() => load(signal)));
  const activation = choice(t("Activation"), named(choices.activations), "sigmoid", ask);
  const initializer = choice(t("Initial weights"), named(choices.initializers), "normal", ask);
  const spreads = [0.01, 0.03, 0.1, 0.3, 1];
  const std = slider(t("Spread σ of the normal distribution"), { min: 0, max: spreads.length - 1, step: 1, value: 4, show: (i) => short(spreads[i]) }, ask);
  const depth = slider(t("Layers"), { min: choices.depth[0], max: choices.depth[1], step: 1, value: 5 }, ask);
  const width = slider(t("Units in each layer"), { min: choices.width[0], max: choices.width[1], step: 10, value: 100 }, ask);
  const pictures = element("div", { class: "depth-layers" });
  const verdict = element("p", { class: "figure-verdict", role: "status" });
  const chart = createLines({ label: t("Spread in each layer"), xTitle: t("layer"), yTitle: t("spread"), readAt: t("Layer") });
  body.replaceChildren(row(activation.node, initializer.node), row(std.node, depth.node, width.node), verdict, pictures, chart.node);

  async function load(signal) {
    std.field.disabled = initializer.value() !== "normal";
    const query = { activation: activation.value(), initializer: initializer.value(), depth: depth.value(), width: width.value(), std: spreads[std.value()] };
    const { layers, straight_through: isStraight } = await get(`/api/explain/depth?${new URLSearchParams(query)}`);
    if (signal?.aborted) return;
    const [low, high] = [Math.min(...layers.map((one) => one.low)), Math.max(...layers.map((one) => one.high))];
    pictures.replaceChildren(...layers.map((one) => picture(one, low, high)));
    const x = layers.map(({ layer }) => layer);
    const line = (key, name) => ({ id: key, name, x, y: layers.map((one) => one[key]) });
    chart.show({ series: [line("spread", t("spread of the output")), line("gradient", t("spread of the gradient"))], isLog: true, wholeX: true });
    setText(verdict, verdictOn(layers, isStraight));
  }

  await load();
}

function verdictOn(layers, isStraight) {
  const [first, last] = [layers[0], layers.at(-1)];
  if (layers.length === 1) return t("Only one layer: add some more.");
  const forward = last.spread / first.spread;
  const back = first.gradient / last.gradient;
  const values = { forward: short(forward), back: short(back) };
  if (!(back > 0) || back < 0.05) return t("The gradient vanishes: in the first layer it is {back} times what it is in the last.", values);
  if (back > 20) return t("The gradient explodes: in the first layer it is {back} times what it is in the last.", values);
  if (!(forward > 0.05)) return t("The signal vanishes: in the last layer its spread is {forward} times that of the first.", values);
  if (forward > 20) return t("The signal explodes: in the last layer its spread is {forward} times that of the first.", values);
  if (isStraight) return t("The slope of the step function is 0 everywhere. Here, as in training, the gradient is passed through it as if it were not there (“straight-through”).");
  if (last.slope < SATURATED) return t("The units are saturated: in the last layer their slope is {slope} on average, so that hardly any gradient passes.", { slope: short(last.slope) });
  return t("The signal survives: its spread changes by a factor of {forward} from the first layer to the last, the gradient's by {back} on the way back.", values);
}

function picture({ layer, low, high, counts, mean, spread, slope }, least, most) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", t("Values of layer {layer}: mean {mean}, spread {spread}", { layer, mean: short(mean), spread: short(spread) }));
  const path = document.createElementNS(SVG, "path");
  const scale = WIDTH / (most - least || 1);
  const step = Math.max(((high - low) / counts.length) * scale, 1e-6);
  const top = Math.max(...counts, 1);
  const bars = counts.map((count, i) => {
    const x = ((low - least) * scale + i * step).toFixed(2);
    return count === 0 ? "" : `M${x} ${HEIGHT}v${(-count / top) * (HEIGHT - 2)}h${Math.max(step, THINNEST).toFixed(2)}V${HEIGHT}z`;
  });
  path.setAttribute("d", bars.join(""));
  svg.append(path);
  const ends = element("p", { class: "depth-ends", "aria-hidden": "true" }, element("span", {}, short(least)), element("span", {}, short(most)));
  return element("figure", { class: "depth-layer" }, element("figcaption", {}, t("Layer {layer}", { layer })), svg, ends, element("p", { class: "depth-spread" }, t("spread {spread}, slope {slope}", { spread: short(spread), slope: short(slope) })));
}
