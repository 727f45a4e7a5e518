// The inspection page: one drawing, one model, and all that the server computes from them.

import { BACK, explain, post } from "../../api/client.js";
import { createCells, repaintCells } from "../../charts/heatmap.js";
import { num } from "../../charts/heatmap-data.js";
import { createBoard } from "../../drawing/board.js";
import { EMPTY, isEmpty, ofPicture, question } from "../../drawing/drawing.js";
import { createOverlay } from "../../drawing/overlay.js";
import { unpack } from "../../drawing/recent-drawings.js";
import { count, percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { unitName } from "../../labels/layer-text.js";
import { createPopoverCard } from "../../lib/popover-card.js";
import { byId, element, pageData, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { forGood, forTab, recall } from "../../lib/storage.js";
import { onThemeChange } from "../../lib/theme.js";
import { clearBars, ensureBars, showBars } from "../../prediction/bars.js";
import { createBackward } from "./backward.js";
import { createToward } from "./counterfactual.js";
import { takeExample } from "./examples.js";
import { createKernels } from "./kernels.js";
import { createLayers, layerFacts } from "./layers.js";
import { createNeuron } from "./neuron.js";
import { createNumerical } from "./numerical-gradient.js";
import { createStep } from "./optimizer-step.js";
import { createWhere } from "./saliency.js";

const BRUSH = 30;
const SIDE = 28;
const SOON = 400; // ms before the page says that it is waiting
const CURRENT = "digitpad.drawing"; // the drawing of the first page
const PAST = "digitpad.past";
const WEIGHTED = new Set(["dense", "conv2d"]);

const { models, first, convolutional } = pageData();
const subject = { model: models.find(({ name }) => name === first) ?? models[0], drawing: null, truth: null, unit: null, layers: [] };
const looks = createLatest();
let current = null; // the signal of the current drawing and model

/** Sends a request; resolves to null if the drawing or the model has changed meanwhile, or on an error. */
async function ask(what, extra = {}) {
  const signal = current;
  if (subject.drawing === null) return null;
  try {
    const answer = await post(`/api/explain/${what}`, { drawing: subject.drawing, model: subject.model.name, ...extra }, { signal });
    if (signal.aborted) return null;
    setText(byId("inside-error"), "");
    return { ...answer, labels: subject.model.labels };
  } catch (error) {
    const message = explain(error);
    if (!signal.aborted) setText(byId("inside-error"), message);
    return null;
  }
}

// The drawing

const canvas = byId("pad");
const overlay = createOverlay(byId("overlay"));
const examples = new WeakMap(); // test digits on the pad, with their labels and exact pixels
const board = createBoard(canvas, {
  start: EMPTY,
  overlay,
  brush: () => BRUSH,
  erasing: () => false,
  onChange,
  onReplaced: () => {},
  onPen(place, isDown) {
    overlay.showPen(place, isDown);
    if (place !== null) setText(byId("pen-spoken"), isDown ? t("Pen down") : t("Pen up"));
  },
});

const loads = createLatest(); // a load is cancelled by the next one and by any change

function onChange(drawing, { final }) {
  loads.drop();
  byId("clear").disabled = isEmpty(drawing);
  byId("undo").disabled = !board.canUndo();
  byId("hint").toggleAttribute("data-off", !isEmpty(drawing));
  if (!final) return;
  const example = drawing.picture === null ? undefined : examples.get(drawing.picture);
  if (isEmpty(drawing)) setTruth(null);
  else if (example !== undefined) setTruth(example.label);
  subject.drawing = isEmpty(drawing) ? null : example === undefined ? question(drawing) : { pixels: example.pixels };
  look();
}

/** Puts the result of `load` on the pad, unless it is null or the pad has changed meanwhile. */
async function put(load) {
  const signal = loads.begin();
  const drawing = await load();
  if (!signal.aborted && drawing !== null) board.replace(drawing);
}

async function putExample() {
  const button = byId("example");
  button.disabled = true;
  try {
    await put(async () => {
      const found = await takeExample(subject.model);
      examples.set(found.picture, found);
      return ofPicture(found.picture);
    });
  } catch (error) {
    setText(byId("inside-error"), explain(error));
  } finally {
    button.disabled = false;
  }
}

/** The last drawing of the first page, if this browser has stored it. */
const lastDrawing = () => recall(forTab, CURRENT) ?? recall(forGood, PAST)?.[0] ?? null;

byId("undo").addEventListener("click", board.undo);
byId("clear").addEventListener("click", board.clear);
byId("example").addEventListener("click", putExample);
byId("last").hidden = lastDrawing() === null;
byId("last").addEventListener("click", () => put(() => unpack(lastDrawing())));
canvas.addEventListener("keydown", (event) => {
  if (event.key === "Escape") board.clear();
  else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) board.undo();
});

// The parts of the page

const sheets = { neuron: createPopoverCard(byId("neuron")), delta: createPopoverCard(byId("delta")) };
const layers = createLayers(byId("layers"), {
  onChoose: (layer, unit, pressed) => choose(layer, unit, () => {
    sheets.delta.close();
    sheets.neuron.open(pressed);
  }),
  more: async (layer, first) => (await ask("layer", { layer, first }))?.picture ?? null,
});
const input = createCells(byId("input-cells"), { label: t("The input, pixel by pixel"), name: (index) => unitName(index, [1, SIDE, SIDE]) });
const neuron = createNeuron();
const backward = createBackward({
  onChoose: (layer, unit, pressed) => choose(layer, unit, () => {
    sheets.neuron.close();
    sheets.delta.open(pressed);
  }),
});
const numerical = createNumerical({ ask: (extra) => ask("numerical", { label: subject.truth, ...extra }) });
const step = createStep({
  async ask(extra) {
    const answer = await ask("step", { label: subject.truth, ...extra });
    return answer?.label === subject.truth ? answer : null;
  },
  ready: () => subject.drawing !== null && subject.truth !== null,
  unit: () => subject.unit,
});
const where = createWhere({ ask });
const kernels = createKernels({
  models,
  recipes: convolutional,
  look(name) {
    byId("model").value = name;
    byId("model").dispatchEvent(new Event("change"));
  },
});
const toward = createToward({ ask: (extra) => ask("toward", extra) });

/** Updates all parts for the current drawing. */
async function look() {
  current = looks.begin();
  step.reset();
  backward.clear();
  document.body.toggleAttribute("aria-busy", false);
  if (subject.drawing === null) return showNothing();
  const signal = current;
  const waiting = setTimeout(() => {
    if (!signal.aborted) setText(byId("says"), t("Reading …"));
  }, SOON);
  const answer = await ask("forward");
  clearTimeout(waiting);
  if (answer === null) return;
  showForward(answer);
  kernels.use(subject.model, answer);
  toward.use(answer.pixels, answer.outputs.says);
  await explainUnit();
  await lookBack();
  await where.look();
}

function showNothing() {
  setText(byId("says"), t("Draw a digit, or take one from the data set."));
  setText(byId("says-detail"), "");
  setText(byId("inside-error"), "");
  clearBars(byId("bars"));
  layers.clear();
  neuron.clear();
  for (const sheet of Object.values(sheets)) sheet.close();
  where.clear();
  kernels.use(subject.model, null);
  toward.use(null, null);
  byId("softmax-card").hidden = byId("input-card").hidden = true;
  document.querySelector("[data-waits]").hidden = false;
}

function showForward({ input: given, outputs, layers: found, parameters, blank }) {
  document.querySelector("[data-waits]").hidden = true;
  subject.layers = found;
  const at = outputs.labels.indexOf(outputs.says);
  const sure = percent(outputs.probabilities[at]);
  setText(byId("says"), blank ? t("Too little ink to read yet.") : t("It reads {label}, {percent} sure.", { label: outputs.says, percent: sure }));
  setText(byId("says-detail"), t("{layers} layers, {parameters} parameters", { layers: found.length, parameters: count(parameters) }));
  showBars(byId("bars"), Object.fromEntries(outputs.labels.map((label, i) => [label, outputs.probabilities[i]])), outputs.says);
  if (subject.unit === null) subject.unit = { layer: found.findLastIndex(({ type }) => WEIGHTED.has(type)), unit: at };
  layers.show(found.map((layer) => ({ ...layer, shape: layer.output_shape })), { labels: outputs.labels, facts: layerFacts });
  byId("softmax-card").hidden = byId("input-card").hidden = false;
  input.show(given.picture);
  byId("softmax-rows").replaceChildren(
    ...outputs.labels.map((label, i) =>
      element("tr", { "data-stressed": i === at, "data-logit": outputs.logits[i], "data-probability": outputs.probabilities[i] }, ...[label, num(outputs.logits[i]), num(outputs.exponentials[i]), num(outputs.probabilities[i])].map((text) => element("td", {}, text))),
    ),
  );
  const sum = t("The exponentials add up to {sum}.", { sum: num(outputs.sum) });
  const calibrated = t("The probabilities on this page are these. The pad first divides the logits by {temperature} (temperature), so that confidence matches accuracy, and says {percent}.", { temperature: num(outputs.temperature), percent: percent(outputs.calibrated[at]) });
  setText(byId("softmax-note"), outputs.temperature === 1 ? sum : `${sum} ${calibrated}`);
}

/** Selects another unit, in the forward and the backward part; `present` shows the answer. */
async function choose(layer, unit, present) {
  subject.unit = { layer, unit };
  await explainUnit();
  if (subject.truth !== null) await explainDelta();
  if (subject.drawing !== null && subject.unit.layer === layer && subject.unit.unit === unit) present();
}

/** The labels, if the layer is the last one. */
const labelsIf = (layer) => (layer === subject.layers.length - 1 ? subject.model.labels : null);

async function explainUnit() {
  const { layer, unit } = subject.unit;
  layers.mark(layer, unit);
  backward.mark(layer, unit);
  const answer = await ask("neuron", subject.unit);
  if (answer === null || subject.unit.layer !== layer || subject.unit.unit !== unit) return;
  neuron.show(answer, labelsIf(answer.steps.at(-1).layer));
  const first = answer.steps[0];
  if (first.weights === undefined) return numerical.none(first.type);
  const outputs = subject.layers[first.layer].output_shape;
  const name = unitName(outputs.length === 1 ? unit : Math.floor(unit / (outputs[1] * outputs[2])), [outputs[0]]);
  numerical.choose({ layer: first.layer, type: first.type, unit, outputs, weights: first.weights, name });
}

// The backward pass

function setTruth(label) {
  subject.truth = label;
  for (const input of byId("truth").querySelectorAll("input")) input.checked = input.value === label;
}

async function lookBack() {
  for (const input of byId("truth").querySelectorAll("input")) input.disabled = subject.drawing === null;
  if (subject.truth === null) return;
  const answer = await ask("backward", { label: subject.truth });
  if (answer?.label !== subject.truth) return;
  backward.show(answer, subject.model.labels);
  backward.mark(subject.unit.layer, subject.unit.unit);
  step.reset();
  await explainDelta();
  await numerical.again();
}

async function explainDelta() {
  const { layer, unit } = subject.unit;
  const answer = await ask("delta", { label: subject.truth, layer, unit });
  if (answer === null || subject.unit.layer !== layer || subject.unit.unit !== unit) return;
  const { type, output_shape: shape } = subject.layers[answer.layer];
  backward.showDelta(answer, { type, labels: labelsIf(answer.last), shape });
}

function useModel(model) {
  subject.model = model;
  subject.unit = null;
  byId("teaching-note").hidden = !model.for_teaching;
  ensureBars(byId("bars"), model.labels);
  byId("truth").replaceChildren(...model.labels.map((label) => element("label", {}, element("input", { type: "radio", name: "truth", value: label, autocomplete: "off" }), label)));
  where.useLabels(model.labels);
  toward.useLabels(model.labels);
  numerical.empty();
  setTruth(model.labels.includes(subject.truth) ? subject.truth : null);
  look();
}

byId("truth").addEventListener("change", async ({ target }) => {
  subject.truth = target.value;
  await lookBack();
});
byId("model").addEventListener("change", ({ target }) => {
  const address = new URL(location.href);
  address.searchParams.set("model", target.value);
  window.history.replaceState(null, "", address);
  useModel(models.find(({ name }) => name === target.value));
});
window.addEventListener(BACK, look);
onThemeChange(repaintCells);
window.addEventListener("resize", repaintCells);
const requested = new URLSearchParams(location.search).get("model");
if (models.some(({ name }) => name === requested)) byId("model").value = requested;
useModel(models.find(({ name }) => name === byId("model").value) ?? subject.model);
if (new URLSearchParams(location.search).get("drawing") === "last") put(() => unpack(lastDrawing()));
canvas.setAttribute("data-ready", "");
