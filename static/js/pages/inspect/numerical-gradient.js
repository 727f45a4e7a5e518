// The numerical gradient beside backpropagation's, for weights picked in a picture or at random.

import { createCells } from "../../charts/heatmap.js";
import { num } from "../../charts/heatmap-data.js";
import { count } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { layerName, placeName, typeName, unitName } from "../../labels/layer-text.js";
import { byId, element, setText } from "../../lib/dom.js";

const MOST = 12; // weights in the table
const RANDOM = 5;
const LARGEST_SEED = 2 ** 31 - 1;

/** Binds the card; `ask(extra)` requests /api/explain/numerical, and resolves to null if the answer is obsolete. */
export function createNumerical({ ask }) {
  const scroll = byId("numerical-scroll");
  const clearButton = byId("numerical-clear");
  let unit = null; // {layer, type, unit, outputs, weights}: the last argument of `choose`
  let picked = []; // indices in the layer's weights, the newest first

  function empty() {
    picked = [];
    scroll.hidden = clearButton.hidden = true;
    byId("numerical-rows").replaceChildren();
    setText(byId("numerical-times"), "");
  }

  /** The index of a unit's weight in the layer's flat weight array. */
  function placeOf(index) {
    if (unit.type === "dense") return index * unit.outputs[0] + unit.unit;
    const { total, shape } = unit.weights; // the picture of a large filter has only the first maps
    const size = total * shape[1] * shape[2];
    return Math.floor(unit.unit / (unit.outputs[1] * unit.outputs[2])) * size + index;
  }

  async function check(extra) {
    const answer = await ask({ layer: unit.layer, parameter: "weight", ...extra });
    if (answer === null) return;
    picked = answer.rows.map(({ index }) => index);
    scroll.hidden = clearButton.hidden = false;
    byId("numerical-rows").replaceChildren(...answer.rows.map(row));
    setText(
      byId("numerical-times"),
      t("Numerical: {numerical} for these {count}, at that rate {all} for all {parameters} parameters. Backpropagation: {backpropagation} for all of them. Both are computed with 64 bits.", {
        numerical: seconds(answer.numerical_seconds),
        count: answer.rows.length,
        all: seconds(answer.numerical_seconds_for_all),
        parameters: count(answer.parameters),
        backpropagation: seconds(answer.backpropagation_seconds),
      }),
    );
  }

  byId("numerical-random").addEventListener("click", () => {
    if (unit !== null) check({ random: RANDOM, seed: Math.floor(Math.random() * LARGEST_SEED) });
  });
  clearButton.addEventListener("click", empty);

  return {
    /** Shows another unit; `weights` is the picture of its weights. */
    choose(next) {
      if (unit !== null && (unit.layer !== next.layer || unit.type !== next.type)) empty();
      unit = next;
      setText(byId("numerical-where"), t("The weights of {layer}, {unit}", { layer: layerName({ index: unit.layer, type: unit.type }), unit: unit.name }));
      createCells(byId("numerical-weights"), {
        label: t("Weights to pick: the arrow keys read them, Enter picks one."),
        name: (index) => unitName(index, unit.weights.shape),
        onChoose: (index) => check({ places: [placeOf(index), ...picked.filter((one) => one !== placeOf(index))].slice(0, MOST) }),
      }).show(unit.weights);
    },
    /** Checks the picked weights again after an update. */
    again: () => (unit !== null && picked.length > 0 ? check({ places: picked }) : undefined),
    empty,
    /** Clears the card: no layer with weights is chosen. */
    none(type) {
      unit = null;
      empty();
      setText(byId("numerical-where"), t("{name} has no weights. Choose a neuron of another layer.", { name: typeName(type) }));
      byId("numerical-weights").replaceChildren();
    },
  };
}

function row({ index, place, numerical, backpropagation, relative_error: error }) {
  const name = place.length === 2 ? t("from {input} to {unit}", { input: place[0] + 1, unit: place[1] + 1 }) : placeName(place.slice(1));
  return element("tr", { "data-index": index, "data-numerical": numerical, "data-backpropagation": backpropagation }, ...[name, num(numerical), num(backpropagation), num(error)].map((text) => element("td", {}, text)));
}

function seconds(value) {
  if (value < 1) return t("{milliseconds} ms", { milliseconds: num(value * 1000) });
  return value < 120 ? t("{seconds} s", { seconds: num(value) }) : t("{minutes} min", { minutes: count(value / 60) });
}
