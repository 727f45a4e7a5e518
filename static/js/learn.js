// The live figures of the lessons: each is mounted where the page has a place for it.

import { element, setText } from "./dom.js";
import { mountActivations } from "./learn-activations.js";
import { mountBatches } from "./learn-batches.js";
import { mountDepth } from "./learn-depth.js";
import { mountLosses } from "./learn-losses.js";
import { mountOverfitting } from "./learn-overfitting.js";
import { mountPaths } from "./learn-paths.js";
import { mountPerceptron } from "./learn-perceptron.js";
import { mountPixels } from "./learn-pixels.js";
import { mountTwoLayers } from "./learn-two-layers.js";
import { mountUnit } from "./learn-unit.js";
import { explain } from "./refusals-later.js";
import { t } from "./words.js";

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
  let asked = 0;
  /** Does `work`, which asks the server; the figure says that it waits, and what went wrong with what was asked last. */
  const busy = async (work) => {
    asked += 1;
    const own = asked;
    section.setAttribute("aria-busy", "true");
    wait.hidden = false;
    setText(error, "");
    try {
      return await work();
    } catch (reason) {
      const message = await explain(reason);
      if (own === asked) setText(error, message);
      return null;
    } finally {
      if (own === asked) {
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

for (const section of document.querySelectorAll("[data-figure]")) begin(section);
