// The initial weights of a training: new ones, or those of a stored model.

import { t } from "../../i18n/translate.js";
import { byId, element, setText } from "../../lib/dom.js";

const NEW = t("new random weights");
const NOTE = t("what it knows at the start");

/** Runs the select of a form, which it fills with the server's `models`. */
export function createStartChoice(select, models) {
  let usable = [];

  /** Updates the models; the choice stays if possible. */
  function knowModels(listed) {
    const chosen = select.value;
    usable = listed.filter(({ available }) => available);
    const options = usable.map(({ name }) => element("option", { value: name }, t("the model “{name}”", { name })));
    select.replaceChildren(element("option", { value: "" }, NEW), ...options);
    choose(chosen);
  }

  /** Chooses the model of that name and returns it; null for new weights, and if there is none. */
  function choose(name) {
    const found = usable.find((model) => model.name === name) ?? null;
    select.value = found?.name ?? "";
    return found;
  }

  /** Shows below the select what the choice means for a data set; returns the model, or null. */
  function review(dataset) {
    const model = usable.find(({ name }) => name === select.value) ?? null;
    setText(byId("start-from-note"), startNote(model, dataset));
    return model;
  }

  select.disabled = false;
  knowModels(models);
  return { knowModels, choose, review };
}

/** The meaning of starting from a model (null: from new weights) with a data set. */
export function startNote(model, dataset) {
  if (model === null) return NOTE;
  if (dataset?.labels && !sameLabels(model.labels, dataset.labels)) {
    const values = { model: shown(model.labels), dataset: shown(dataset.labels) };
    return t("fine-tuning needs the same labels: this model reads {model}, the data set has {dataset}", values);
  }
  return t("fine-tuning: it builds on what this model knows; a smaller learning rate preserves more of it");
}

const sameLabels = (a, b) => a.length === b.length && a.every((label, i) => label === b[i]);
const shown = (labels) => (labels.length <= 12 ? labels.join(" ") : `${labels.slice(0, 12).join(" ")} …`);
