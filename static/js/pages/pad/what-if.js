// "What if", in "See inside": the drawing on its way to another answer, and what the network itself takes most for a label.

import { explain, post } from "../../api/client.js";
import { decode } from "../../charts/heatmap-data.js";
import { count, percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { createBitmap, fromBase64 } from "../../images/bitmap.js";
import { byId, element, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";

const SIDE = 28;
const BYTE_MAX = 255;
const WHOLE = 100; // of the slider

/** 784 numbers as rows. */
export const rowsOf = (pixels) => Array.from({ length: SIDE }, (_, row) => Array.from(pixels.slice(row * SIDE, (row + 1) * SIDE)));

const bestOf = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

/**
 * Binds the controls. `now()` is `{model, labels, isDrawn, isChanged, work}`: `work` is what the network makes of the image at hand, and
 * `drawn()` the image of the drawing itself. `put(pixels)` lets the network read another image and returns its work,
 * `say(text)` tells.
 */
export function createWhatIf({ now, drawn, put, say }) {
  const select = byId("inside-label");
  const buttons = { morph: byId("inside-morph"), own: byId("inside-own") };
  const slider = byId("inside-share");
  const row = byId("inside-share-row");
  const images = byId("inside-own-images");
  const requests = { morph: createLatest(), own: createLatest() };
  let labels = [];
  let isChosen = false; // true once the label was chosen by hand
  let way = null; // {from, to, other}: both ends of the morph, and the label at its end

  /** Follows the work on the image at hand. */
  function update() {
    const { labels: all, isDrawn, isChanged, work } = now();
    if (all !== labels) useLabels(all);
    const probabilities = work?.probabilities ?? null;
    if (!isChosen && probabilities !== null && way === null && !isChanged) select.value = String(runnerUp(probabilities));
    name();
    buttons.own.disabled = false;
    buttons.morph.disabled = !isDrawn || labels.length < 2 || (way === null && probabilities !== null && bestOf(probabilities) === Number(select.value));
  }

  function useLabels(next) {
    labels = next;
    isChosen = false;
    select.replaceChildren(...labels.map((label, i) => element("option", { value: i }, label)));
    images.replaceChildren();
    for (const one of Object.values(requests)) one.drop();
  }

  function name() {
    const label = labels[Number(select.value)] ?? "…";
    setText(buttons.morph, t("Morph it into {label}", { label }));
    setText(buttons.own, t("The network's own {label}", { label }));
  }

  function runnerUp(probabilities) {
    const best = bestOf(probabilities);
    return bestOf(probabilities.map((value, i) => (i === best ? -1 : value)));
  }

  // The morph

  async function morph() {
    const { model } = now();
    const label = labels[Number(select.value)];
    const signal = requests.morph.begin();
    buttons.morph.disabled = true;
    say(t("Looking for a way to {label} …", { label }));
    try {
      const found = await post("/api/explain/morph", { drawing: { pixels: rowsOf(drawn()) }, model, label }, { signal });
      if (signal.aborted) return;
      way = { from: found.pixels.flat(), to: decode({ values: found.end }), other: label };
      row.hidden = false;
      slider.value = 0;
      setText(byId("inside-share-end"), t("{label} for the network", { label }));
      go();
      const values = { steps: count(found.steps), label: found.label, other: label, says: found.says, percent: percent(found.probability) };
      say(found.changed ? t("{steps} small steps of the gradient lead from {label} to {other}. Move the slider between your drawing and their end.", values) : t("No way was found in {steps} steps: at their end it still reads {says}; {other} has {percent}.", values));
      slider.focus();
    } catch (error) {
      if (!signal.aborted) say(explain(error));
    } finally {
      if (!signal.aborted) update();
    }
  }

  /** Lets the network read the image at the slider's place. */
  function go() {
    const share = Number(slider.value) / WHOLE;
    const work = put(Float64Array.from(way.from, (value, i) => (1 - share) * value + share * way.to[i]));
    if (work === null) return;
    const best = bestOf(work.probabilities);
    const values = { share: percent(share, 0), label: labels[best], percent: percent(work.probabilities[best]) };
    const words = t("{share} of the way: it reads {label}, {percent}.", values);
    slider.setAttribute("aria-valuetext", words);
    say(words);
  }

  // The network's own image

  async function own() {
    const { model } = now();
    const label = labels[Number(select.value)];
    const signal = requests.own.begin();
    images.setAttribute("aria-busy", "true");
    if (images.childElementCount === 0) images.replaceChildren(element("p", { class: "soft" }, t("The network draws …")));
    const mean = post("/api/explain/mean", { model, label }, { signal }).catch((error) => error);
    try {
      const found = await post("/api/explain/maximize", { model, label }, { signal });
      if (signal.aborted) return;
      const average = element("div", { class: "own-image" }, element("p", { class: "soft" }, t("Adding up training images …")));
      const values = { label, steps: count(found.steps) };
      const intro = t("{label} from a blank sheet, {steps} steps up the gradient of its logit. Smoothing blurs and fades the image a little at every step: that is our wish, not the network's, which takes the specks for {label} as well. Press an image to let it read it.", values);
      images.replaceChildren(element("p", { class: "soft own-words" }, intro), drawnByItself(found.plain, t("without smoothing")), drawnByItself(found.smooth, t("smoothed")), average);
      const came = await mean;
      if (signal.aborted) return;
      average.replaceWith(came instanceof Error ? element("div", { class: "own-image" }, element("p", { class: "soft" }, explain(came))) : meanOf(came));
    } catch (error) {
      if (!signal.aborted) images.replaceChildren(element("p", { class: "field-error" }, explain(error)));
    } finally {
      if (!signal.aborted) images.removeAttribute("aria-busy");
    }
  }

  function drawnByItself({ pixels, says, probability, stuck }, title) {
    if (stuck) return element("div", { class: "own-image" }, element("p", { class: "soft" }, t("On a blank sheet its gradient is zero: there is no way to begin.")));
    const values = decode({ values: pixels });
    return figure(values, title, t("it reads {label}, {percent}", { label: says, percent: percent(probability) }));
  }

  const meanOf = ({ pixels, count: total, datasets }) =>
    figure(Float64Array.from(fromBase64(pixels), (value) => value / BYTE_MAX), t("the mean of the data"), t("{count} training images of {datasets}", { count: count(total), datasets: datasets.join(", ") }));

  function figure(pixels, title, words) {
    const button = element("button", { type: "button", class: "own-picture", "aria-label": t("Let the network read it: {title}", { title }) }, createBitmap(Uint8Array.from(pixels, (value) => Math.round(value * BYTE_MAX))));
    button.addEventListener("click", () => {
      leave();
      const work = put(Float64Array.from(pixels));
      const best = work === null ? null : bestOf(work.probabilities);
      say(best === null ? title : t("{title}: it reads {label}, {percent}.", { title, label: labels[best], percent: percent(work.probabilities[best]) }));
    });
    return element("figure", { class: "own-image" }, button, element("figcaption", {}, element("strong", {}, title), element("span", {}, words)));
  }

  /** Leaves the way of the morph. */
  function leave() {
    requests.morph.drop();
    way = null;
    row.hidden = true;
  }

  /** Forgets all that belongs to a model. */
  function clear() {
    leave();
    requests.own.drop();
    images.replaceChildren();
    images.removeAttribute("aria-busy");
    labels = [];
    select.replaceChildren();
    for (const button of Object.values(buttons)) button.disabled = true;
    name();
  }

  select.addEventListener("change", () => {
    isChosen = true;
    update();
  });
  buttons.morph.addEventListener("click", morph);
  buttons.own.addEventListener("click", own);
  slider.addEventListener("input", go);

  clear();

  return { update, leave, clear };
}
