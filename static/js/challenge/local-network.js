// A model of the server that reads drawings in this page: its file is fetched once, and no drawing is sent.

import { get, getBytes } from "../api/client.js";
import { lines } from "../drawing/drawing.js";
import { canCompute, forward } from "../standalone/network.js";
import { IMAGE_SIZE } from "../standalone/normalize.js";
import { createPredictor, prepare } from "../standalone/predictor.js";
import { readSafetensors } from "../standalone/safetensors.js";

const BYTE_MAX = 255;

/**
 * Fetches a model: `{name, labels, means, read(drawing), features(drawing)}`. `read` gives the answer of /predict to the whole
 * drawing as one; `features` the values of the last hidden layer; `means` are the mean images of the labels, or null.
 * Throws RangeError for a network that is not computed in the browser, else as `get`.
 */
export async function loadNetwork(name) {
  const path = `/api/models/${encodeURIComponent(name)}`;
  const card = await get(path);
  const { network, labels } = card;
  if (!canCompute(network) || network.input_shape.reduce((a, b) => a * b, 1) !== IMAGE_SIZE ** 2) throw new RangeError("a layer or an image that is not computed here");
  const arrays = readSafetensors(await getBytes(`${path}/download?format=safetensors`));
  const predict = createPredictor(card, arrays);
  return {
    name,
    labels,
    means: arrays["rejection.mean"]?.data ?? null,
    read: (drawing) => predict(lines(drawing), { asOne: true }),
    features: (drawing) => forward(network, arrays, prepare(lines(drawing)).map((value) => (value * BYTE_MAX) / card.input_scale)).features,
  };
}
