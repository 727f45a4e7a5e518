// The stage of the games for one player: the task, the clock, the paper, the answer, and what comes next.

import { createClock } from "../../challenge/clock.js";
import { EMPTY } from "../../drawing/drawing.js";
import { listenToShortcuts } from "../../drawing/toolbar.js";
import { count } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { byId, element, setText } from "../../lib/dom.js";
import { createAnswer } from "../../prediction/answer.js";
import { createPlace } from "./place.js";

/** Shows buttons in a node for actions `{text, act, isMain, isOff}`; returns them. */
export function showActions(node, actions) {
  const buttons = actions.map(({ text, act, isMain = false, isOff = false }) => {
    const button = element("button", { type: "button", class: isMain ? "button accent" : "button", disabled: isOff, "data-main": isMain }, text);
    button.addEventListener("click", act);
    return button;
  });
  const hadFocus = node.contains(document.activeElement);
  node.replaceChildren(...buttons);
  if (hadFocus) buttons[0].focus();
  return buttons;
}

/** Presses the main action of a node where Enter is pressed on a paper. */
export function pressOnEnter(canvas, node) {
  canvas.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.repeat) return;
    event.preventDefault();
    node.querySelector("[data-main]:enabled")?.click();
  });
}

/** Shows a clock's seconds; without an end those that are left are null, and nothing is shown. */
export function showClock(node, left, seconds) {
  setText(node, left === null ? "" : t("{seconds} s", { seconds: Math.ceil(left) }));
  node.toggleAttribute("data-late", left !== null && left <= 5);
  node.style.setProperty("--left", seconds === null ? 0 : left / seconds);
}

/** Binds the stage; `labels` are those of the first network. */
export function createStage(labels) {
  const canvas = byId("pad");
  const actions = byId("play-actions");
  const answer = createAnswer(labels, { onParts() {} });
  const clock = createClock((left, seconds) => showClock(byId("play-clock"), left, seconds));
  const place = createPlace({
    canvas,
    overlay: byId("overlay"),
    hint: byId("hint"),
    buttons: { undo: byId("undo"), clear: byId("clear") },
    severalHands: false,
    onRead: hear,
    onBlank() {
      last = null;
      answer.showBlank();
      waiting?.allow(false);
    },
  });
  let last = null; // the answer to what is on the paper
  let waiting = null; // {judge, finish, allow} of the drawing that is asked for

  setText(byId("hint"), t("Draw here"));
  listenToShortcuts({ undo: () => place.act("undo"), redo: () => place.act("redo"), clear: () => place.act("clear") });
  pressOnEnter(canvas, actions);

  function hear(reading) {
    last = reading.answer;
    answer.show(reading.answer, reading.milliseconds, reading.final);
    if (waiting === null) return;
    waiting.begin();
    waiting.allow(reading.final && waiting.isDone(reading));
    const outcome = waiting.judge(reading);
    if (outcome !== null) waiting.finish(outcome, { isCut: waiting.isCut });
  }

  return {
    /** Prepares for a game with a network. */
    prepare(network) {
      place.readWith(network.read);
      answer.useLabels(network.labels);
      setText(byId("play-score"), t("{count} points", { count: 0 }));
    },
    readWith: place.readWith,
    /** The answer to what is on the paper, null for an empty one; and the drawing. */
    answer: () => last,
    drawing: place.drawing,
    /** Shows a round; `task` is a list of texts and nodes. */
    begin({ round, rounds, task, note = "" }) {
      setText(byId("play-round"), t("Round {round} of {rounds}", { round, rounds }));
      byId("play-task").replaceChildren(...task);
      setText(byId("play-note"), note);
    },
    note: (text) => setText(byId("play-note"), text),
    score: (points) => setText(byId("play-score"), t("{count} points", { count: count(points) })),
    /**
     * Lets draw, on a paper with the drawing `start`. Resolves to `{outcome, left}`: what `judge(reading)` gives if it is not
     * null, "time" `seconds` after the first stroke began, "skip", or "done" by a button with the text `done`, which can be pressed while
     * `isDone(reading)` holds. `isCut` ends the stroke that led to an outcome; else it may be ended. `left` are the
     * seconds on the clock, or null.
     */
    draw({ start = EMPTY, seconds = null, judge = () => null, done = null, isDone = () => true, isCut = false, skip = t("Skip") }) {
      return new Promise((resolve) => {
        function finish(outcome, cut = { isCut: true }) {
          waiting = null;
          const left = clock.left();
          clock.stop();
          place.close({ now: cut.isCut });
          resolve({ outcome, left });
        }
        const doneAction = done === null ? [] : [{ text: done, act: () => finish("done"), isMain: true, isOff: true }];
        const skipAction = skip === null ? [] : [{ text: skip, act: () => finish("skip") }];
        const [first] = showActions(actions, [...doneAction, ...skipAction]);
        const allow = (isAllowed) => {
          if (done !== null) first.disabled = !isAllowed;
        };
        let hasBegun = false;
        const begin = () => {
          if (!hasBegun) clock.start(seconds, () => finish("time"));
          hasBegun = true;
        };
        waiting = { judge, finish, allow, begin, isDone, isCut };
        place.open(start);
        showClock(byId("play-clock"), seconds, seconds);
        canvas.focus({ preventScroll: true });
      });
    },
    /** Shows how a round went, until the next one is asked for. */
    next({ words, isLast = false, text = isLast ? t("See the result") : t("Next") }) {
      setText(byId("play-note"), words);
      return new Promise((resolve) => showActions(actions, [{ text, act: resolve, isMain: true }]));
    },
    /** Ends a game that is under way, without a result. */
    stop() {
      waiting = null;
      clock.stop();
      place.close({ now: true });
    },
  };
}

/** A task with its label, or labels, large: "Draw {label}". */
export const large = (text) => element("strong", {}, text);
