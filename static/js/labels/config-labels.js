// The names of settings, of what they may be, and of what is measured, in the page's language; a network in one line.

import { language, t } from "../i18n/translate.js";
import { datasetTitle, recipeTitle } from "./titles.js";

/** In the middle of a line: English writes small there what begins a label with a capital. */
const small = (text) => (language === "en" ? text.charAt(0).toLowerCase() + text.slice(1) : text);

const WHOLE = {
  recipe: () => t("recipe"),
  dataset: () => t("data set"),
  validation: () => t("validation"),
  network: () => t("network"),
  layers: () => t("layers"),
  "network.layers": () => t("layers"),
  "network.generator": () => small(t("Random numbers")),
  loss: () => t("loss function"),
  optimizer: () => t("optimizer"),
  schedule: () => small(t("Schedule")),
  augmentation: () => small(t("Augmentation")),
  distillation: () => small(t("Distillation")),
  "distillation.model": () => small(t("Teacher")),
  batch_size: () => t("batch size"),
  epochs: () => t("epochs"),
  seed: () => t("seed"),
  weight_decay: () => t("weight decay"),
  shuffle: () => t("shuffle"),
  dtype: () => t("number type"),
  patience: () => t("patience"),
  averaging: () => small(t("Averaging")),
  input_scale: () => small(t("Input scale")),
  label: () => t("label"),
  clip_norm: () => small(t("Longest gradient")),
  evaluate_training_set: () => small(t("Measure on the training set")),
  start: () => small(t("Starts from")),
  "start.model": () => small(t("Starts from")),
  "start.run": () => small(t("Starts from")),
};

/** Of fields within a layer, an optimizer, a schedule, a loss, an initializer or the augmentation. */
const FIELDS = {
  approximate: () => t("Approximation"),
  beta1: () => t("β₁"),
  beta2: () => t("β₂"),
  blur: () => t("Blur"),
  cutout: () => t("Cutout"),
  cutout_size: () => t("Cutout size"),
  distribution: () => t("Distribution"),
  elastic: () => t("Elastic"),
  epsilon: () => t("ε"),
  every: () => t("Every"),
  factor: () => t("Factor"),
  filters: () => t("Filters"),
  final: () => t("Final share"),
  final_divisor: () => t("Last divisor"),
  high: () => t("To"),
  initial: () => t("First share"),
  initial_divisor: () => t("First divisor"),
  initializer: () => t("First weights"),
  kernel_size: () => t("Kernel size"),
  label_smoothing: () => t("Label smoothing"),
  learning_rate: () => t("learning rate"),
  low: () => t("From"),
  momentum: () => t("momentum"),
  noise: () => t("Noise"),
  padding: () => t("Padding"),
  rate: () => t("Rate"),
  rho: () => t("ρ"),
  rotation: () => t("Rotation"),
  scale: () => t("Scale"),
  schedule: () => t("Then"),
  share: () => t("Share"),
  shear: () => t("Shear"),
  shift: () => t("Shift"),
  size: () => t("Size"),
  slope: () => t("Slope"),
  smoothness: () => t("Smoothness"),
  std: () => t("Spread"),
  stretch: () => t("Stretch"),
  stride: () => t("Stride"),
  thicken: () => t("Thicken"),
  thin: () => t("Thin"),
  units: () => t("Units"),
  warm_up: () => t("Warm-up"),
  weight_decay: () => t("weight decay"),
};

const LAYERS = {
  dense: () => t("Dense"),
  dropout: () => t("Dropout"),
  flatten: () => t("Flatten"),
  batch_norm: () => t("Batch normalization"),
  conv2d: () => t("Convolution"),
  max_pool2d: () => t("Max pooling"),
  average_pool2d: () => t("Average pooling"),
  identity: () => t("Identity"),
  step: () => t("Step"),
  relu: () => t("ReLU"),
  leaky_relu: () => t("Leaky ReLU"),
  sigmoid: () => t("Sigmoid"),
  tanh: () => t("Tanh"),
  gelu: () => t("GELU"),
  softmax: () => t("Softmax"),
};

const SCHEDULES = {
  constant: () => t("Constant"),
  step: () => t("Steps"),
  cosine: () => t("Cosine"),
  one_cycle: () => t("One cycle"),
  warm_up: () => t("Warm-up"),
};

const LOSSES = {
  cross_entropy: () => t("Cross-entropy"),
  squared_error: () => t("Squared error"),
};

const INITIALIZERS = {
  zeros: () => t("Zeros"),
  normal: () => t("Normal"),
  uniform: () => t("Uniform"),
  xavier: () => t("Xavier"),
  he: () => t("He"),
};

const METRICS = {
  epoch: () => t("epoch"),
  train_loss: () => t("training loss"),
  train_accuracy: () => t("training accuracy"),
  val_loss: () => t("validation loss"),
  val_accuracy: () => t("validation accuracy"),
  test_loss: () => t("test loss"),
  test_accuracy: () => t("test accuracy"),
};

