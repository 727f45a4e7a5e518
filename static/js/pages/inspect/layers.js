// A list of layers, each with a heatmap of its numbers in which a unit can be chosen.

import { createCells } from "../../charts/heatmap.js";
import { count } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { layerName, pictureShape, shapeText, typeWords, unitName } from "../../labels/layer-text.js";
import { element, setText } from "../../lib/dom.js";

/**
 * Binds the list. `onChoose(layer, unit, pressed)` is called on a click, `more(layer, first)` resolves to further maps of a layer,
 * or is null. `show(layers, {labels, facts, words})` shows them in order: `facts(layer)` is a line beside the name.
 */
export function createLayers(list, { onChoose, more = null }) {
  let views = [];
  let key = "";
  let chosen = null; // {layer, unit}

  function show(layers, { labels, facts, words = true }) {
    const nextKey = JSON.stringify([layers.map(({ index, type, shape }) => [index, type, shape]), labels]);
    if (nextKey !== key) {
      key = nextKey;
      const last = Math.max(...layers.map(({ index }) => index));
      views = layers.map((layer) => createView(layer, layer.index === last ? labels : null, words));
      list.replaceChildren(...views.map(({ node }) => node));
    }
    for (const [i, layer] of layers.entries()) {
      setText(views[i].facts, facts(layer));
      views[i].put(layer.picture);
    }
  }

  function createView(layer, labels, words) {
    const place = element("div");
    const facts = element("span", { class: "layer-facts" });
    const head = element("div", { class: "layer-head" }, element("strong", {}, layerName(layer)), facts);
    const note = words && typeWords(layer.type) !== "" ? element("p", { class: "layer-words" }, typeWords(layer.type)) : null;
    const button = element("button", { type: "button", class: "button", hidden: true });
    const node = element("li", { class: "layer", "data-layer": layer.index }, head, note, place, button);
    const cells = createCells(place, {
      label: t("{layer}: its numbers as an image. The arrow keys read them, Enter chooses one.", { layer: layerName(layer) }),
      name: (index) => unitName(index, pictureShape(layer.shape), labels),
      onChoose: (unit) => onChoose(layer.index, unit, cells.canvas),
    });
    let shown = null;

    function put(picture) {
      shown = picture;
      cells.show(picture, { chosen: chosen?.layer === layer.index ? chosen.unit : null });
      const [here, total] = [picture.shape[0], picture.total];
      button.hidden = more === null || here === total;
      if (here < total) setText(button, t("Maps {from} to {to} of {total}: show others", { from: count(picture.first + 1), to: count(picture.first + here), total: count(total) }));
    }

    button.addEventListener("click", async () => {
      const next = shown.first + shown.shape[0];
      const picture = await more(layer.index, next < shown.total ? next : 0);
      if (picture !== null) put(picture);
    });
    return { node, facts, put, mark: (unit) => cells.mark(unit), index: layer.index };
  }

  return {
    show,
    clear() {
      key = "";
      views = [];
      list.replaceChildren();
    },
    /** Marks the same unit in all layers. */
    mark(layer, unit) {
      chosen = { layer, unit };
      for (const view of views) {
        view.node.toggleAttribute("data-chosen", view.index === layer);
        view.mark(view.index === layer ? unit : null);
      }
    },
  };
}

/** "784 → 600 · 471,000 parameters" */
export const layerFacts = ({ input_shape: from, output_shape: to, parameters }) =>
  parameters > 0
    ? t("{from} → {to} · {parameters} parameters", { from: shapeText(from), to: shapeText(to), parameters: count(parameters) })
    : t("{from} → {to}", { from: shapeText(from), to: shapeText(to) });
