// The folded part of the setup: all hyperparameters of the engine, in the groups of the server's schema.

import { diagramFigure } from "../../charts/network-diagram.js";
import { byId, element, setText } from "../../lib/dom.js";
import { offeredLearningRate, validationChoices } from "./config.js";
import { createFields } from "./form-fields.js";
import { at, withValue } from "./form-values.js";
import { boundsOf, hiddenSizes, parseSizes, withHiddenSizes } from "./hidden-layers.js";
import { createLayerList } from "./layer-list.js";

const FIRST = new Set(["optimizer", "batch_size", "epochs"]); // before "More settings"
const ELSEWHERE = new Set(["dataset", "network.layers", "start"]); // shown elsewhere
const LAYER = /^network\.layers\[(\d+)\]\.(.+)$/;
const HIDDEN = "hidden-layers";

/** `onConfig(config)` is called on every valid change, `onText()` on an invalid one. */
export function createSettingsForm({ schema, onConfig, onText }) {
  let config = null;
  let base = null; // the recipe's own config
  let labels = null;
  let handWritten = false; // the learning rate was typed, and is not replaced
  const fields = createFields({ schema, onChange: changed, onText });
  const list = createLayerList({ schema, fields, onLayers: (layers) => takeLayers(layers, null) });
  const hidden = byId(HIDDEN);
  const validation = byId("validation");
  fields.adopt("dataset", byId("dataset"), byId("dataset-error"));
  fields.adopt(HIDDEN, hidden, byId(`${HIDDEN}-error`));

  /** Fills in the form. `ownConfig` is the recipe's, with its optimizer's learning rate. */
  function fill(next, ownConfig) {
    [config, base, handWritten] = [next, ownConfig, false];
    fields.errors.clear();
    const first = [];
    for (const group of schema.groups) {
      const shown = group.fields.filter(({ name }) => !ELSEWHERE.has(name) && name !== "validation");
      const made = shown.map((field) => [field.name, fields.field(field, field.name, at(config, field.name) ?? field.default)]);
      first.push(...made.filter(([name]) => FIRST.has(name)));
      byId(`group-${group.name}`).replaceChildren(...made.filter(([name]) => !FIRST.has(name)).map(([, node]) => node));
    }
    byId("group-first").replaceChildren(...first.map(([, node]) => node));
    const chosen = config.validation ?? null;
    validation.replaceChildren(...validationChoices(chosen).map(([value, text]) => element("option", { value }, text)));
    validation.value = String(chosen);
    fields.adopt("validation", validation, byId("validation-error"));
    showNetwork();
  }

  function changed(path, value) {
    const layer = LAYER.exec(path);
    if (layer !== null) {
      const [, index, rest] = layer;
      takeLayers(config.network.layers.with(Number(index), withValue(config.network.layers[index], rest, value)), null);
      return value;
    }
    let next = value;
    if (path === "optimizer.learning_rate") handWritten = true;
    if (path === "optimizer") next = { ...value, learning_rate: handWritten ? config.optimizer.learning_rate : offeredLearningRate(base, value.type, value.learning_rate) };
    config = withValue(config, path, next);
    onConfig(config);
    return next;
  }

  /** Takes other layers, from the list or from the line of sizes (`source`). */
  function takeLayers(layers, source) {
    config = { ...config, network: { ...config.network, layers } };
    showNetwork(source);
    onConfig(config);
  }

  function showNetwork(source = null) {
    const { layers } = config.network;
    list.show(layers, labels);
    byId("network-picture").replaceChildren(diagramFigure(layers));
    if (source === hidden) return;
    hidden.value = hiddenSizes(layers).join(", ");
    fields.errors.delete(HIDDEN);
  }

  hidden.addEventListener("input", () => {
    try {
      const sizes = parseSizes(hidden.value, boundsOf(schema));
      fields.errors.delete(HIDDEN);
      takeLayers(withHiddenSizes(config.network.layers, sizes), hidden);
    } catch (error) {
      fields.errors.set(HIDDEN, error.message);
      onText();
    }
  });
  validation.addEventListener("input", () => changed("validation", validation.value === "test" ? "test" : JSON.parse(validation.value)));

  /** Takes the number of labels of the data set, or null: the last dense layer has as many outputs. */
  function knowLabels(known, next) {
    labels = known;
    config = next;
    showNetwork(hidden.matches(":focus") ? hidden : null);
  }

  /** Locks the network, which a stored model determines. */
  function lockNetwork(locked) {
    hidden.disabled = locked;
    byId("layers-editor").disabled = locked;
  }

  /** Updates the errors; with `go`, opens the settings and focuses the first one. Returns whether there are any. */
  function review(serverError, { go = false } = {}) {
    fields.showErrors(serverError);
    const path = fields.errors.keys().next().value ?? serverError?.path ?? null;
    const input = path === null ? null : fields.inputAt(path);
    if (go && input !== null) {
      for (let fold = input.closest("details"); fold !== null; fold = fold.parentElement.closest("details")) fold.open = true;
      input.focus();
    }
    return fields.errors.size > 0;
  }

  /** Whether the form has a field for a server error. */
  const hasPlace = (path) => path !== null && fields.has(path);

  return { fill, knowLabels, lockNetwork, review, hasPlace, showOutline: list.showOutline, setLine: (text) => setText(byId("settings-line"), text) };
}
