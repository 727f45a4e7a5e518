// Activations and their derivatives, as the engine computes them.

import { get } from "./api.js";
import { element } from "./dom.js";
import { createLines } from "./learn-chart.js";
import { nameOf } from "./learn-controls.js";
import { t } from "./words.js";

const FIRST = new Set(["sigmoid", "tanh", "relu"]); // the others are a click away
const RANGE = [-2, 3];

export async function mountActivations(body) {
  const { x, activations } = await get("/api/explain/activations");
  const hidden = activations.map(({ type }) => type).filter((type) => !FIRST.has(type));
  const axis = { xTitle: t("x"), readAt: t("Read at x"), hidden };
  const values = createLines({ ...axis, label: t("Activations"), yTitle: t("y, what comes out") });
  const slopes = createLines({ ...axis, label: t("Derivatives of the activations"), yTitle: t("dy/dx, the slope") });
  const note = element("p", { class: "soft figure-about" }, t("The step function is flat on both sides: its slope is 0, and by it no network could learn. In training the gradient is passed through it as if it were not there (“straight-through”)."));
  body.replaceChildren(values.node, slopes.node, note);
  const lines = (key) => activations.map((one) => ({ id: one.type, name: nameOf(one.type), x, y: one[key] }));
  values.show({ series: lines("y"), yRange: RANGE });
  slopes.show({ series: lines("slope"), yRange: [-0.3, 1.3] });
}
