// A stored model's network, to be computed in the browser.

import { get, getBytes } from "../api/client.js";
import { readSafetensors } from "../standalone/safetensors.js";

const SIDE = 28;

/** A model's `card`, and its `arrays` `{shape, data}` by name. Throws RangeError if it takes another size of image. */
export async function loadNetwork(model, options = {}) {
  const path = `/api/models/${encodeURIComponent(model)}`;
  const card = await get(path, options);
  if (card.network.input_shape.reduce((a, b) => a * b, 1) !== SIDE * SIDE) throw new RangeError("another size of image");
  return { card, arrays: readSafetensors(await getBytes(`${path}/download?format=safetensors`, options)) };
}
