// The hidden layers of a network as a list of sizes, and the network with other sizes.

import { count } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";

const PLAIN_BLOCK = [{ type: "dense" }, { type: "relu" }]; // for recipes without a hidden layer

const isDense = (layer) => layer.type === "dense";

/** The sizes of the hidden dense layers: all but the last. */
export const hiddenSizes = (layers) =>
  layers
    .filter(isDense)
    .slice(0, -1)
    .map(({ units }) => units);

/** The bounds of the numbers of layers and units, from the schema. */
export const boundsOf = ({ groups, layers }) => ({
  mostLayers: groups.flatMap(({ fields }) => fields).find(({ name }) => name === "network.layers").maximum,
  mostUnits: layers.find(isDense).fields.find(({ name }) => name === "units").maximum,
});

/** "128, 64" → [128, 64]; throws an Error with the expected format. */
export function parseSizes(text, { mostLayers, mostUnits }) {
  const parts = text.split(/[\s,、，]+/).filter((part) => part !== "");
  if (parts.length >= mostLayers) throw new Error(t("At most {most} hidden layers.", { most: mostLayers - 1 }));
  return parts.map((part) => {
    const units = Number(part);
    if (!/^\d+$/.test(part) || units < 1 || units > mostUnits) {
      throw new Error(t("Enter whole numbers from 1 to {most}, separated by commas, such as “128, 64”.", { most: count(mostUnits) }));
    }
    return units;
  });
}

/**
 * The same network with hidden dense layers of these sizes. The layers after each (activation, dropout, normalization)
 * are preserved; an additional layer copies the pattern of the last one. Everything before the first dense layer, and
 * the output, stay.
 */
export function withHiddenSizes(layers, sizes) {
  const places = layers.flatMap((layer, i) => (isDense(layer) ? [i] : []));
  if (places.length === 0) return layers;
  const output = places.at(-1);
  const blocks = places.slice(0, -1).map((start, i) => layers.slice(start, places[i + 1]));
  const pattern = (i) => blocks[Math.min(i, blocks.length - 1)] ?? PLAIN_BLOCK;
  const hidden = sizes.flatMap((units, i) => {
    const [dense, ...rest] = pattern(i);
    return [{ ...dense, units }, ...rest];
  });
  return [...layers.slice(0, places[0]), ...hidden, ...layers.slice(output)];
}

/** The same network with one output for each label. */
export function withOutputs(layers, labels) {
  const last = layers.findLastIndex(isDense);
  if (last === -1 || layers[last].units === labels) return layers;
  return layers.map((layer, i) => (i === last ? { ...layer, units: labels } : layer));
}