const LAYER_PATH = /^(?:layer (\d+) \w+\.|network\.layers\[(\d+)\]\.?)(.*)$/;
const words = (name) => name.replaceAll("_", " ").replaceAll(".", " ");

export const layerName = (type) => LAYERS[type]?.() ?? words(type);
/** "3 dense", as a run's events name a layer, in the page's language. */
export const numberedLayer = (name) => name.replace(/^(\d+) (\w+)$/, (_, number, type) => `${number} ${small(layerName(type))}`);
export const scheduleName = (type) => SCHEDULES[type]?.() ?? words(type);
export const lossName = (type) => LOSSES[type]?.() ?? words(type);

/** What was measured of a model, by the name in its card. */
export const metricName = (name) => METRICS[name]?.() ?? words(name);

/**
 * A setting's name, by its path in the config or as pages/compare/config-diff.js and the server's errors write it: "optimizer.beta1",
 * "layer 1 dense.units", "network.layers[0].units". What has no name here goes by its path.
 */
export function settingName(path) {
  const layer = LAYER_PATH.exec(path);
  if (layer !== null) {
    const number = layer[1] ?? Number(layer[2]) + 1;
    const place = t("layer {number}", { number });
    return layer[3] === "" ? place : t("{place}: {setting}", { place, setting: fieldName(layer[3]) });
  }
  const base = path.endsWith(".type") ? path.slice(0, -".type".length) : path;
  if (base in WHOLE) return WHOLE[base]();
  const [group, ...rest] = base.split(".");
  if (rest.length === 0 || !(group in WHOLE)) return words(base);
  return group === "optimizer" ? fieldName(rest.join(".")) : t("{place}: {setting}", { place: WHOLE[group](), setting: fieldName(rest.join(".")) });
}

/** The name of a field within a part, as in "initializer.std". */
function fieldName(path) {
  const parts = path.split(".").filter((part) => part !== "type");
  const names = parts.map((part) => (part in FIELDS ? small(FIELDS[part]()) : words(part)));
  return names.join(" ");
}

/** What a setting is, in words: `value` as the config has it, `path` as above. */
export function settingValue(path, value) {
  if (value === undefined || value === null) return "–";
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (path === "validation" && typeof value === "number") return t("{number} %", { number: Number((value * 100).toFixed(2)) });
  if (typeof value !== "string") return JSON.stringify(value);
  if (path === "recipe") return recipeTitle(value);
  if (path === "dataset") return datasetTitle(value);
  if (path === "optimizer.type") return optimizerName(value);
  if (path === "schedule.type" || path === "schedule.schedule.type") return scheduleName(value);
  if (path === "loss" || path === "loss.type") return lossName(value);
  if (path.endsWith("initializer.type") || path.endsWith("distribution")) return INITIALIZERS[value]?.() ?? value;
  if (path === "validation" && value === "test") return t("the test pictures");
  return value;
}

/** An object with a type in words, as in "Dropout 0.2": `name` gives the type's own. */
export function partText({ type, ...rest }, name) {
  const values = Object.values(rest).filter((value) => typeof value !== "object" || Array.isArray(value));
  return [name(type), ...values.map((value) => (Array.isArray(value) ? value.join("×") : String(value)))].join(" ");
}

/** Several named values in words, as in "rotation 10, shift 0.1"; those of `fields` alone that say something. */
export const fieldsText = (fields) =>
  Object.entries(fields)
    .filter(([, value]) => value !== null && value !== 0)
    .map(([name, value]) => `${fieldName(name)} ${value}`)
    .join(", ");

const PICTURE_INPUTS = 784;
const OPTIMIZER_NAMES = { sgd: "SGD", momentum: "Momentum", nesterov: "Nesterov", adagrad: "AdaGrad", rmsprop: "RMSprop", adam: "Adam", adamw: "AdamW" };

export const optimizerName = (type) => OPTIMIZER_NAMES[type] ?? type;

/** "784 → 256 → 10": the sizes of what flows through the layers; convolutions and pooling by name. */
export function networkLine(layers, inputs = PICTURE_INPUTS) {
  return [inputs, ...layers.map(size).filter((text) => text !== null)].join(" → ");
}

/** "784 → 256 → 10 · Adam" for a run's config. */
export const configLine = ({ network, optimizer }) =>
  `${networkLine(network.layers)} · ${optimizerName(optimizer.type)}`;

function size(layer) {
  if (layer.type === "dense") return String(layer.units);
  if (/conv/.test(layer.type)) return `${t("conv")} ${layer.filters ?? layer.channels ?? layer.out_channels ?? ""}`.trim();
  return /pool/.test(layer.type) ? t("pool") : null;
}
