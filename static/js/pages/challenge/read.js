// "Read me": the network guesses while one draws what is asked for.

import { drawn, isReadAs, readPoints, ROUNDS } from "../../challenge/rules.js";
import { sentences } from "../../i18n/format.js";
import { t, tParts } from "../../i18n/translate.js";
import { withArticle } from "../../prediction/describe.js";
import { large } from "./stage.js";
import { gained, takenFor } from "./words.js";

/** Plays all rounds; `seconds` and `strokes` are limits, or null. Returns the results. */
export async function playRead(stage, network, { seconds, strokes }) {
  const labels = drawn(network.labels, ROUNDS.read);
  const results = [];
  let score = 0;
  for (const [i, label] of labels.entries()) {
    let used = 0;
    const note = sentences(seconds === null ? "" : t("The clock starts with your first stroke."), strokes === null ? "" : t("In at most {count} strokes.", { count: strokes }));
    stage.begin({ round: i + 1, rounds: labels.length, task: tParts("Draw {label}", { label: large(withArticle(label)) }), note });
    const { outcome, left } = await stage.draw({
      seconds,
      judge({ answer, final, grew }) {
        if (final && grew) used += 1;
        if (final && isReadAs(answer, label)) return "read"; // on lifting the pen: in the middle of a stroke it may be anything
        return used === strokes ? "strokes" : null;
      },
    });
    const points = outcome === "read" ? readPoints(left, seconds) : 0;
    score += points;
    stage.score(score);
    await stage.next({ words: sentences(...wordsOf(outcome, stage.answer(), points, strokes)), isLast: i === labels.length - 1 });
    results.push({ label, drawing: stage.drawing(), answer: stage.answer(), points, isRight: outcome === "read", isMeant: outcome === "read" && isReadAs(stage.answer(), label) });
  }
  const read = results.filter(({ isRight }) => isRight).length;
  return { results, score, text: t("It read {count} of {total}.", { count: read, total: results.length }) };
}

function wordsOf(outcome, answer, points, strokes) {
  const taken = t("It takes it for: {what}.", { what: takenFor(answer) });
  if (outcome === "read") return [taken, gained(points)];
  if (outcome === "time") return [t("The time is up."), taken];
  if (outcome === "strokes") return [t("The {count} strokes are used up, and it was not read.", { count: strokes }), taken];
  return [t("Skipped."), taken];
}
