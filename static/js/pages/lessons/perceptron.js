// A perceptron's training, input by input: the line, the weights, and the learning rule with its numbers.

import { get } from "../../api/client.js";
import { createPlane, points } from "../../charts/plane.js";
import { t } from "../../i18n/translate.js";
import { choice, player, row, short, slider, table } from "../../lib/controls.js";
import { element, setText } from "../../lib/dom.js";
import { debounced } from "../../lib/latest.js";
import { filmButtons } from "./film-buttons.js";

const RANGE = { x: [-0.5, 1.5], y: [-0.5, 1.5] };
export const GATES = [["and", "AND"], ["or", "OR"], ["nand", "NAND"], ["xor", "XOR"]];

/** The labels of a player's buttons. */
export const playerWords = () => ({ play: t("Play"), pause: t("Pause"), step: t("One step"), end: t("To the end"), reset: t("Back to the start") });

export async function mountPerceptron(body, busy) {
  let seed = 1;
  let found = null;
  const ask = debounced((signal) => busy(() => load(signal)));
  const gate = choice(t("Gate"), GATES, "and", ask);
  const rate = slider(t("Learning rate η"), { min: 0.05, max: 1, step: 0.05, value: 0.1 }, ask);
  const plane = createPlane({ label: t("The plane of the two inputs"), xTitle: "x₁", yTitle: "x₂", square: true });
  const where = element("p", { class: "figure-verdict", role: "status", "data-perceptron": "where" });
  const truth = table(t("Targets and answers"), ["x₁, x₂", t("target t"), t("answer y")]);
  const rule = table(t("The learning rule with its numbers"), [t("weight"), t("before"), "− η (y − t) x", t("after")]);
  const play = player({ count: () => (found?.steps.length ?? 0) + 1, go: show, milliseconds: 350, words: playerWords() });
  const other = element("button", { type: "button", class: "button" }, t("New initial weights"));
  other.addEventListener("click", () => {
    seed += 1;
    ask();
  });
  play.node.append(other, ...filmButtons({ title: t("The plane of the two inputs"), play, count: () => found.steps.length + 1, canvas: plane.canvas, name: () => `perceptron-${gate.value()}`, caption: () => t("{step} of {steps} steps", { step: play.at(), steps: found.steps.length }) }));
  const side = element("div", { class: "figure-side" }, where, truth.node, rule.node);
  body.replaceChildren(row(gate.node, rate.node), play.node, element("div", { class: "figure-pair" }, plane.node, side));

  async function load(signal) {
    const answer = await get(`/api/explain/perceptron?${new URLSearchParams({ gate: gate.value(), learning_rate: rate.value(), seed })}`);
    if (signal?.aborted) return;
    found = answer;
    play.stop();
    play.set(0);
  }

  function show(at) {
    if (found === null) return;
    const step = at === 0 ? null : found.steps[at - 1];
    const now = step ?? found.steps[0].before;
    const marked = step === null ? -1 : found.inputs.findIndex(([x1, x2]) => x1 === step.x[0] && x2 === step.x[1]);
    paint(now, marked);
    truth.show(
      found.inputs.map((x, i) => {
        const last = found.steps.slice(0, at).findLast((one) => one.x[0] === x[0] && one.x[1] === x[1]);
        const mark = last === undefined ? "" : last.y === last.t ? " ✓" : " ✗";
        return [`${x[0]}, ${x[1]}${i === marked ? " ←" : ""}`, String(found.targets[i]), last === undefined ? "–" : `${last.y}${mark}`];
      }),
    );
    rule.show(step === null ? [] : ruleOf(step));
    if (step === null) rule.show([["w₁", "", "", cell("w1", now.weights[0])], ["w₂", "", "", cell("w2", now.weights[1])], ["b", "", "", cell("b", now.bias)]]);
    where.setAttribute("aria-live", play.isPlaying() ? "off" : "polite"); // not announced at every tick
    setText(where, sentence(at, step));
  }

  function ruleOf({ x, y, t: target, before, weights, bias }) {
    const error = (input) => `− ${short(rate.value())} × (${y} − ${target})${input === null ? "" : ` × ${input}`}`;
    return [
      ["w₁", short(before.weights[0]), error(x[0]), cell("w1", weights[0])],
      ["w₂", short(before.weights[1]), error(x[1]), cell("w2", weights[1])],
      ["b", short(before.bias), error(null), cell("b", bias)],
    ];
  }

  const cell = (name, value) => element("span", { "data-perceptron": name }, short(value));

  function sentence(at, step) {
    if (step === null) return t("Before the first step: the weights are random.");
    if (at === found.steps.length && !found.settled && found.separable) return t("After {epochs} epochs it still makes mistakes: its steps are too small for these initial weights. Try a larger learning rate.", { epochs: found.epochs });
    if (at === found.steps.length && !found.settled) return t("After {epochs} epochs it still makes mistakes: no straight line separates the ■ from the ○.", { epochs: found.epochs });
    if (at === found.steps.length) return t("Settled in epoch {epoch}: all four answers are right, so nothing changes any more.", { epoch: step.epoch });
    const values = { epoch: step.epoch, sum: short(step.sum), y: step.y, t: step.t };
    return step.y === step.t ? t("Epoch {epoch}: the sum is {sum}, the answer {y} is right; nothing changes.", values) : t("Epoch {epoch}: the sum is {sum}, the answer {y} should be {t}; the weights move.", values);
  }

  function paint({ weights: [w1, w2], bias }, marked) {
    const words = t("The perceptron's line: {w1} x₁ + {w2} x₂ + {b} = 0", { w1: short(w1), w2: short(w2), b: short(bias) });
    plane.show(
      RANGE,
      (pen, place, theme) => {
        shadeSide(pen, place, theme.validation, w1, w2, bias);
        pen.strokeStyle = theme.ink;
        pen.lineWidth = 2;
        strokeLine(pen, place, w1, w2, bias);
        points(pen, place, theme, found.inputs, found.targets, marked);
      },
      words,
    );
  }

  await load();
}

/** Shades the side of the line with a positive sum. */
function shadeSide(pen, place, color, w1, w2, b) {
  const [[left, right], [low, high]] = [RANGE.x, RANGE.y];
  const corners = [[left, low], [right, low], [right, high], [left, high]];
  const sum = ([x, y]) => w1 * x + w2 * y + b;
  const outline = corners.flatMap((corner, i) => {
    const next = corners[(i + 1) % 4];
    const [here, there] = [sum(corner), sum(next)];
    const start = here > 0 ? [corner] : [];
    if (here > 0 === there > 0) return start;
    return [...start, corner.map((value, axis) => value + ((next[axis] - value) * here) / (here - there))];
  });
  pen.beginPath();
  for (const [x, y] of outline) pen.lineTo(place.x(x), place.y(y));
  pen.fillStyle = color;
  pen.globalAlpha = 0.25;
  pen.fill();
  pen.globalAlpha = 1;
}

/** Draws the line w1·x + w2·y + b = 0 across the plane; nothing if both weights are zero. */
function strokeLine(pen, place, w1, w2, b) {
  const length = Math.hypot(w1, w2);
  if (length === 0) return;
  const [x, y] = [(-w1 * b) / length ** 2, (-w2 * b) / length ** 2];
  const [dx, dy] = [(-w2 / length) * 9, (w1 / length) * 9];
  pen.beginPath();
  pen.moveTo(place.x(x - dx), place.y(y - dy));
  pen.lineTo(place.x(x + dx), place.y(y + dy));
  pen.stroke();
}
