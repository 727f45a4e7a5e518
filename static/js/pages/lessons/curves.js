// Activations and losses with their derivatives, computed by the engine.

import { get } from "../../api/client.js";
import { createLines } from "../../charts/line-chart.js";
import { t } from "../../i18n/translate.js";
import { element } from "../../lib/dom.js";
import { nameOf } from "./part-names.js";

const FIRST = new Set(["sigmoid", "tanh", "relu"]); // shown at first
const RANGE = [-2, 3];

export async function mountActivations(body) {
  const { x, activations } = await get("/api/explain/activations");
  const hidden = activations.map(({ type }) => type).filter((type) => !FIRST.has(type));
  const axis = { xTitle: t("x"), readAt: t("Read at x"), hidden };
  const values = createLines({ ...axis, label: t("Activations"), yTitle: t("y (output)") });
  const slopes = createLines({ ...axis, label: t("Derivatives of the activations"), yTitle: t("dy/dx, the slope") });
  const note = element("p", { class: "soft figure-about" }, t("The step function is flat on both sides: its slope is 0, so no network could learn from it. In training the gradient is passed through it as if it were not there (“straight-through”)."));
  body.replaceChildren(values.node, slopes.node, note);
  const lines = (key) => activations.map((one) => ({ id: one.type, name: nameOf(one.type), x, y: one[key] }));
  values.show({ series: lines("y"), yRange: RANGE });
  slopes.show({ series: lines("slope"), yRange: [-0.3, 1.3] });
}

export async function mountLosses(body) {
  const { x, losses } = await get("/api/explain/losses");
  const axis = { xTitle: t("probability of the right answer"), readAt: t("Probability of the right answer") };
  const values = createLines({ ...axis, label: t("Losses"), yTitle: t("loss") });
  const slopes = createLines({ ...axis, label: t("Gradients of the losses at the logit"), yTitle: t("gradient at the logit") });
  body.replaceChildren(values.node, slopes.node);
  const lines = (key) => losses.map((one) => ({ id: one.type, name: nameOf(one.type), x, y: one[key] }));
  values.show({ series: lines("y"), xRange: [0, 1] });
  slopes.show({ series: lines("slope"), xRange: [0, 1] });
}
