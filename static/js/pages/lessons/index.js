// The interactive figures of the lessons, each mounted in its element.

import { explain } from "../../api/client.js";
import { t } from "../../i18n/translate.js";
import { element, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { mountActivations, mountLosses } from "./curves.js";
import { mountPaths } from "./loss-surfaces.js";
import { mountUnit } from "./neuron.js";
import { mountPerceptron } from "./perceptron.js";
import { mountPixels } from "./pixels.js";
import { mountDepth } from "./signal-depth.js";
import { mountBatches, mountOverfitting } from "./small-trainings.js";
import { mountTwoLayers } from "./two-layers.js";

const FIGURES = {
  activations: mountActivations,
  batches: mountBatches,
  depth: mountDepth,
  losses: mountLosses,
  overfitting: mountOverfitting,
  paths: mountPaths,
  perceptron: mountPerceptron,
  pixels: mountPixels,
  "two-layers": mountTwoLayers,
  unit: mountUnit,
};

async function begin(section) {
  const [body, wait, error] = [".figure-body", ".figure-wait", ".figure-error"].map((name) => section.querySelector(name));
  const requests = createLatest();
  /** Runs `work`, a request; the figure shows that it is waiting, and the error of the latest request. */
  const busy = async (work) => {
    const signal = requests.begin();
    section.setAttribute("aria-busy", "true");
    wait.hidden = false;
    setText(error, "");
    try {
      return await work();
    } catch (reason) {
      const message = explain(reason);
      if (!signal.aborted) setText(error, message);
      return null;
    } finally {
      if (!signal.aborted) {
        section.setAttribute("aria-busy", "false");
        wait.hidden = true;
      }
    }
  };
  const done = await busy(async () => {
    await FIGURES[section.dataset.figure](body, busy);
    return true;
  });
  if (done) return;
  const again = element("button", { type: "button", class: "button" }, t("Try again"));
  again.addEventListener("click", () => begin(section));
  body.replaceChildren(again);
}

const side = document.querySelector(".lesson-figure");
if (side !== null) new ResizeObserver(() => side.style.setProperty("--figure-height", `${side.offsetHeight}px`)).observe(side);

for (const section of document.querySelectorAll("[data-figure]")) begin(section);
