// Losses and their gradients, as the engine computes them.

import { get } from "./api.js";
import { createLines } from "./learn-chart.js";
import { nameOf } from "./learn-controls.js";
import { t } from "./words.js";

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
