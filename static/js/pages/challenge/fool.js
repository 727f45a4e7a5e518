// "Fool it": a drawing that the network is sure of is turned into another label with as little ink as possible.

import { foolingPairs, foolPoints, inkOf, isReadAs, ROUNDS, SURE } from "../../challenge/rules.js";
import { percent, sentences } from "../../i18n/format.js";
import { t, tParts } from "../../i18n/translate.js";
import { withArticle } from "../../prediction/describe.js";
import { large } from "./stage.js";
import { gained, takenFor } from "./words.js";

/** Plays all rounds. Returns the results. */
export async function playFool(stage, network) {
  const pairs = foolingPairs(network.labels, ROUNDS.fool, network.means);
  const results = [];
  let score = 0;
  for (const [i, [label, other]] of pairs.entries()) {
    const names = { label: withArticle(label), other: withArticle(other) };
    stage.begin({
      round: i + 1,
      rounds: pairs.length,
      task: tParts("Draw {label} that it takes for {other}", { label: large(names.label), other: large(names.other) }),
      note: t("First draw {label}, until it is {percent} sure of it.", { ...names, percent: percent(SURE, 0) }),
    });
    const first = await stage.draw({ done: t("Now fool it"), isDone: ({ answer }) => isReadAs(answer, label, SURE) });
    const before = stage.drawing();
    const added = () => inkOf(stage.drawing().strokes.slice(before.strokes.length));
    const share = () => added() / inkOf(before.strokes);
    let outcome = first.outcome;
    if (outcome === "done") {
      stage.note(t("It is sure. Now add to it until it takes it for {other}; Clear takes away what you added.", names));
      ({ outcome } = await stage.draw({
        start: before,
        isCut: true,
        skip: t("Give up"),
        judge({ answer, final }) {
          if (final && share() > 0) stage.note(t("Ink added: {percent}.", { percent: percent(share(), 0) }));
          return isReadAs(answer, other) ? "fooled" : null;
        },
      }));
    }
    const isRight = outcome === "fooled";
    const points = isRight ? foolPoints(inkOf(before.strokes), added()) : 0;
    score += points;
    stage.score(score);
    const taken = t("It takes it for: {what}.", { what: takenFor(stage.answer()) });
    const words = isRight ? [t("Fooled, with {percent} more ink.", { percent: percent(share(), 0) }), taken, gained(points)] : [t("Not fooled."), taken];
    await stage.next({ words: sentences(...words), isLast: i === pairs.length - 1 });
    results.push({ label, drawing: stage.drawing(), answer: stage.answer(), points, isRight, isMeant: false });
  }
  const fooled = results.filter(({ isRight }) => isRight).length;
  const text = sentences(
    t("You fooled it {count} of {total} times.", { count: fooled, total: results.length }),
    t("Which are still the label to you? From those it would learn most: choose them, and keep them."),
  );
  return { results, score, text };
}
