// Steps of an optimizer on a copy of the network: loss, probabilities and weights before and after.

import { createCells } from "../../charts/heatmap.js";
import { num } from "../../charts/heatmap-data.js";
import { curve } from "../../charts/sparkline.js";
import { percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { optimizerName } from "../../labels/config-labels.js";
import { layerName, parameterName, unitName } from "../../labels/layer-text.js";
import { byId, element, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { offeredLearningRate } from "../train/config.js";

const OPTIMIZERS = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"];
const MOST = 200; // the server's limit of steps
const TEN = 10;
const USUAL = 0.01;

/** Binds the part; `ask(extra)` requests /api/explain/step, `ready()` is true if there is a drawing with a label. */
export function createStep({ ask, ready, unit }) {
  const select = byId("optimizer");
  const rate = byId("rate");
  const buttons = { one: byId("step-one"), ten: byId("step-ten"), reset: byId("step-reset") };
  let taken = 0;
  const requests = createLatest(); // dropped on a reset

  select.replaceChildren(...OPTIMIZERS.map((type) => element("option", { value: type }, optimizerName(type))));

  function enable() {
    buttons.one.disabled = !ready() || taken >= MOST;
    buttons.ten.disabled = !ready() || taken + TEN > MOST;
    buttons.reset.disabled = taken === 0;
  }

  /** Resets the page to the stored weights, which never change. */
  function reset() {
    taken = 0;
    requests.drop();
    byId("step-body").hidden = true;
    setText(byId("step-state"), ready() ? t("Ready: the weights are as stored.") : t("Draw a digit, then say which one you meant."));
    enable();
  }

  async function go(steps) {
    const rateValue = rate.valueAsNumber;
    if (!(rateValue > 0)) {
      setText(byId("step-state"), t("A learning rate is a number above 0."));
      rate.focus();
      return;
    }
    const signal = requests.begin();
    const answer = await ask({ optimizer: { type: select.value, learning_rate: rateValue }, steps, ...(unit() ?? {}) });
    if (answer === null || signal.aborted) return;
    taken = answer.steps;
    show(answer);
    enable();
  }

  function show(answer) {
    byId("step-body").hidden = false;
    const [first, last] = [answer.losses[0], answer.losses.at(-1)];
    const values = { count: answer.steps, before: num(first), after: num(last), label: answer.label, from: percent(answer.certainties[0], 2), to: percent(answer.certainties.at(-1), 2) };
    const text =
      answer.steps === 1
        ? t("After 1 step: loss {before} → {after}, probability of {label}: {from} → {to}. The stored model is unchanged.", values)
        : t("After {count} steps: loss {before} → {after}, probability of {label}: {from} → {to}. The stored model is unchanged.", values);
    const state = byId("step-state");
    setText(state, answer.diverged ? `${t("The numbers grew without bound (it diverged). Try a smaller learning rate.")} ${text}` : text);
    Object.assign(state.dataset, { steps: answer.steps, before: first, after: last });
    const x = answer.losses.map((_, i) => i);
    byId("step-curve").replaceChildren(
      answer.losses.length > 1
        ? curve({ lines: [{ x, y: answer.losses, kind: "line" }], point: { x: x.at(-1), y: last }, label: t("Loss from {before} to {after} in {count} steps", values), xName: t("steps") })
        : "",
    );
    byId("step-probabilities").replaceChildren(
      ...answer.before.map((before, i) => element("tr", { "data-stressed": answer.labels[i] === answer.label, "data-after": answer.after[i] }, ...[answer.labels[i], percent(before, 2), percent(answer.after[i], 2)].map((cell) => element("td", {}, cell)))),
    );
    byId("step-rows").replaceChildren(
      ...answer.weights.map(({ layer, type, parameter, norm, change, share }) =>
        element("tr", { "data-change": change }, ...[`${layerName({ index: layer, type })}, ${parameterName(parameter)}`, num(norm), num(change), percent(share, 2)].map((cell) => element("td", {}, cell))),
      ),
    );
    showUnit(answer.unit);
  }

  function showUnit(found) {
    const shown = found !== null && found.before !== null;
    byId("step-unit").hidden = !shown;
    if (!shown) return;
    const most = Math.max(...[found.before, found.after].flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]));
    for (const [id, picture, label] of [["step-before", found.before, t("Weights before")], ["step-after", found.after, t("Weights after")]]) {
      createCells(byId(id), { label, name: (index) => unitName(index, picture.shape) }).show(picture, { most });
    }
  }

  buttons.one.addEventListener("click", () => go(taken + 1));
  buttons.ten.addEventListener("click", () => go(taken + TEN));
  buttons.reset.addEventListener("click", () => {
    reset();
    buttons.one.focus();
  });
  select.addEventListener("change", () => {
    rate.value = offeredLearningRate({ optimizer: { type: "" } }, select.value, USUAL);
    reset();
  });
  rate.addEventListener("change", reset);
  rate.value = offeredLearningRate({ optimizer: { type: "" } }, select.value, USUAL);

  return { reset };
}
