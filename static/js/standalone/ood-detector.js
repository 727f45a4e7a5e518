// The score of how closely an image resembles the training data, as app/models/ood/detector.py and outlier_head.py.

import { IMAGE_SIZE } from "./normalize.js";

const HALF = IMAGE_SIZE / 2;
const STEEPNESS = 4;
const TINY = 1e-6; // keeps a logarithm finite
const FAR = 6; // the limit of a deviation, in standard deviations
const MAX_EXPONENT = 50; // the limit of an exponent
const HEAD = ["middle", "spread", "weight", "bias", "weight_out", "bias_out"];

/**
 * `score(pixels, label, logits, features)` for a model, 0 to 1, larger is more familiar; null if `card`,
 * the rejection of its calibration, is null. `label` is the index of the predicted label.
 */
export function createDetector(card, arrays) {
  if (!card) return null;
  const [mean, basis] = ["mean", "basis"].map((name) => arrays[`rejection.${name}`].data);
  const head = card.outliers ? Object.fromEntries(HEAD.map((name) => [name, arrays[`rejection.outlier_${name}`].data])) : null;

  function score(pixels, label, logits, features) {
    const small = halved(pixels);
    const size = small.length;
    const offset = small.map((value, i) => value - mean[label * size + i]);
    let along = 0;
    for (let component = 0; component < card.components; component += 1) {
      let sum = 0;
      for (let i = 0; i < size; i += 1) sum += offset[i] * basis[(label * size + i) * card.components + component];
      along += sum * sum;
    }
    const residual = Math.log(Math.max(squares(offset) - along, 0) + TINY);
    const statistics = [residual, residual - Math.log(squares(small) + TINY), -logits[label]];
    const scales = [card.residual, card.relative, card.logit];
    let strangest = Math.max(...statistics.map((value, i) => anomalyScore(value, scales[i])));
    if (head !== null) {
      const falling = Array.from(logits).sort((a, b) => b - a);
      const found = outlierLogit(head, [...statistics, ...falling, ...features, ...small]);
      strangest = Math.max(strangest, anomalyScore(found, card.outliers));
    }
    return 1 / (1 + Math.exp(STEEPNESS * Math.min(Math.max(strangest, -MAX_EXPONENT), MAX_EXPONENT)));
  }

  return { score, isKnown: (value) => value >= card.threshold };
}

const anomalyScore = (value, { limit, spread }) => (value - limit) / spread;
const squares = (values) => values.reduce((sum, value) => sum + value * value, 0);

/** The image, 784 numbers, smoothed with (1, 2, 1) / 4 and at half its resolution: 196 numbers. */
function halved(pixels) {
  const at = (x, y) => (x < 0 || y < 0 || x >= IMAGE_SIZE || y >= IMAGE_SIZE ? 0 : pixels[y * IMAGE_SIZE + x]);
  const across = (x, y) => (at(x - 1, y) + 2 * at(x, y) + at(x + 1, y)) / 4;
  return Float64Array.from({ length: HALF * HALF }, (_, i) => {
    const [x, y] = [2 * (i % HALF), 2 * Math.floor(i / HALF)];
    return (across(x, y - 1) + 2 * across(x, y) + across(x, y + 1)) / 4;
  });
}

/** The logit of a small network trained on images that are no digits: larger is less familiar. */
function outlierLogit({ middle, spread, weight, bias, weight_out: out, bias_out: outBias }, features) {
  const hidden = Float64Array.from(bias);
  features.forEach((value, i) => {
    const scaled = Math.min(Math.max((value - middle[i]) / spread[i], -FAR), FAR);
    for (let unit = 0; unit < hidden.length; unit += 1) hidden[unit] += scaled * weight[i * hidden.length + unit];
  });
  return hidden.reduce((sum, value, unit) => sum + Math.max(value, 0) * out[unit], outBias[0]);
}
