// The parameters that a race can vary, and their initial values. Nothing here touches the page.

import { t } from "../../i18n/translate.js";
import { optimizerName } from "../../labels/config-labels.js";

// The five optimizers that the tutorials compare, each at a suitable rate: Adam's and RMSProp's are those of their
// papers, the others those that the tutorials use for MNIST.
const OPTIMIZERS = [
  { type: "sgd", learning_rate: 0.1 },
  { type: "momentum", learning_rate: 0.01 },
  { type: "adagrad", learning_rate: 0.01 },
  { type: "rmsprop", learning_rate: 0.001 },
  { type: "adam", learning_rate: 0.001 },
];
const INITIALIZERS = [{ type: "zeros" }, { type: "normal", std: 0.01 }, { type: "xavier" }, { type: "he" }];
const STEPS = [0.1, 0.3, 1, 3, 10];
const BATCH_SIZES = [16, 64, 256, 1024];

const text = (value) => String(Number(value.toPrecision(3)));

/**
 * By kind: its name, the initial `values(config)`, and `write` and `read` to convert a value to and from text; `choices`
 * if the values are chosen from a list.
 */
export const KINDS = {
  optimizer: { name: () => t("optimizers"), values: () => OPTIMIZERS, write: optimizerText, read: readOptimizer },
  learning_rate: { name: () => t("learning rates"), values: ({ optimizer }) => STEPS.map((step) => Number((optimizer.learning_rate * step).toPrecision(3))), write: text, read: readPositive },
  batch_size: { name: () => t("batch sizes"), values: () => BATCH_SIZES, write: String, read: readWhole },
  initializer: { name: () => t("initializers"), values: () => INITIALIZERS, write: initializerText, read: readInitializer },
};

/** "SGD 0.1" */
function optimizerText({ type, learning_rate: rate }) {
  return `${optimizerName(type)} ${text(rate)}`;
}

function initializerText({ type, std }) {
  return std === undefined ? type : `${type} ${std}`;
}

/** The values as an editable line: "SGD 0.1, Momentum 0.01". */
export const written = (kind, values) => values.map(KINDS[kind].write).join(", ");

/** The values of such a line, within the limits of `range`. Throws an Error with the expected format. */
export function parsed(kind, line, { minimum: least, maximum: most }) {
  const parts = line.split(/[,、，;\n]/).map((part) => part.trim()).filter(Boolean);
  const values = parts.map(KINDS[kind].read);
  if (values.length < least || values.length > most) throw new Error(t("Enter {least} to {most} values, separated by commas.", { least, most }));
  const texts = values.map((value) => JSON.stringify(value));
  if (new Set(texts).size < texts.length) throw new Error(t("Enter each value only once."));
  return values;
}

function readPositive(part) {
  const value = Number(part);
  if (!Number.isFinite(value) || value <= 0) throw new Error(t("Enter numbers above 0, such as “0.01, 0.1”; got “{part}”.", { part }));
  return value;
}

function readWhole(part) {
  if (!/^[1-9]\d*$/.test(part)) throw new Error(t("Enter whole numbers from 1 up, such as “32, 128”; got “{part}”.", { part }));
  return Number(part);
}

function readOptimizer(part) {
  const [name, rate, ...rest] = part.split(/\s+/);
  const type = name.toLowerCase();
  const usual = OPTIMIZERS.find((one) => one.type === type)?.learning_rate;
  const value = rate === undefined ? usual : Number(rate);
  if (rest.length > 0 || !(value > 0)) throw new Error(t("Enter an optimizer and its learning rate, such as “Adam 0.001”; got “{part}”.", { part }));
  return { type, learning_rate: value };
}

function readInitializer(part) {
  const [name, std, ...rest] = part.toLowerCase().split(/\s+/);
  if (rest.length > 0 || (std !== undefined && !(Number(std) > 0))) throw new Error(t("Enter an initializer, such as “he”, or “normal 0.01” with its standard deviation; got “{part}”.", { part }));
  return std === undefined ? { type: name } : { type: name, std: Number(std) };
}
