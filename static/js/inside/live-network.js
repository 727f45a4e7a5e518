// A network at work on one image: the values of its units, and how much each adds to the next ones.
//
// A stage is a layer with weights and what follows it: its batch norm, activation and pooling. Its units are those of a
// dense layer, or the filters of a convolution, of which the strongest place of the feature map counts. Stage −1 is the
// image, and its units are the pixels.

import { imageShape, paddingOf, softmax, trace } from "../standalone/network.js";

const BYTE_MAX = 255;
const WEIGHTED = new Set(["dense", "conv2d"]);
const PASSING = new Set(["max_pool2d", "average_pool2d", "flatten", "dropout"]); // between weights and their batch norm
const WITHOUT_VALUES = new Set(["flatten", "dropout", "identity"]); // layers after which the values are as before
const MOST_MULTIPLICATIONS = 2e8; // of a forward pass in the browser

/** The stages of a network's layers: `{type, index, end}`, the layers from `index` up to but without `end`. */
export function stagesOf(layers) {
  const starts = layers.flatMap(({ type }, index) => (WEIGHTED.has(type) ? [index] : []));
  return starts.map((index, i) => {
    let end = starts[i + 1] ?? layers.length;
    while (end > index + 1 && WITHOUT_VALUES.has(layers[end - 1].type)) end -= 1;
    return { type: layers[index].type, index, end };
  });
}

