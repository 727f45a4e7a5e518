// What would make it another label: the drawing takes gradient steps, frame by frame, until it is read so.

import { createCells } from "../../charts/heatmap.js";
import { decode } from "../../charts/heatmap-data.js";
import { curve } from "../../charts/sparkline.js";
import { percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { paintRows } from "../../images/bitmap.js";
import { placeName } from "../../labels/layer-text.js";
import { byId, element, setText } from "../../lib/dom.js";

const SIDE = 28;
const AT_ONCE = 4; // steps of one question
const FRAME_MS = 60;
const MOST = 300; // steps
const LONG = 40; // steps without any gain
const SURE = 0.99; // probability at which it ends
const RATE = 0.3; // how far a step goes, of the difference of all pixels

const rowsOf = (pixels) => Array.from({ length: SIDE }, (_, row) => Array.from(pixels.slice(row * SIDE, (row + 1) * SIDE)));
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Whether the last steps have brought nothing. */
const stands = (history) => history.length > LONG && Math.max(...history.slice(-LONG)) <= Math.max(...history.slice(0, -LONG));

/** Binds the part; `ask(extra)` asks /api/explain/toward with a drawing of its own. */
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
  let history = []; // probabilities of the label, step by step
  let running = 0; // the number of the run at work; 0 is none
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
    const mine = (running = runs += 1);
    if (history.length > 0 && present.label !== select.value) history = [];
    if (history.length === 0) present = null;
    const label = select.value;
    enable();
    buttons.stop.focus();
    let why = null;
    while (running === mine && why === null) {
      const drawing = present === null ? {} : { drawing: { pixels: present.pixels } };
      const answer = await ask({ ...drawing, label, steps: AT_ONCE, rate: RATE });
      if (answer === null) break; // the drawing is another one, or the server is away
      if (history.length === 0) history = [answer.probability];
      for (const frame of answer.frames) {
        if (running !== mine) return;
        put(frame, label);
        if (frame.probability >= SURE) why = t("Done: the network is sure.");
        else if (history.length > MOST || stands(history)) why = t("It gets no closer.");
        if (why !== null) break;
        await wait(FRAME_MS);
      }
      if (answer.stuck) why = t("It is stuck: the gradient is zero everywhere.");
    }
    if (running !== mine) return;
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

  /** What stands under the pictures; the very words say that no person has drawn this. */
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

  /** What was added to the drawing, as a picture of numbers. */
  function changed(pixels) {
    const view = new DataView(new ArrayBuffer(4 * pixels.length));
    let [low, high] = [0, 0];
    pixels.forEach((value, i) => {
      const step = value - origin[Math.floor(i / SIDE)][i % SIDE];
      [low, high] = [Math.min(low, step), Math.max(high, step)];
      view.setFloat32(4 * i, step, true);
    });
    const values = btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
    return { shape: [1, SIDE, SIDE], first: 0, total: 1, low, high, values };
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
    /** Another drawing, as rows of pixels; null where there is none. `says` is what it is read as. */
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
