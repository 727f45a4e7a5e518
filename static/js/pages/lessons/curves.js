// Activations and losses with their derivatives, computed by the engine.

import { get } from "../../api/client.js";
import { createLines } from "../../charts/line-chart.js";
import { nearest } from "../../charts/scale.js";
import { t } from "../../i18n/translate.js";
import { short } from "../../lib/controls.js";
import { element } from "../../lib/dom.js";
import { bindNumber, sayResult } from "./numbers.js";
import { nameOf } from "./part-names.js";

const FIRST = new Set(["sigmoid", "tanh", "relu"]); // shown at first
const RANGE = [-2, 3];

export async function mountActivations(body) {
  const { x, activations } = await get("/api/explain/activations");
  const hidden = activations.map(({ type }) => type).filter((type) => !FIRST.has(type));
  const panels = [
    { label: t("Activations"), yTitle: t("y (output)") },
    { label: t("Derivatives of the activations"), yTitle: t("dy/dx, the slope"), value: (slope) => t("slope {slope}", { slope }) },
  ];
  const chart = createLines({ panels, xTitle: t("x"), readAt: t("Read at x"), hidden });
  const note = element("p", { class: "soft figure-about" }, t("The step function is flat on both sides: its slope is 0, so no network could learn from it. In training the gradient is passed through it as if it were not there (“straight-through”)."));
  body.replaceChildren(chart.node, note);
  chart.show({ series: lines(x, activations), yRanges: [RANGE, [-0.3, 1.3]] });
}

export async function mountLosses(body) {
  const { x, losses } = await get("/api/explain/losses");
  const panels = [
    { label: t("Losses"), yTitle: t("loss") },
    { label: t("Gradients of the losses at the logit"), yTitle: t("gradient at the logit"), value: (gradient) => t("gradient {gradient}", { gradient }) },
  ];
  const probability = element("input", { type: "range", min: 0.01, max: 0.99, step: 0.01, value: 0.5, "aria-label": t("Probability of the right answer") });
  const chart = createLines({ panels, xTitle: t("probability of the right answer"), readAt: t("Probability of the right answer"), onRead: take, hovers: true });
  body.replaceChildren(chart.node);
  chart.show({ series: lines(x, losses), xRange: [0, 1] });

  function take(read) {
    probability.value = read;
    probability.dispatchEvent(new Event("input"));
  }

  function tell() {
    const at = nearest(x, Number(probability.value));
    for (const { type, y } of losses) sayResult(type, short(y[at]));
  }

  bindNumber("probability", probability);
  probability.addEventListener("input", () => {
    chart.readAt(Number(probability.value));
    tell();
  });
  tell();
}

/** The value and the slope of each function. */
const lines = (x, functions) => functions.map(({ type, y, slope }) => ({ id: type, name: nameOf(type), x, ys: [y, slope] }));
