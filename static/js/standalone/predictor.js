// What a model says of a drawing, in the browser alone: the answers of POST /predict to strokes.

import { forward, softmax } from "./network.js";
import { applyRule, IMAGE_SIZE } from "./normalize.js";
import { createRejecter } from "./ood-detector.js";
import { drawStrokes, extentOf } from "./rasterize.js";
import { groupStrokes } from "./segment.js";

const BYTE_MAX = 255;
const MOST_POINTS = 10_000; // of a drawing
const SMALLEST = 2.2250738585072014e-308; // what a probability of nothing counts as, in logarithms
const LONGEST = Number.MAX_VALUE; // what a box without end is cut to

/** `predict(strokes)` for a model card and its arrays `{shape, data}`; strokes are [[[x, y], ...], ...], y down. */
export function createPredictor(card, arrays) {
  const { labels, calibration, network } = card;
  const factor = BYTE_MAX / card.input_scale;
  const rejecter = createRejecter(calibration?.rejection, arrays);
  const endsWithSoftmax = network.layers.at(-1).type === "softmax";

  function say(pixels) {
    const shown = { input: rows(pixels) };
    if (pixels.every((value) => value === 0)) {
      const equal = Object.fromEntries(labels.map((label) => [label, 1 / labels.length]));
      return { label: null, probabilities: equal, is_digit: false, score: rejecter && 0, blank: true, ...shown };
    }
    const { outputs, features } = forward(network, arrays, pixels.map((value) => value * factor));
    const logits = endsWithSoftmax ? outputs.map((value) => Math.log(Math.max(value, SMALLEST))) : outputs;
    const said = logits.reduce((best, value, i) => (value > logits[best] ? i : best), 0);
    const likely = softmax(logits.map((value) => value / (calibration?.temperature ?? 1)));
    const probabilities = Object.fromEntries(labels.map((label, i) => [label, likely[i]]));
    const score = rejecter && rejecter.score(pixels, said, logits, features);
    return { label: labels[said], probabilities, is_digit: rejecter?.isKnown(score) ?? true, score, blank: false, ...shown };
  }

  /** The answer to a drawing, with the 28×28 that the network saw. Throws TypeError for what are no strokes. */
  return function predict(strokes) {
    check(strokes);
    const answer = { ...say(prepare(strokes)), model: card.name };
    const groups = groupStrokes(strokes);
    if (groups.length < 2) return answer;
    const digits = groups.map((group) => {
      const own = group.map((index) => strokes[index]);
      const { blank, ...found } = say(prepare(own));
      return { box: boxOf(own), ...found };
    });
    return { ...answer, is_digit: false, score: rejecter && 0, digits, reading: reading(digits) };
  };
}

/** Strokes as the 784 numbers that the network sees. */
export function prepare(strokes) {
  const drawn = drawStrokes(strokes);
  return drawn === null ? new Float64Array(IMAGE_SIZE * IMAGE_SIZE) : applyRule(drawn.ink, drawn.box);
}

function check(strokes) {
  const isPoint = (point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
  if (!Array.isArray(strokes) || !strokes.every((stroke) => Array.isArray(stroke) && stroke.every(isPoint))) {
    throw new TypeError("strokes: expected a list of strokes, each a list of [x, y], two finite numbers");
  }
  const total = strokes.reduce((sum, stroke) => sum + stroke.length, 0);
  if (total > MOST_POINTS) throw new TypeError(`strokes: expected at most ${MOST_POINTS} points; got ${total}`);
}

function boxOf(strokes) {
  const { low, high } = extentOf(strokes.flat());
  return [...low, Math.min(high[0] - low[0], LONGEST), Math.min(high[1] - low[1], LONGEST)];
}

function reading(digits) {
  const said = digits.map(({ label, is_digit: isDigit }) => (isDigit && label !== null ? label : "?"));
  return said.join(said.every((label) => [...label].length === 1) ? "" : " ");
}

const rows = (pixels) =>
  Array.from({ length: IMAGE_SIZE }, (_, y) => Array.from(pixels.subarray(y * IMAGE_SIZE, (y + 1) * IMAGE_SIZE)));
