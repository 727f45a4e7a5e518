// The editable list of the network's layers: add, remove, move, and the fields of each.

import { count } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { byId, element, setText } from "../../lib/dom.js";
import { idOf } from "./form-fields.js";

const PATH = "network.layers";

/** `layers` with the one at `from` moved to `to`. */
export function moved(layers, from, to) {
  const rest = layers.filter((_, i) => i !== from);
  return [...rest.slice(0, to), layers[from], ...rest.slice(to)];
}

/** A new layer of a type, with its required fields. */
export const newLayer = ({ type, fields }) => ({ type, ...Object.fromEntries(fields.filter(({ required }) => required).map((field) => [field.name, field.default])) });

/**
 * Creates the list. `onLayers(layers)` is called with the changed layers; the fields belong to `fields`,
 * under paths such as "network.layers[2].units".
 */
export function createLayerList({ schema, fields, onLayers }) {
  const place = byId("layers");
  const kind = byId("layer-kind");
  const spoken = byId("layers-spoken");
  let layers = [];
  let outputs = null; // the number of labels: the outputs of the last dense layer

  kind.replaceChildren(...schema.layers.map(({ type, title }) => element("option", { value: type }, title)));
  const titleOf = (type) => schema.layers.find((part) => part.type === type)?.title ?? type;

  /** Shows layers; rebuilds the fields only if the types have changed. */
  function show(next, labels) {
    const known = layers.map(({ type }) => type).join() === next.map(({ type }) => type).join() && place.children.length === next.length;
    const same = known && JSON.stringify(next) === JSON.stringify(layers) && labels === outputs;
    layers = next;
    outputs = labels;
    if (!same) render();
  }

  function render() {
    fields.forget(PATH);
    place.replaceChildren(...layers.map(row));
  }

  const outputIndex = () => (outputs === null ? -1 : layers.findLastIndex(({ type }) => type === "dense"));

  function row(layer, index) {
    const part = schema.layers.find(({ type }) => type === layer.type);
    const values = { place: index + 1, layer: titleOf(layer.type) };
    const select = element(
      "select",
      { id: idOf(`${PATH}[${index}].type`), "aria-label": t("Layer {place}", values), autocomplete: "off" },
      ...schema.layers.map(({ type, title }) => element("option", { value: type }, title)),
      part === undefined ? element("option", { value: layer.type }, layer.type) : null,
    );
    select.value = layer.type;
    select.addEventListener("input", () => change(layers.with(index, newLayer(schema.layers.find(({ type }) => type === select.value))), index));
    if (part !== undefined) select.title = part.explanation;
    const error = element("p", { class: "field-error", id: `${idOf(`${PATH}[${index}]`)}-error` });
    const own = (part?.fields ?? []).map((field) => fieldOf(field, layer, index));
    fields.adopt(`${PATH}[${index}]`, select, error);
    const item = element(
      "li",
      { class: "layer", "data-layer": index },
      element("span", { class: "layer-place", "aria-hidden": "true" }, String(index + 1)),
      element("div", { class: "field layer-type" }, element("label", { for: select.id }, t("Layer")), select),
      element("div", { class: "layer-fields" }, ...own),
      buttons(index, values),
      element("p", { class: "layer-shape" }),
      error,
    );
    item.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!event.altKey || step === undefined) return;
      event.preventDefault();
      move(index, index + step);
    });
    return item;
  }

  function fieldOf(field, layer, index) {
    const path = `${PATH}[${index}].${field.name}`;
    const value = layer[field.name] ?? field.default;
    if (field.type === "spec") return fields.specField(field, path, value, { compact: true });
    const node = fields.field(field, path, value, { compact: true });
    if (field.name === "units" && index === outputIndex()) {
      const input = node.querySelector("input");
      input.disabled = true;
      input.title = t("One output for each label of the data set.");
    }
    return node;
  }

  function buttons(index, values) {
    const button = (text, name, act, disabled = false) => {
      const made = element("button", { type: "button", class: "quiet", "aria-label": name, title: name, disabled }, element("span", { "aria-hidden": "true" }, text));
      made.addEventListener("click", act);
      return made;
    };
    return element(
      "div",
      { class: "layer-buttons" },
      button("↑", t("Move layer {place}, {layer}, up", values), () => move(index, index - 1, "↑"), index === 0),
      button("↓", t("Move layer {place}, {layer}, down", values), () => move(index, index + 1, "↓"), index === layers.length - 1),
      button("✕", t("Remove layer {place}, {layer}", values), () => remove(index, values), layers.length === 1),
    );
  }

  function change(next, focus) {
    onLayers(next);
    place.children[Math.min(focus, next.length - 1)]?.querySelector("select").focus();
  }

  function move(from, to, symbol = null) {
    if (to < 0 || to >= layers.length) return;
    const name = titleOf(layers[from].type);
    onLayers(moved(layers, from, to));
    const item = place.children[to];
    const button = [...item.querySelectorAll(".layer-buttons button")].find((one) => one.textContent === symbol && !one.disabled);
    (button ?? item.querySelector("select")).focus();
    setText(spoken, t("{layer} is now layer {place} of {all}.", { layer: name, place: to + 1, all: layers.length }));
  }

  function remove(index, values) {
    onLayers(layers.filter((_, i) => i !== index));
    place.children[Math.min(index, layers.length - 1)]?.querySelector("select").focus();
    setText(spoken, t("Layer {place}, {layer}, was removed.", values));
  }

  byId("layer-add").addEventListener("click", () => {
    const part = schema.layers.find(({ type }) => type === kind.value);
    const last = layers.findLastIndex(({ type }) => type === "dense");
    const index = last === -1 ? layers.length : last; // before the output
    onLayers([...layers.slice(0, index), newLayer(part), ...layers.slice(index)]);
    const item = place.children[index];
    (item?.querySelector("input:not(:disabled)") ?? item?.querySelector("select"))?.focus();
    setText(spoken, t("{layer} is now layer {place} of {all}.", { layer: part.title, place: index + 1, all: layers.length }));
  });

  /** Shows the output shape of each layer, as the server computed it; null if unknown. */
  function showOutline(outline) {
    for (const [i, item] of [...place.children].entries()) {
      const found = outline?.[i];
      setText(item.querySelector(".layer-shape"), found === undefined ? "" : shapeText(found));
    }
  }

  return { show, showOutline };
}

function shapeText({ shape, parameters }) {
  const values = { shape: shape.join(" × "), count: count(parameters) };
  return parameters > 0 ? t("gives {shape}; {count} parameters", values) : t("gives {shape}", values);
}
