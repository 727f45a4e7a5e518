// A counterfactual: gradient steps on the drawing, frame by frame, until the network reads another label.

import { createCells } from "../../charts/heatmap.js";
import { decode } from "../../charts/heatmap-data.js";
import { curve } from "../../charts/sparkline.js";
import { percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { paintRows } from "../../images/bitmap.js";
import { placeName } from "../../labels/layer-text.js";
import { byId, element, setText } from "../../lib/dom.js";

const SIDE = 28;
const AT_ONCE = 4; // steps per request
const FRAME_MS = 60;
const MOST = 300; // steps
const LONG = 40; // steps without progress before it stops
const SURE = 0.99; // the target probability
const RATE = 0.3; // the step size, as a share of the distance of all pixels

const rowsOf = (pixels) => Array.from({ length: SIDE }, (_, row) => Array.from(pixels.slice(row * SIDE, (row + 1) * SIDE)));
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Whether the last steps made no progress. */
const stands = (history) => history.length > LONG && Math.max(...history.slice(-LONG)) <= Math.max(...history.slice(0, -LONG));

/** Binds the part; `ask(extra)` requests /api/explain/toward with a drawing in `extra`. */
export function createToward({ ask }) {
  const select = byId("toward-label");
  const buttons = { start: byId("toward-start"), stop: byId("toward-stop"), reset: byId("toward-reset") };
  const difference = createCells(byId("toward-difference"), {
    label: t("What was added and taken away, pixel by pixel"),
    name: (index) => placeName([Math.floor(index / SIDE), index % SIDE]),
  });
  let origin = null; // rows of pixels
  let labels = [];
  let present = null; // {pixels, probabilities}: pixels as numbers in one row
  let history = []; // the label's probability after each step
  let running = 0; // the number of the active run; 0 for none
  let runs = 0;

  function enable() {
    buttons.start.disabled = origin === null || running !== 0;
    buttons.stop.disabled = running === 0;
    buttons.reset.disabled = history.length === 0;
    select.disabled = running !== 0;
  }

  function stop() {
    running = 0;
    enable();
  }

  function reset() {
    stop();
    [present, history] = [null, []];
    byId("toward-body").hidden = true;
    setText(byId("toward-state"), "");
    delete byId("toward-state").dataset.steps;
    enable();
  }

  async function start() {
    const run = (running = runs += 1);
    if (history.length > 0 && present.label !== select.value) history = [];
    if (history.length === 0) present = null;
    const label = select.value;
    enable();
    buttons.stop.focus();
    let why = null;
    while (running === run && why === null) {
      const drawing = present === null ? {} : { drawing: { pixels: present.pixels } };
      const answer = await ask({ ...drawing, label, steps: AT_ONCE, rate: RATE });
      if (answer === null) break; // the drawing has changed, or the server is away
      if (history.length === 0) history = [answer.probability];
      for (const frame of answer.frames) {
        if (running !== run) return;
        put(frame, label);
        if (frame.probability >= SURE) why = t("Done: the network is sure.");
        else if (history.length > MOST || stands(history)) why = t("It gets no closer.");
        if (why !== null) break;
        await wait(FRAME_MS);
      }
      if (answer.stuck) why = t("It is stuck: the gradient is zero everywhere.");
    }
    if (running !== run) return;
    if (why !== null && present !== null) say(label, why);
    else if (why !== null) setText(byId("toward-state"), why);
    stop();
    buttons.start.focus();
  }

  function put(frame, label) {
    const pixels = decode({ values: frame.pixels });
    present = { pixels: Array.from(pixels), label, says: frame.says, probability: frame.probability };
    history.push(frame.probability);
    byId("toward-body").hidden = false;
    paintRows(byId("toward-picture"), rowsOf(pixels));
    difference.show(changed(pixels));
    const x = history.map((_, i) => i);
    const values = { label, percent: percent(frame.probability), count: x.at(-1) };
    byId("toward-curve").replaceChildren(
      curve({ lines: [{ x, y: history, kind: "line" }], point: { x: x.at(-1), y: frame.probability }, ys: [0, 1], xs: [0, Math.max(10, x.at(-1))], label: t("Probability of {label} after {count} steps: {percent}", values), xName: t("steps") }),
      element("p", { class: "field-note" }, t("Probability of {label}", values)),
    );
    say(label, "");
  }

  /** The caption of the pictures, which says that no person has drawn this. */
  function say(label, why) {
    const values = { count: history.length - 1, says: present.says, label, percent: percent(present.probability) };
    const state = byId("toward-state");
    const words =
      values.count === 1
        ? t("Changed by the computer in 1 step: the network now reads {says}; the probability of {label} is {percent}.", values)
        : t("Changed by the computer in {count} steps: the network now reads {says}; the probability of {label} is {percent}.", values);
    setText(state, `${words} ${why}`.trim());
    Object.assign(state.dataset, { steps: history.length - 1, probability: present.probability });
  }

  /** Shows the difference from the drawing as a heatmap. */
  function changed(pixels) {
    const values = pixels.map((value, i) => value - origin[Math.floor(i / SIDE)][i % SIDE]);
    return { shape: [1, SIDE, SIDE], first: 0, total: 1, low: Math.min(0, ...values), high: Math.max(0, ...values), values };
  }

  buttons.start.addEventListener("click", start);
  buttons.stop.addEventListener("click", () => {
    stop();
    buttons.start.focus();
  });
  buttons.reset.addEventListener("click", () => {
    reset();
    buttons.start.focus();
  });
  select.addEventListener("change", reset);

  return {
    /** Takes another drawing, as rows of pixels, or null. `says` is its predicted label. */
    use(pixels, says) {
      reset();
      origin = pixels;
      if (says === select.value && labels.length > 1) select.value = labels[(labels.indexOf(says) + 1) % labels.length];
      enable();
    },
    useLabels(next) {
      labels = next;
      select.replaceChildren(...labels.map((one) => element("option", { value: one, selected: one === "7" }, one)));
    },
  };
}
