// The forward pass of a network as app/nn computes it, for one image, in double precision.

const CUBIC = 0.044715; // of GELU's approximation

const size = (shape) => shape.reduce((product, length) => product * length, 1);
export const imageShape = (shape) => (shape.length === 2 ? [1, ...shape] : shape);
const outputsAlong = (length, window, stride, padding = 0) => (length + padding - window) / stride + 1;

/** Each takes the numbers `x` of the shape `shape`, a layer's spec and its arrays, and returns `{x, shape}`. */
const LAYERS = {
  dense,
  conv2d,
  batch_norm: batchNorm,
  max_pool2d: pool((values) => Math.max(...values)),
  average_pool2d: pool((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
  flatten: (x, shape) => ({ x, shape: [size(shape)] }),
  dropout: (x, shape) => ({ x, shape }),
  identity: (x, shape) => ({ x, shape }),
  step: each(() => (value) => (value > 0 ? 1 : 0)),
  relu: each(() => (value) => Math.max(value, 0)),
  leaky_relu: each(({ slope }) => (value) => Math.max(value, value * slope)),
  sigmoid: each(() => (value) => (Math.tanh(value * 0.5) + 1) * 0.5),
  tanh: each(() => Math.tanh),
  gelu: each(({ approximate }) =>
    approximate === "tanh"
      ? (value) => (value * (Math.tanh(Math.sqrt(2 / Math.PI) * (value + CUBIC * value ** 3)) + 1)) / 2
      : (value) => (value * (erf(value * Math.SQRT1_2) + 1)) / 2,
  ),
  softmax: softmaxLayer,
};

/** Whether every layer of a network's spec is computed here. */
export const canCompute = ({ layers }) => layers.every(({ type }) => Object.hasOwn(LAYERS, type));

/**
 * The values after each layer, `{x, shape}`, the image itself being the first. `network` is its spec, `arrays` are its
 * weights as `{shape, data}` by name.
 */
export function trace({ layers, input_shape: shape }, arrays, pixels) {
  const values = [{ x: pixels, shape }];
  layers.forEach((spec, index) => {
    const { x, shape } = values[index];
    values.push(LAYERS[spec.type](x, shape, spec, (name) => arrays[`${index}.${name}`]));
  });
  return values;
}

/** The forward pass for an image: `{outputs, features}`, the features being the input of the last dense layer. */
export function forward(network, arrays, pixels) {
  const kinds = network.layers.map(({ type }) => type);
  const last = kinds.includes("dense") ? kinds.lastIndexOf("dense") : kinds.length - 1;
  const values = trace(network, arrays, pixels);
  return { outputs: values.at(-1).x, features: values[Math.max(last, 0)].x };
}

/** The softmax of logits. */
export function softmax(logits) {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = logits.map((value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}

function each(make) {
  return (x, shape, spec) => ({ x: x.map(make(spec)), shape });
}

function dense(x, shape, spec, array) {
  const { data } = array("weight");
  const y = Float64Array.from(array("bias").data);
  const units = y.length;
  for (let i = 0, start = 0; i < x.length; i += 1, start += units) {
    const value = x[i];
    if (value === 0) continue;
    for (let unit = 0; unit < units; unit += 1) y[unit] += value * data[start + unit];
  }
  return { x: y, shape: [units] };
}

function batchNorm(x, shape, { epsilon }, array) {
  const [gamma, beta, mean, variance] = ["gamma", "beta", "running_mean", "running_variance"].map((name) => array(name).data);
  const scale = Float64Array.from(gamma, (value, i) => value / Math.sqrt(variance[i] + epsilon));
  const each = x.length / gamma.length;
  return { x: x.map((value, i) => (value - mean[Math.floor(i / each)]) * scale[Math.floor(i / each)] + beta[Math.floor(i / each)]), shape };
}

function softmaxLayer(x, shape) {
  const width = shape.at(-1);
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) y.set(softmax(x.subarray(start, start + width)), start);
  return { x: y, shape };
}

/** The padding at the top and left, and in total along each axis. */
export function paddingOf(padding, [height, width]) {
  if (padding === "valid") return { top: 0, left: 0, down: 0, across: 0 };
  if (padding === "same") {
    return { top: (height - 1) >> 1, left: (width - 1) >> 1, down: height - 1, across: width - 1 };
  }
  return { top: padding, left: padding, down: 2 * padding, across: 2 * padding };
}

function conv2d(x, shape, { stride, padding }, array) {
  const [channels, height, width] = imageShape(shape);
  const { shape: [filters, , kernelHeight, kernelWidth], data } = array("weight");
  const bias = array("bias").data;
  const { top, left, down, across } = paddingOf(padding, [kernelHeight, kernelWidth]);
  const [outHeight, outWidth] = [outputsAlong(height, kernelHeight, stride, down), outputsAlong(width, kernelWidth, stride, across)];
  const y = new Float64Array(filters * outHeight * outWidth);
  for (let filter = 0; filter < filters; filter += 1) {
    const plane = y.subarray(filter * outHeight * outWidth, (filter + 1) * outHeight * outWidth).fill(bias[filter]);
    for (let channel = 0; channel < channels; channel += 1) {
      for (let i = 0; i < kernelHeight; i += 1) {
        for (let j = 0; j < kernelWidth; j += 1) {
          const weight = data[((filter * channels + channel) * kernelHeight + i) * kernelWidth + j];
          if (weight === 0) continue;
          for (let row = 0; row < outHeight; row += 1) {
            const from = row * stride + i - top;
            if (from < 0 || from >= height) continue;
            const start = (channel * height + from) * width + j - left;
            const first = Math.max(0, Math.ceil((left - j) / stride));
            const end = Math.min(outWidth, Math.floor((width - 1 + left - j) / stride) + 1);
            for (let column = first; column < end; column += 1) plane[row * outWidth + column] += weight * x[start + column * stride];
          }
        }
      }
    }
  }
  return { x: y, shape: [filters, outHeight, outWidth] };
}

function pool(reduce) {
  return (x, shape, { size: window, stride }) => {
    const [channels, height, width] = imageShape(shape);
    const [outHeight, outWidth] = [outputsAlong(height, window, stride), outputsAlong(width, window, stride)];
    const y = new Float64Array(channels * outHeight * outWidth);
    const values = new Float64Array(window * window);
    for (let place = 0; place < y.length; place += 1) {
      const column = place % outWidth;
      const row = Math.floor(place / outWidth) % outHeight;
      const start = (Math.floor(place / (outWidth * outHeight)) * height + row * stride) * width + column * stride;
      for (let i = 0; i < values.length; i += 1) values[i] = x[start + Math.floor(i / window) * width + (i % window)];
      y[place] = reduce(values);
    }
    return { x: y, shape: [channels, outHeight, outWidth] };
  };
}

// The error function, which JavaScript does not have, as app/nn/layers/activations.py.
// Cody 1969, "Rational Chebyshev approximations for the error function", Math. Comp. 23, 631–637, with the coefficients
// of his CALERF (netlib specfun): numerator and denominator, highest power first.

const NEAR = [
  [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694],
  [1.0, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
];
const MIDDLE = [
  [2.1531153547440383e-08, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972],
  [1.0, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597, 4362.619090143247, 3439.3676741437216, 1230.3393548037495],
];
const FAR = [
  [0.016315387137302097, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275, 0.0006587491615298378],
  [1.0, 2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918],
];
const [NEAR_END, FAR_START] = [0.46875, 4]; // the limits of the three approximations

/** 2/√π ∫₀ˣ e^(−t²) dt. */
export function erf(x) {
  const size = Math.abs(x);
  if (size <= NEAR_END) return x * ratio(NEAR, x * x);
  if (size <= FAR_START) return Math.sign(x) * (1 - Math.exp(-size * size) * ratio(MIDDLE, size));
  const far = Math.min(size, 10); // beyond 6 it is 1 in double precision
  const w = 1 / (far * far);
  return Math.sign(x) * (1 - (Math.exp(-far * far) * (1 / Math.sqrt(Math.PI) - w * ratio(FAR, w))) / far);
}

const ratio = ([numerator, denominator], x) => polynomial(numerator, x) / polynomial(denominator, x);
const polynomial = (coefficients, x) => coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