/** The network of a model's card at work, with its arrays `{shape, data}` by name. Throws RangeError if it is too large. */
export function createLiveNetwork({ network, input_scale: inputScale, labels, calibration }, arrays) {
  const stages = stagesOf(network.layers);
  const last = stages.length - 1;
  const endsWithSoftmax = network.layers.at(-1).type === "softmax";
  const factor = BYTE_MAX / inputScale;
  if (stages.at(-1)?.type !== "dense" || arrays[`${stages.at(-1).index}.bias`].data.length !== labels.length) throw new RangeError("no dense layer at the end");
  checkAffordable(network, arrays);

  /** The work on an image of 784 numbers, 0 to 1: `{pixels, values, units, probabilities}`. */
  function look(pixels) {
    const values = trace(network, arrays, Float64Array.from(pixels, (value) => value * factor));
    const outputs = Array.from(values.at(-1).x);
    const logits = endsWithSoftmax ? outputs.map(Math.log) : outputs;
    const probabilities = softmax(logits.map((value) => value / (calibration?.temperature ?? 1)));
    return { pixels, values, probabilities, units: stages.map((stage) => unitsOf(stage, values)) };
  }

  /** The number of a stage's units. */
  const count = ({ index }) => arrays[`${index}.bias`].data.length;
  const scales = stages.map(scalesOf);

  /** The values of a stage's units: of a filter the largest of its map. */
  function unitsOf(stage, values) {
    const { x } = values[stage.end];
    const units = count(stage);
    const area = x.length / units;
    return area === 1 ? x : Float64Array.from({ length: units }, (_, map) => x.subarray(map * area, (map + 1) * area).reduce((a, b) => Math.max(a, b)));
  }

  /** The map of a filter after its stage, `{x, height, width}`; null for a stage of dense units. */
  function mapOf(work, stage, unit) {
    if (stages[stage].type === "dense") return null;
    const { x, shape } = work.values[stages[stage].end];
    const [, height, width] = shape.length === 1 ? work.values[stages[stage].index + 1].shape : shape;
    if (x.length !== count(stages[stage]) * height * width) return null; // pooled, then flattened within the stage
    return { x: x.subarray(unit * height * width, (unit + 1) * height * width), height, width };
  }

  /** The factors of the batch norm that follows a stage's weights, one for each unit or each number; null without one. */
  function scalesOf({ index }) {
    const norm = network.layers.findIndex(({ type }, i) => i > index && !PASSING.has(type));
    if (network.layers[norm]?.type !== "batch_norm") return null;
    const [gamma, variance] = ["gamma", "running_variance"].map((name) => arrays[`${norm}.${name}`].data);
    return gamma.map((value, i) => value / Math.sqrt(variance[i] + network.layers[norm].epsilon));
  }

  /**
   * The products of a unit: `products`, activation × weight of each unit of the stage before or of each pixel, and the
   * `scale` of the batch norm; of a filter at the strongest place of its map, `place` [row, column].
   */
  function productsOf(work, stage, unit) {
    const { type, index } = stages[stage];
    const { x } = work.values[index];
    const before = stage === 0 ? x.length : work.units[stage - 1].length;
    const products = new Float64Array(before);
    const each = x.length / before; // numbers of one unit before
    const add = (from, factor) => (products[Math.floor(from / each)] += x[from] * factor);
    if (type === "conv2d") return { products, ...convolve(work, stage, unit, add) };
    const { data, shape: [inputs, units] } = arrays[`${index}.weight`];
    for (let i = 0; i < inputs; i += 1) if (x[i] !== 0) add(i, data[i * units + unit]);
    return { products, scale: scales[stage]?.[unit] ?? 1, place: null };
  }

  /** Calls `add(from, weight)` for each input of a filter at the strongest place of its map; returns that and its scale. */
  function convolve(work, stage, unit, add) {
    const { index } = stages[stage];
    const [channels, height, width] = imageShape(work.values[index].shape);
    const { x, shape: [filters, outHeight, outWidth] } = work.values[index + 1];
    const area = outHeight * outWidth;
    const isShared = scales[stage] === null || scales[stage].length === filters; // one scale for the whole map
    const shared = isShared ? (scales[stage]?.[unit] ?? 1) : 1;
    const plane = x.subarray(unit * area, (unit + 1) * area);
    const best = plane.reduce((top, value, i) => (value * shared > plane[top] * shared ? i : top), 0);
    const place = [Math.floor(best / outWidth), best % outWidth];
    const { data, shape: [, , kernelHeight, kernelWidth] } = arrays[`${index}.weight`];
    const { stride, padding } = network.layers[index];
    const { top, left } = paddingOf(padding, [kernelHeight, kernelWidth]);
    for (let channel = 0; channel < channels; channel += 1) {
      for (let i = 0; i < kernelHeight; i += 1) {
        for (let j = 0; j < kernelWidth; j += 1) {
          const [row, column] = [place[0] * stride + i - top, place[1] * stride + j - left];
          if (row < 0 || column < 0 || row >= height || column >= width) continue;
          add((channel * height + row) * width + column, data[((unit * channels + channel) * kernelHeight + i) * kernelWidth + j]);
        }
      }
    }
    return { place, scale: isShared ? shared : (scales[stage][unit * area + best] ?? 1) };
  }

  /** What the units of the stage before, or the pixels, add to a unit: activation × weight × the batch norm's scale. */
  function partsOf(work, stage, unit) {
    const { products, scale } = productsOf(work, stage, unit);
    return products.map((value) => value * scale);
  }

  /** A unit's sum: `inputs`, activation × weight of all, its `bias`, the `sum` of both, and its `value` after the stage, `isNormalized` by a batch norm before. */
  function sumOf(work, stage, unit) {
    const { products, place } = productsOf(work, stage, unit);
    const inputs = products.reduce((a, b) => a + b, 0);
    const bias = arrays[`${stages[stage].index}.bias`].data[unit];
    return { inputs, bias, sum: inputs + bias, value: work.units[stage][unit], place, isNormalized: scales[stage] !== null };
  }

  /**
   * The `most` connections to units `shown` (lists by stage) from shown ones or from pixels that carry most:
   * `{stage, from, to, value}`, the strongest first within each gap. Each gap has the same number; those to the labels
   * are what speaks most for the answer.
   */
  function strongest(work, shown, most) {
    const each = Math.max(1, Math.floor(most / stages.length));
    return shown.flatMap((units, stage) => {
      if (units === null) return [];
      const before = stage === 0 ? null : shown[stage - 1];
      if (stage > 0 && before === null) return [];
      return stage === last ? toLabels(work, units, before, each) : top(work, stage, units, before, each);
    });
  }

  /** What speaks for the answer, then what speaks against it; without room for its label, the strongest of all. */
  function toLabels(work, shown, before, most) {
    const answer = work.probabilities.indexOf(Math.max(...work.probabilities));
    if (!shown.includes(answer)) return top(work, last, shown, before, most);
    return [...top(work, last, [answer], before, most, (value) => value), ...top(work, last, [answer], before, most, (value) => -value)].slice(0, most);
  }

  /** The connections that brought a unit about, back to the ink: the `most` that add most, stage by stage. */
  function causes(work, shown, stage, unit, most) {
    const each = Math.max(1, Math.floor(most / (stage + 1)));
    let goals = [unit];
    const found = [];
    for (let at = stage; at >= 0; at -= 1) {
      const before = at === 0 ? null : shown[at - 1];
      if (at > 0 && before === null) break;
      const lit = top(work, at, goals, before, each, (value) => value);
      found.push(...lit);
      goals = [...new Set(lit.map(({ from }) => from))];
    }
    return found;
  }

  /** The `most` connections from a unit to shown ones of the next stage that carry most. */
  function effects(work, shown, stage, unit, most) {
    return top(work, stage + 1, shown[stage + 1] ?? [], [unit], most);
  }

  /**
   * The `most` connections from units `before`, all where it is null, to units `goals` that have the largest `rank(value)`
   * above zero, the largest first. One pass without an object for each, as it runs in every frame.
   */
  function top(work, stage, goals, before, most, rank = Math.abs) {
    const best = [];
    for (const to of goals) {
      const parts = partsOf(work, stage, to);
      // a softmax only sees how much a unit adds to a label beyond what it adds to all of them
      if (stage === last) (work.common ??= commonParts(work)).forEach((value, i) => (parts[i] -= value));
      for (const from of before ?? parts.keys()) {
        const size = rank(parts[from]);
        if (!(size > 0) || (best.length === most && size <= rank(best.at(-1).value))) continue;
        let place = best.length;
        while (place > 0 && rank(best[place - 1].value) < size) place -= 1;
        best.splice(place, 0, { stage, from, to, value: parts[from] });
        if (best.length > most) best.pop();
      }
    }
    return best;
  }

  /** What each unit before the last stage adds to all labels alike. */
  function commonParts(work) {
    const all = labels.map((_, label) => partsOf(work, last, label));
    return all[0].map((_, i) => all.reduce((sum, parts) => sum + parts[i], 0) / all.length);
  }

  /** The weights of a unit of the first stage, one for each pixel; null for a filter. */
  function weightsOf(unit) {
    const [{ type, index }] = stages;
    const { data, shape: [inputs, units] } = arrays[`${index}.weight`];
    return type === "dense" ? Float64Array.from({ length: inputs }, (_, i) => data[i * units + unit]) : null;
  }

  return { stages, last, labels, look, mapOf, partsOf, sumOf, strongest, causes, effects, weightsOf, count: (stage) => count(stages[stage]) };
}

