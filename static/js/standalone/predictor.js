// Predictions in the browser alone: the answers of POST /predict to strokes.

import { MAX_POINTS } from "../drawing/strokes.js";
import { forward, softmax } from "./network.js";
import { IMAGE_SIZE, normalize } from "./normalize.js";
import { createDetector } from "./ood-detector.js";
import { drawStrokes, extentOf } from "./rasterize.js";
import { segmentStrokes } from "./segment.js";

const BYTE_MAX = 255;
const SMALLEST_PROBABILITY = 2 ** -126; // as in app/nn/network.py
const LONGEST = Number.MAX_VALUE; // the limit of an infinite box

/**
 * `predict(strokes, {asOne})` for a model card and its arrays `{shape, data}`; strokes are [[[x, y], ...], ...], y down. Of
 * several digits side by side each is read, unless the drawing is to be read `asOne`.
 */
export function createPredictor(card, arrays) {
  const { labels, calibration, network } = card;
  const factor = BYTE_MAX / card.input_scale;
  const detector = createDetector(calibration?.rejection, arrays);
  const endsWithSoftmax = network.layers.at(-1).type === "softmax";

  function read(pixels) {
    const input = rows(pixels);
    if (pixels.every((value) => value === 0)) {
      const equal = Object.fromEntries(labels.map((label) => [label, 1 / labels.length]));
      return { label: null, probabilities: equal, is_digit: false, score: detector && 0, blank: true, input };
    }
    const { outputs, features } = forward(network, arrays, pixels.map((value) => value * factor));
    const logits = endsWithSoftmax ? outputs.map((value) => Math.log(Math.max(value, SMALLEST_PROBABILITY))) : outputs;
    const best = logits.reduce((index, value, i) => (value > logits[index] ? i : index), 0);
    const likely = softmax(logits.map((value) => value / (calibration?.temperature ?? 1)));
    const probabilities = Object.fromEntries(labels.map((label, i) => [label, likely[i]]));
    const score = detector && detector.score(pixels, best, logits, features);
    return { label: labels[best], probabilities, is_digit: detector?.isKnown(score) ?? true, score, blank: false, input };
  }

  /** The answer to a drawing, with the network's 28×28 input. Throws TypeError for invalid strokes. */
  return function predict(strokes, { asOne = false } = {}) {
    check(strokes);
    const answer = { ...read(prepare(strokes)), model: card.name };
    const groups = asOne ? [] : segmentStrokes(strokes);
    if (groups.length < 2) return answer;
    const digits = groups.map((group) => {
      const part = group.map((index) => strokes[index]);
      const { blank, ...digit } = read(prepare(part));
      return { box: boxOf(part), ...digit };
    });
    return { ...answer, is_digit: false, score: detector && 0, digits, reading: reading(digits) };
  };
}

/** Strokes as the network's 784 inputs. */
export function prepare(strokes) {
  const drawn = drawStrokes(strokes);
  return drawn === null ? new Float64Array(IMAGE_SIZE * IMAGE_SIZE) : normalize(drawn.ink, drawn.box);
}

function check(strokes) {
  const isPoint = (point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
  if (!Array.isArray(strokes) || !strokes.every((stroke) => Array.isArray(stroke) && stroke.every(isPoint))) {
    throw new TypeError("strokes: expected a list of strokes, each a list of [x, y], two finite numbers");
  }
  const total = strokes.reduce((sum, stroke) => sum + stroke.length, 0);
  if (total > MAX_POINTS) throw new TypeError(`strokes: expected at most ${MAX_POINTS} points; got ${total}`);
}

function boxOf(strokes) {
  const { low, high } = extentOf(strokes.flat());
  return [...low, Math.min(high[0] - low[0], LONGEST), Math.min(high[1] - low[1], LONGEST)];
}

function reading(digits) {
  const known = digits.map(({ label, is_digit: isDigit }) => (isDigit && label !== null ? label : "?"));
  return known.join(known.every((label) => [...label].length === 1) ? "" : " ");
}

const rows = (pixels) =>
  Array.from({ length: IMAGE_SIZE }, (_, y) => Array.from(pixels.subarray(y * IMAGE_SIZE, (y + 1) * IMAGE_SIZE)));
