// Saliency: the input gradient and the occlusion map, over the drawing.

import { createCells } from "../../charts/heatmap.js";
import { num } from "../../charts/heatmap-data.js";
import { percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { placeName } from "../../labels/layer-text.js";
import { byId, element, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";

const SIDE = 28;
const pixelName = (index) => placeName([Math.floor(index / SIDE), index % SIDE]);

/** Binds the part; `ask(what, extra)` requests /api/explain, and resolves to null if the answer is obsolete. */
export function createWhere({ ask }) {
  const label = byId("where-label");
  const size = byId("where-size");
  const saliency = createCells(byId("saliency"), { label: t("Input gradient, pixel by pixel"), name: pixelName });
  const occlusion = createCells(byId("occlusion"), { label: t("Drop in probability when covered, place by place"), name: pixelName });
  let known = false;
  const requests = createLatest();

  async function look() {
    if (!known) return;
    const signal = requests.begin();
    const of = label.value === "" ? {} : { label: label.value };
    const gradient = await ask("gradient", of);
    if (gradient === null || signal.aborted) return;
    byId("where-body").hidden = false;
    const ink = gradient.pixels.flat();
    saliency.show(gradient.picture, { ink });
    setText(byId("saliency-note"), t("Gradient of the logit of {label} (now {logit}): {low} to {high} per pixel.", { label: gradient.label, logit: num(gradient.logit), low: num(gradient.picture.low), high: num(gradient.picture.high) }));
    setText(byId("where-state"), t("Explaining {label}.", { label: gradient.label }));
    const covered = await ask("occlusion", { ...of, size: Number(size.value) });
    if (covered === null || signal.aborted) return;
    occlusion.show(covered.picture, { ink });
    const values = { label: covered.label, probability: percent(covered.probability), drop: percent(Math.max(0, covered.picture.high)), size: covered.size };
    setText(byId("occlusion-note"), t("The probability of {label} is now {probability}; covering {size} × {size} pixels takes away up to {drop}.", values));
  }

  label.addEventListener("change", look);
  size.addEventListener("change", look);

  return {
    look() {
      known = true;
      return look();
    },
    clear() {
      known = false;
      byId("where-body").hidden = true;
      setText(byId("where-state"), t("Draw a digit first."));
    },
    useLabels(labels) {
      label.replaceChildren(element("option", { value: "" }, t("the answer")), ...labels.map((one) => element("option", { value: one }, one)));
    },
  };
}
