// The rules of the challenges: which labels are asked for, what counts as read, and the points.

export const LEAST = 0.5; // the probability from which a drawing counts as read
export const SURE = 0.8; // the probability from which a drawing may be turned into another label
export const ROUNDS = { read: 10, fool: 5, teach: 5, test: 5, sides: 10 };
export const MOST_STROKES = 3; // of the variant with few strokes

const FEWEST_POINTS = 10; // for fooling the network at all
const LEAST_LIKENESS = 1e-9;

/** Pairs of digits [drawn, taken for]: a stroke or two turn the shipped model's reading of the first into the second. */
const DIGIT_PAIRS = ["49", "17", "38", "56", "72", "08", "59", "28", "68", "98", "79", "14"].map((pair) => [...pair]);

/** Whether an answer takes the drawing for `label`, at least that surely. */
export const isReadAs = (answer, label, certainty = LEAST) => answer.label === label && answer.is_digit && answer.probabilities[label] >= certainty;

/** The items in random order. */
export function shuffled(items, random = Math.random) {
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}

/** `count` of the items in random order, all of them before one comes again. */
export function drawn(items, count, random = Math.random) {
  const found = [];
  while (found.length < count) found.push(...shuffled(items, random));
  return found.slice(0, count);
}

/** Points for a drawing that was read with `left` of `seconds` on the clock: 50 to 100; 50 without a clock (null). */
export const readPoints = (left, seconds) => (seconds === null ? 50 : 50 + Math.round((50 * left) / seconds));

/** The length of strokes `{line, width}` in units; a dot counts as long as it is wide. */
export const inkOf = (strokes) => strokes.reduce((sum, { line, width }) => sum + Math.max(width, lengthOf(line)), 0);

const lengthOf = (line) => line.reduce((sum, [x, y], i) => (i === 0 ? 0 : sum + Math.hypot(x - line[i - 1][0], y - line[i - 1][1])), 0);

/** Points for fooling the network by adding ink: 100 less a point for each percent that was added, at least 10. */
export const foolPoints = (before, added) => Math.max(FEWEST_POINTS, Math.round(100 * (1 - added / before)));

/**
 * `count` pairs [drawn, taken for] to fool a network with. `means` are the mean images of its labels, one after the other,
 * or null: without them, and for labels that are no digits, any two labels are a pair.
 */
export function foolingPairs(labels, count, means = null, random = Math.random) {
  const known = DIGIT_PAIRS.filter((pair) => pair.every((label) => labels.includes(label)));
  if (known.length >= count && labels.every((label) => /^\d$/.test(label))) return [known[0], ...shuffled(known.slice(1), random)].slice(0, count);
  const likely = means === null ? [] : similarPairs(labels, means, count);
  return drawn(likely.length > 0 ? likely : anyPairs(labels, random), count, random);
}

/** Each label with another one, at random. */
function anyPairs(labels, random) {
  const mixed = shuffled(labels, random);
  return mixed.map((label, i) => [label, mixed[(i + 1) % mixed.length]]);
}

/** The `count` pairs whose mean images are most alike where ink is only added; each label is drawn once. */
function similarPairs(labels, means, count) {
  const size = means.length / labels.length;
  const meanOf = (i) => means.subarray(i * size, (i + 1) * size);
  const nearest = labels.map((label, i) => {
    const costs = labels.map((_, j) => (i === j ? Infinity : addingCost(meanOf(i), meanOf(j))));
    const best = costs.indexOf(Math.min(...costs));
    return { pair: [label, labels[best]], cost: costs[best] };
  });
  return nearest.sort((a, b) => a.cost - b.cost).slice(0, count).map(({ pair }) => pair);
}

/** The ink that must be added to an image, and twice that which would have to go, as a share of its own. */
function addingCost(from, to) {
  let [own, cost] = [LEAST_LIKENESS, 0];
  from.forEach((value, i) => {
    own += value;
    cost += value > to[i] ? 2 * (value - to[i]) : to[i] - value;
  });
  return cost / own;
}

/** Whether the other side of `[left, right]` points can no longer catch up in the rounds that are left. */
export const isDecided = ([left, right], played, rounds = ROUNDS.sides) => played >= rounds || Math.abs(left - right) > rounds - played;
