// The window of a convolution or a pooling layer on its way over an image: the products, their sum, and what becomes of it.

import { imageShape, paddingOf } from "../standalone/network.js";

const SLIDING = new Set(["conv2d", "max_pool2d", "average_pool2d"]);
const MIXING = new Set([...SLIDING, "dense", "softmax"]); // all others go number by number
const PASSING = new Set(["dropout", "flatten", "identity"]); // which change no value

/** The indices of the layers with a window that slides. */
export const slidingLayers = (layers) => layers.flatMap(({ type }, index) => (SLIDING.has(type) ? [index] : []));

/**
 * The window of layer `index` of a network's spec, with its arrays `{shape, data}` by name. `values` are those of `trace`.
 * Has the sizes of the image (`channels`, `height`, `width`), of the window (`kernel` [height, width], `stride`,
 * `padding`) and of what comes out (`maps`, `rows`, `columns`), and `after`, the types of the layers that follow it
 * number by number.
 */
export function createSlidingWindow({ layers }, arrays, values, index) {
  const spec = layers[index];
  const isConvolution = spec.type === "conv2d";
  const [channels, height, width] = imageShape(values[index].shape);
  const [maps, rows, columns] = values[index + 1].shape;
  const weight = isConvolution ? arrays[`${index}.weight`] : null;
  const kernel = isConvolution ? weight.shape.slice(2) : [spec.size, spec.size];
  const { stride } = spec;
  const { top, left, down, across } = paddingOf(isConvolution ? spec.padding : "valid", kernel);
  const padding = { top, left, bottom: down - top, right: across - left };
  const area = kernel[0] * kernel[1];
  let end = index + 1;
  while (end < layers.length && !MIXING.has(layers[end].type)) end += 1;
  const steps = layers.map(({ type }, i) => ({ type, i })).slice(index + 1, end).filter(({ type }) => !PASSING.has(type));

  /** Calls `visit(i, place)` for the numbers of a window in a channel, row by row; `place` in the input is −1 in the padding. */
  function each(channel, row, column, visit) {
    for (let i = 0; i < area; i += 1) {
      const y = row * stride - top + Math.floor(i / kernel[1]);
      const x = column * stride - left + (i % kernel[1]);
      visit(i, y < 0 || x < 0 || y >= height || x >= width ? -1 : (channel * height + y) * width + x);
    }
  }

  /** The numbers in the window of a channel, row by row, and which of them are padding. */
  function windowAt(channel, row, column) {
    const [pixels, outside] = [new Float64Array(area), new Uint8Array(area)];
    each(channel, row, column, (i, place) => {
      if (place < 0) outside[i] = 1;
      else pixels[i] = values[index].x[place];
    });
    return { pixels, outside };
  }

  /** The weights of a filter for a channel, row by row. */
  const weightsOf = (map, channel) => weight.data.subarray((map * channels + channel) * area, (map * channels + channel + 1) * area);

  /** The products of a window with the weights of a filter for one channel, row by row. */
  function productsAt(map, channel, row, column) {
    const weights = weightsOf(map, channel);
    return windowAt(channel, row, column).pixels.map((value, i) => value * weights[i]);
  }

  const total = (numbers) => numbers.reduce((sum, value) => sum + value, 0);

  /** What becomes of a number of the layer: `{type, value}` after each of the layers that follow it number by number. */
  const stepsAt = (place) => steps.map(({ type, i }) => ({ type, value: values[i + 1].x[place] }));

  /**
   * The number at a place of a map. Of a convolution: `sums`, that of the products of each channel, `inputs`, of all, the
   * `bias`, and the `sum` of both. Of a pooling: its `sum` or the largest, at `winner` in the window, as `value`. `steps`
   * are what becomes of it, and `last` is the number in the end.
   */
  function numberAt(map, row, column) {
    const place = (map * rows + row) * columns + column;
    const after = stepsAt(place);
    if (isConvolution) {
      const sums = Float64Array.from({ length: channels }, (_, channel) => total(productsAt(map, channel, row, column)));
      const [inputs, bias] = [total(sums), arrays[`${index}.bias`].data[map]];
      const value = inputs + bias;
      return { sums, inputs, bias, value, steps: after, last: after.at(-1)?.value ?? value };
    }
    const { pixels } = windowAt(map, row, column);
    const [sum, most] = [total(pixels), pixels.reduce((a, b) => Math.max(a, b), -Infinity)];
    const value = spec.type === "max_pool2d" ? most : sum / area;
    return { sum, winner: spec.type === "max_pool2d" ? pixels.indexOf(most) : null, value, steps: after, last: after.at(-1)?.value ?? value };
  }

  /** A map after the layers that follow it number by number, row by row. */
  const mapOf = (map) => values[(steps.at(-1)?.i ?? index) + 1].x.subarray(map * rows * columns, (map + 1) * rows * columns);

  /** A channel of the input with its padding, as `{pixels, outside, height, width}`. */
  function paddedInput(channel) {
    const [tall, wide] = [padding.top + height + padding.bottom, padding.left + width + padding.right];
    const [pixels, outside] = [new Float64Array(tall * wide), new Uint8Array(tall * wide).fill(1)];
    for (let row = 0; row < height; row += 1) {
      const start = (row + padding.top) * wide + padding.left;
      pixels.set(values[index].x.subarray((channel * height + row) * width, (channel * height + row + 1) * width), start);
      outside.fill(0, start, start + width);
    }
    return { pixels, outside, height: tall, width: wide };
  }

  /** The place [row, column] of the window whose middle is nearest to a place of the padded input. */
  function nearest(row, column) {
    const along = (at, size, count) => Math.max(0, Math.min(count - 1, Math.round((at - (size - 1) / 2) / stride)));
    return [along(row, kernel[0], rows), along(column, kernel[1], columns)];
  }

  /** The place [row, column] of the number of a map that is farthest from zero. */
  function strongest(map) {
    const best = mapOf(map).reduce((top, value, i, all) => (Math.abs(value) > Math.abs(all[top]) ? i : top), 0);
    return [Math.floor(best / columns), best % columns];
  }

  return {
    type: spec.type, isConvolution, channels, height, width, kernel, stride, padding, maps, rows, columns,
    after: steps.map(({ type }) => type),
    windowAt, weightsOf, productsAt, numberAt, mapOf, paddedInput, nearest, strongest,
  };
}
