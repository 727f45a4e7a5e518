// "Two sides, one clock": two players draw the same at one screen, and the side that is read first gets the point.

import { createClock } from "../../challenge/clock.js";
import { drawn, isDecided, isReadAs, ROUNDS } from "../../challenge/rules.js";
import { EMPTY, isEmpty } from "../../drawing/drawing.js";
import { shortcut } from "../../drawing/toolbar.js";
import { duration, percent } from "../../i18n/format.js";
import { t, tParts } from "../../i18n/translate.js";
import { byId, setText } from "../../lib/dom.js";
import { clearBars, ensureBars, showBars } from "../../prediction/bars.js";
import { ranked, withArticle } from "../../prediction/describe.js";
import { createPlace } from "./place.js";
import { large, pressOnEnter, showActions, showClock } from "./stage.js";
import { takenFor } from "./words.js";

const NAMES = ["left", "right"];
const [READY_SECONDS, SECONDS] = [3, 30];
const MOST_BARS = 10; // labels; of more the likeliest are shown

/** Binds the two papers. */
export function createSides() {
  const section = byId("sides-play");
  const actions = byId("sides-actions");
  const clock = createClock((left, seconds) => {
    if (stage !== "result") showClock(byId("sides-clock"), left, seconds);
  });
  let network = null;
  let stage = "result"; // "ready", "draw" or "result"
  let onFinal = null; // called while drawing, when a pen is lifted

  const sides = NAMES.map((name, index) => {
    const canvas = byId(`pad-${name}`);
    const bars = byId(`bars-${name}`);
    const guess = byId(`guess-${name}`);
    const side = { name, bars, guess, answer: null, points: 0 };
    side.place = createPlace({
      canvas,
      overlay: byId(`overlay-${name}`),
      hint: byId(`hint-${name}`),
      buttons: { clear: byId(`clear-${name}`) },
      severalHands: true,
      onRead({ answer, final }) {
        side.answer = answer;
        setText(guess, answer.blank ? "" : takenFor(answer));
        show(bars, answer);
        if (final) onFinal?.(index, answer);
      },
      onBlank() {
        side.answer = null;
        setText(guess, "");
        clearBars(bars);
      },
    });
    setText(byId(`hint-${name}`), t("Draw here"));
    canvas.addEventListener("keydown", (event) => {
      const action = shortcut(event);
      if (action !== null) side.place.act(action);
    });
    pressOnEnter(canvas, actions);
    return side;
  });

  function show(bars, answer) {
    const most = ranked(answer.probabilities).slice(0, MOST_BARS);
    if (network.labels.length > MOST_BARS) ensureBars(bars, most.map(([label]) => label));
    showBars(bars, answer.probabilities, answer.is_digit ? answer.label : null);
  }

  /** Lets both draw `label`. Resolves to the sides that were read in the same frame, [] after the time, and the seconds. */
  function race(label, certainty) {
    return new Promise((resolve) => {
      const winners = new Set();
      function end() {
        if (onFinal === null) return; // over, or stopped
        onFinal = null;
        const seconds = clock.elapsed();
        clock.stop();
        for (const { place } of sides) place.close({ now: false });
        resolve({ winners: [...winners], seconds });
      }
      stage = "draw";
      onFinal = (index, answer) => {
        if (!isReadAs(answer, label, certainty)) return;
        winners.add(index);
        if (winners.size === 1) requestAnimationFrame(end); // so that neither side is looked at first
      };
      clock.start(SECONDS, end);
      for (const { place } of sides) place.open(EMPTY);
    });
  }

  /** Counts to the start. */
  function getReady() {
    stage = "ready";
    for (const { place } of sides) {
      place.open(EMPTY);
      place.close({ now: true });
    }
    return new Promise((resolve) => clock.start(READY_SECONDS, resolve));
  }

  /** Plays all rounds. Returns the results, and the shortest time in seconds, or null. */
  async function play(given, { certainty }) {
    network = given;
    const labels = drawn(network.labels, ROUNDS.sides);
    const results = [];
    let fastest = null;
    for (const side of sides) {
      side.points = 0;
      setText(byId(`points-${side.name}`), "0");
      side.place.readWith(network.read);
      side.bars.replaceChildren();
      if (network.labels.length <= MOST_BARS) ensureBars(side.bars, network.labels);
    }
    for (const [i, label] of labels.entries()) {
      setText(byId("sides-round"), t("Round {round} of {rounds}", { round: i + 1, rounds: labels.length }));
      byId("sides-task").replaceChildren(t("Get ready …"));
      setText(byId("sides-note"), "");
      actions.replaceChildren();
      await getReady();
      byId("sides-task").replaceChildren(...tParts("Draw {label}", { label: large(withArticle(label)) }));
      setText(byId("sides-note"), t("Lift the pen to be read: the first that it is {percent} sure of gets the point.", { percent: percent(certainty, 0) }));
      const { winners, seconds } = await race(label, certainty);
      stage = "result";
      for (const index of winners) sides[index].points += 1;
      for (const { name, points } of sides) setText(byId(`points-${name}`), String(points));
      if (winners.length > 0) fastest = Math.min(fastest ?? seconds, seconds);
      setText(byId("sides-note"), wordsOf(winners, seconds));
      const isLast = isDecided(sides.map(({ points }) => points), i + 1, labels.length);
      await new Promise((resolve) => showActions(actions, [{ text: isLast ? t("See the result") : t("Next"), act: resolve, isMain: true }]));
      sides.forEach(({ name, place, answer }, index) => {
        const drawing = place.drawing();
        if (!isEmpty(drawing)) results.push({ label, side: sideName(name), drawing, answer, points: Number(winners.includes(index)), isRight: isReadAs(answer, label), isMeant: winners.includes(index) });
      });
      if (isLast) break;
    }
    return { results, fastest, ...endWords(sides.map(({ points }) => points)) };
  }

  function stop() {
    onFinal = null;
    stage = "result";
    clock.stop();
    for (const { place } of sides) place.close({ now: true });
    if (document.fullscreenElement) document.exitFullscreen();
  }

  byId("sides-full").hidden = !document.fullscreenEnabled;
  byId("sides-full").addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : section.requestFullscreen()));

  return { play, stop };
}

const sideName = (name) => (name === "left" ? t("Left side") : t("Right side"));

function wordsOf(winners, seconds) {
  if (winners.length === 0) return t("The time is up: neither was read.");
  if (winners.length === 2) return t("Both at once, after {time}: a point for each.", { time: duration(seconds) });
  return t("{side} was read first, after {time}.", { side: sideName(NAMES[winners[0]]), time: duration(seconds) });
}

function endWords([left, right]) {
  const values = { left, right };
  if (left === right) return { title: t("A draw, {left} to {right}", values), text: "" };
  return { title: left > right ? t("The left side wins, {left} to {right}", values) : t("The right side wins, {left} to {right}", values), text: "" };
}
