// The settings form as numbers and back: what a recipe fills in, what a person may write, what becomes of it.

import { hiddenSizes, parseSizes, withHiddenSizes, withOutputs } from "./hidden-layers.js";
import { differences } from "./overrides.js";

export const OPTIMIZERS = ["sgd", "momentum", "adagrad", "rmsprop", "adam"];

// Where each rule usually starts to learn well; offered when the rule is changed.
const USUAL_LEARNING_RATE = { sgd: 0.1, momentum: 0.01, adagrad: 0.01, rmsprop: 0.001, adam: 0.001 };

const VALIDATIONS = new Map([
  ["test", "the test pictures"],
  ["0.1", "the last 10 % of the training pictures"],
  ["0.2", "the last 20 % of the training pictures"],
  ["null", "none"],
]);

/** The choices of validation data as [value, text], with the recipe's own among them. */
export function validationChoices(own) {
  const choices = new Map(VALIDATIONS);
  const value = String(own);
  if (!choices.has(value)) choices.set(value, `the last ${Number((own * 100).toFixed(2))} % of the training pictures`);
  return [...choices];
}

/** The fields' texts for a config; an empty "start-from" is new weights. */
export const fieldsOf = (config) => ({
  "start-from": config.start?.model ?? "",
  dataset: config.dataset,
  validation: String(config.validation ?? null),
  "batch-size": String(config.batch_size),
  "hidden-layers": hiddenSizes(config.network.layers).join(", "),
  optimizer: config.optimizer.type,
  "learning-rate": String(config.optimizer.learning_rate),
  epochs: String(config.epochs),
  seed: String(config.seed),
});

/** The learning rate to offer with an optimizer: the recipe's own with its own. */
export const offeredLearningRate = (config, type) =>
  String(type === config.optimizer.type ? config.optimizer.learning_rate : (USUAL_LEARNING_RATE[type] ?? ""));

/** Errors by field, for the fields whose text is not what it should be. */
export function fieldErrors(fields) {
  const errors = {};
  const check = (name, test) => {
    try {
      test(fields[name]);
    } catch (error) {
      errors[name] = error.message;
    }
  };
  check("batch-size", whole(1, 60000));
  if (!fields["start-from"]) check("hidden-layers", parseSizes);
  check("learning-rate", positive);
  check("epochs", whole(1, 1000));
  check("seed", whole(0, 2 ** 32 - 1));
  return errors;
}

/**
 * The overrides of a recipe's config that valid fields ask for; `labels` is how many the data set has, if known. A run
 * that starts from a model has its network, of which the fields then say nothing.
 */
export function overridesFrom(fields, config, labels) {
  const { network, ...others } = differences(config, configFrom(fields, config, labels));
  if (fields["start-from"] !== "") return { ...others, start: { model: fields["start-from"] } };
  return network === undefined ? others : { ...others, network };
}

/** The config that valid fields ask for, starting from a recipe's; `labels` is how many the data set has, if known. */
export function configFrom(fields, config, labels) {
  const unchanged = fields["hidden-layers"] === fieldsOf(config)["hidden-layers"];
  const layers = unchanged
    ? config.network.layers
    : withHiddenSizes(config.network.layers, parseSizes(fields["hidden-layers"]));
  return {
    ...config,
    dataset: fields.dataset,
    validation: fields.validation === "test" ? "test" : JSON.parse(fields.validation),
    batch_size: Number(fields["batch-size"]),
    epochs: Number(fields.epochs),
    seed: Number(fields.seed),
    network: { ...config.network, layers: labels === undefined ? layers : withOutputs(layers, labels) },
    optimizer: { ...config.optimizer, type: fields.optimizer, learning_rate: Number(fields["learning-rate"]) },
  };
}

const whole = (least, most) => (text) => {
  const value = Number(text);
  if (!/^\d+$/.test(text.trim()) || value < least || value > most) {
    throw new Error(`A whole number from ${least} to ${most.toLocaleString("en")}.`);
  }
};

function positive(text) {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
    throw new Error("A number above 0, as in 0.001.");
  }
}
