// "Teach it in five tries": five drawings of one's own, then five that are read with their help.

import { learnLabel } from "../../challenge/few-shot.js";
import { drawn, isReadAs, ROUNDS, shuffled } from "../../challenge/rules.js";
import { sentences } from "../../i18n/format.js";
import { t, tParts } from "../../i18n/translate.js";
import { withArticle } from "../../prediction/describe.js";
import { large } from "./stage.js";
import { gained, takenFor } from "./words.js";

const [POINTS, MORE_POINTS] = [50, 100]; // for a drawing that is read, and for one that the network alone does not read
const OTHERS = 2; // drawings of other labels among those that are to be read
const ALL = ROUNDS.teach + ROUNDS.test;

/** Plays all rounds for the label that is taught. Returns the results. */
export async function playTeach(stage, network, { label }) {
  const results = [];
  const examples = [];
  for (let i = 0; i < ROUNDS.teach; i += 1) {
    stage.begin({
      round: i + 1,
      rounds: ALL,
      task: tParts("Draw your {label}", { label: large(label) }),
      note: i === 0 ? t("In your own way, or a sign of your own, but each time the same. The bars show the network alone.") : t("Once more, the same sign: {number} of {total}.", { number: i + 1, total: ROUNDS.teach }),
    });
    await stage.draw({ done: t("That is my {label}", { label }), skip: null });
    const [drawing, answer] = [stage.drawing(), stage.answer()];
    examples.push({ answer, features: network.features(drawing) });
    results.push({ label, drawing, answer, points: 0, isRight: isReadAs(answer, label), isMeant: true });
  }
  const learned = learnLabel(label, examples);
  const known = results.filter(({ isRight }) => isRight).length;
  await stage.next({ words: sentences(t("It has your five now: by itself it read {count} of them.", { count: known }), t("Now it reads with their help.")), text: t("Test it") });
  const tests = testsFor(label, network.labels, examples);
  let [score, read, alone] = [0, 0, 0];
  stage.readWith((drawing) => learned.read(network.read(drawing), network.features(drawing)));
  for (const [i, asked] of tests.entries()) {
    const task = asked === label ? tParts("Draw your {label}", { label: large(label) }) : tParts("Draw an ordinary {label}", { label: large(asked) });
    stage.begin({ round: ROUNDS.teach + i + 1, rounds: ALL, task, note: asked === label ? t("As you taught it.") : t("Has it forgotten what it knew?") });
    await stage.draw({ done: t("Read it"), skip: null });
    const [drawing, answer] = [stage.drawing(), stage.answer()];
    const byItself = network.read(drawing);
    const [isRight, isRightAlone] = [isReadAs(answer, asked), isReadAs(byItself, asked)];
    const points = isRight ? (isRightAlone ? POINTS : MORE_POINTS) : 0;
    score += points;
    [read, alone] = [read + isRight, alone + isRightAlone];
    stage.score(score);
    const words = [t("It takes it for: {what}.", { what: takenFor(answer) }), t("The network alone: {what}.", { what: takenFor(byItself) }), ...(points > 0 ? [gained(points)] : [])];
    await stage.next({ words: sentences(...words), isLast: i === tests.length - 1 });
    results.push({ label: asked, drawing, answer, points, isRight, isMeant: isRight });
  }
  const text = t("With your five drawings it read {read} of {total}, alone {alone}.", { read, alone, total: tests.length });
  return { results, score, text };
}

/** The labels that are asked for: the one that was taught, and those that it was taken for, else any. */
function testsFor(label, labels, examples) {
  const taken = examples.map(({ answer }) => answer.label);
  const others = [...new Set([...taken, ...shuffled(labels)])].filter((other) => other !== label);
  const asked = others.length === 0 ? [] : drawn(others.slice(0, OTHERS), OTHERS);
  return shuffled([...Array.from({ length: ROUNDS.test - asked.length }, () => label), ...asked]);
}
