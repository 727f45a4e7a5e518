// A label from a few examples, without training: the nearest of them at the last hidden layer is weighed against the
// network's own answer, as in Tip-Adapter (Zhang and others 2022, section 3.1). The weights of the network stay as they are.

const LEAST_DISTANCE = 0.02; // of cosine; examples that are equal would know nothing else
const MOST_TRUST = 20; // of logarithms: a factor of e²⁰
const MARGIN = Math.log(3); // by which the label is to win over the next one
const SMALLEST = 1e-12; // a probability, whose logarithm is finite
const FAMILIAR = 0.5; // the affinity from which a drawing that is no digit to the network is known by the examples

/** 1 − the cosine of the angle between two lists of numbers. */
export function cosineDistance(a, b) {
  let [dot, lengthA, lengthB] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    dot += a[i] * b[i];
    lengthA += a[i] * a[i];
    lengthB += b[i] * b[i];
  }
  return lengthA === 0 || lengthB === 0 ? 1 : 1 - dot / Math.sqrt(lengthA * lengthB);
}

/**
 * Learns `label` from at least two examples `{answer, features}`. Returns `{trust, read(answer, features)}`: the answer with
 * the examples' say. A drawing has the affinity exp(−(d / 2s)²) to them, d being the distance of the nearest, and s the
 * median of the examples' own; `trust` × affinity is added to the logarithm of the label's probability. It is as large
 * as it takes for each example to be read by the help of the others, and 0 if the network reads all of them by itself.
 */
export function learnLabel(label, examples) {
  const nearest = (features, others) => Math.min(...others.map((other) => cosineDistance(features, other.features)));
  const own = examples.map((example) => nearest(example.features, examples.filter((other) => other !== example)));
  const spread = Math.max(LEAST_DISTANCE, [...own].sort((a, b) => a - b)[Math.floor(own.length / 2)]);
  const affinity = (distance) => Math.exp(-((distance / (2 * spread)) ** 2));
  const needed = examples.map(({ answer }, i) => {
    const gap = logOf(bestOther(answer, label)) - logOf(answer.probabilities[label]);
    return gap + MARGIN <= 0 ? 0 : (gap + MARGIN) / affinity(own[i]);
  });
  const trust = Math.min(MOST_TRUST, Math.max(...needed));

  function read(answer, features) {
    if (answer.blank) return answer;
    const near = affinity(nearest(features, examples));
    const raised = { ...answer.probabilities, [label]: answer.probabilities[label] * Math.exp(trust * near) };
    const sum = Object.values(raised).reduce((a, b) => a + b, 0);
    const probabilities = Object.fromEntries(Object.entries(raised).map(([name, value]) => [name, value / sum]));
    const best = Object.keys(probabilities).reduce((a, b) => (probabilities[b] > probabilities[a] ? b : a));
    return { ...answer, label: best, probabilities, is_digit: answer.is_digit || (best === label && near >= FAMILIAR) };
  }

  return { trust, read };
}

const bestOther = ({ probabilities }, label) => Math.max(0, ...Object.entries(probabilities).map(([name, value]) => (name === label ? 0 : value)));
const logOf = (probability) => Math.log(Math.max(probability, SMALLEST));