/** Throws RangeError if a forward pass in the browser would take too long. */
export function checkAffordable(network, arrays) {
  if (multiplications(network, arrays) > MOST_MULTIPLICATIONS) throw new RangeError("too many multiplications");
}

/** The multiplications of a forward pass. */
function multiplications({ layers, input_shape: inputShape }, arrays) {
  let area = inputShape.reduce((a, b) => a * b, 1);
  return layers.reduce((sum, { type, stride = 1 }, index) => {
    if (type === "dense") return sum + arrays[`${index}.weight`].data.length;
    if (type.endsWith("pool2d")) area /= stride ** 2;
    if (type !== "conv2d") return sum;
    area /= stride ** 2;
    return sum + area * arrays[`${index}.weight`].data.length;
  }, 0);
}

/**
 * Which units of a stage to show, at most `most`, as places in a list: those with the largest values. One that is shown
 * keeps its place while it is among the largest `most` × `SLACK`, so that nothing jumps while one draws.
 */
export function chooseUnits(values, most, before) {
  const all = Array.from(values.keys());
  if (all.length <= most) return all;
  const ranked = all.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));
  const kept = new Set(ranked.slice(0, Math.ceil(most * SLACK)));
  const next = (before ?? []).slice(0, most).map((unit) => (kept.has(unit) ? unit : null));
  while (next.length < most) next.push(null);
  const used = new Set(next);
  const fresh = ranked.filter((unit) => !used.has(unit));
  return next.map((unit) => unit ?? fresh.shift());
}

const SLACK = 1.5;
