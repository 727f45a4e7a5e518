// The pad for a new set of drawings: it asks for the labels in turn until there are enough drawings of all.

import { BACK, explain, get, post, remove } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { addressOf } from "../../data/dataset-list.js";
import { canTrain, isMissing } from "../../data/follow-sets.js";
import { createBoard } from "../../drawing/board.js";
import { EMPTY, isEmpty, lines } from "../../drawing/drawing.js";
import { createOverlay } from "../../drawing/overlay.js";
import { asSentence, sentences } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { datasetOf } from "../../labels/titles.js";
import { byId, element, say, setText } from "../../lib/dom.js";
import { createUnsent, newKey } from "./unsent.js";

const ENOUGH = 10; // of each label
const BRUSH = 26;
const LONG_LABEL = 3; // characters

const CONTROLS = "a, button, input, select, textarea, summary, dialog";

/** The next label to ask for: the first of `labels` with the fewest drawings. */
export const nextLabel = (labels, counts) =>
  labels.reduce((least, label) => (least === null || (counts[label] ?? 0) < (counts[least] ?? 0) ? label : least), null);

const addressOfSet = (name) => `/api/drawings/sets/${encodeURIComponent(name)}`;

const saveAnywhere = (drawing) => post("/api/drawings", drawing);

/**
 * Creates the view. `save(drawing)` sends one; `invited` leaves out what only the owner of the set may do, and asks for the
 * labels by the drawings of this page alone, so that a class draws all of them at any time. Returns `{show, hear, end}`: `show`
 * shows an address, `hear` takes the set as the server knows it, `end` takes no more drawings.
 */
export function createDraw(page, { save = saveAnywhere, invited = false } = {}) {
  const canvas = byId("pad");
  const keep = byId("keep");
  const train = byId("train-on-these");
  const buttons = { undo: byId("undo-stroke"), clear: byId("clear") };
  const notify = (text, ...actions) => say(byId("draw-kept"), text, ...actions);
  const overlay = createOverlay(byId("overlay"));
  const unsent = createUnsent();
  let set = null;
  let shows = 0; // counts calls, to drop the answers of superseded ones
  let labels = [];
  let stored = {}; // the server's counts by label
  let heard = 0; // the times that they came
  let own = {}; // the drawings of this page by label
  let isDeclared = false; // the server has stored the set's labels
  let current = null;
  let hasEnded = false; // nothing can be saved any more

  const countOf = (label) => (stored[label] ?? 0) + unsent.sending(set, label);
  const counts = () => Object.fromEntries(labels.map((label) => [label, countOf(label)]));
  const askNext = () => ask(nextLabel(labels, invited ? own : counts()));

  const board = createBoard(canvas, {
    start: EMPTY,
    overlay,
    brush: () => BRUSH,
    erasing: () => false,
    onChange: showTools,
    onReplaced: () => {},
    onPen(place, isDown) {
      overlay.showPen(place, isDown);
      if (place !== null) setText(byId("pen-spoken"), isDown ? t("Pen down") : t("Pen up"));
    },
  });

  function showTools(drawing) {
    buttons.clear.disabled = isEmpty(drawing);
    keep.disabled = isEmpty(drawing) || hasEnded;
    buttons.undo.disabled = !board.canUndo();
    byId("hint").toggleAttribute("data-off", !isEmpty(drawing));
  }

  function ask(label) {
    current = label;
    const place = byId("draw-label");
    setText(place, label);
    place.toggleAttribute("data-long", [...label].length > LONG_LABEL);
    setText(byId("hint"), label);
    showCounts();
  }

  function showCounts() {
    setText(byId("draw-ask"), invited ? t("Draw {label}", { label: current }) : t("Draw {label}: number {number}", { label: current, number: countOf(current) + 1 }));
    const list = byId("draw-counts");
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.label : null;
    list.replaceChildren(
      ...labels.map((label) => {
        const count = countOf(label);
        const name = t("Draw {label}: {count} of {enough} done", { label, count, enough: ENOUGH });
        const attributes = { type: "button", class: "draw-count", "data-label": label, "aria-pressed": String(label === current), "aria-label": name, "data-enough": count >= ENOUGH };
        const mark = count >= ENOUGH ? `${count} ✓` : `${count} / ${ENOUGH}`;
        const button = element("button", attributes, element("strong", {}, label), element("span", {}, mark));
        button.addEventListener("click", () => ask(label));
        return element("li", {}, button);
      }),
    );
    if (focused !== null) [...list.querySelectorAll("button")].find(({ dataset }) => dataset.label === focused)?.focus();
    if (!invited) showNext();
  }

  function showNext() {
    const all = labels.map(countOf);
    const ready = canTrain({ labels: counts() });
    if (ready) {
      train.href = withRoot(`/train?dataset=${encodeURIComponent(datasetOf(set))}`);
      train.removeAttribute("aria-disabled");
    } else {
      train.removeAttribute("href"); // a link without href is inactive
      train.setAttribute("aria-disabled", "true");
    }
    byId("remove-set").hidden = !isDeclared || all.some((count) => count > 0);
    byId("see-set").href = addressOf({ kind: "browse", set: datasetOf(set) });
    const left = all.reduce((sum, count) => sum + Math.max(0, ENOUGH - count), 0);
    setText(byId("train-note"), left === 0 ? t("Enough of each. More will make it better.") : ready ? t("You can try it already; {left} to go ({enough} of each).", { left, enough: ENOUGH }) : t("{left} to go ({enough} of each).", { left, enough: ENOUGH }));
  }

  function keepIt() {
    const drawing = board.shown();
    if (isEmpty(drawing) || current === null || hasEnded) return;
    const made = { label: current, strokes: lines(drawing), set, key: newKey() };
    board.replace(EMPTY);
    unsent.add(made);
    own[made.label] = (own[made.label] ?? 0) + 1;
    askNext();
    return send(made);
  }

  /** Sends a drawing; a failed one stays in `unsent`. */
  async function send(drawing, { again = false } = {}) {
    const before = heard;
    try {
      const kept = await save(drawing);
      unsent.accept(drawing.key);
      if (kept.set !== set) return;
      if (again || heard !== before) hear(await get(addressOfSet(set))); // it may be among those that came
      else stored[kept.label] = (stored[kept.label] ?? 0) + 1;
      showCounts();
      if (unsent.failures() > 0) return;
      notify(t("Saved as {label}.", { label: kept.label }), ...(invited ? [] : [[t("Undo"), () => takeBack(kept)]]));
    } catch (error) {
      unsent.fail(drawing.key);
      if (drawing.set === set) showCounts();
      sayUnsent(asSentence(explain(error)));
    }
  }

  function sayUnsent(why) {
    const failures = unsent.failures();
    const text = failures === 1 ? t("One drawing could not be saved. {why}", { why }) : t("{count} drawings could not be saved. {why}", { count: failures, why });
    const kept = failures === 1 ? t("It stays on this page.") : t("They stay on this page.");
    notify(sentences(text, kept), [t("Try again"), sendAgain], [t("Discard"), throwAway]);
  }

  async function sendAgain() {
    const waiting = unsent.retry();
    if (waiting.length === 0) return;
    notify(t("Working …"));
    for (const drawing of waiting) await send(drawing, { again: true });
    showCounts();
  }

  function throwAway() {
    unsent.discard();
    notify("");
  }

  window.addEventListener(BACK, sendAgain);
  window.addEventListener("beforeunload", (event) => {
    if (!unsent.isEmpty()) event.preventDefault();
  });

  async function takeBack(kept) {
    try {
      await remove(`/api/drawings/${kept.id}`);
      if (kept.set !== set) return;
      stored[kept.label] -= 1;
      ask(kept.label);
      notify(t("Deleted."));
    } catch (error) {
      notify(t("It could not be deleted. {why}", { why: explain(error) }));
    }
  }

  byId("remove-set")?.addEventListener("click", async () => {
    page.complain("");
    try {
      await remove(addressOfSet(set));
      await page.go({ kind: "make" }, { replace: true });
      byId("make-title").focus();
      page.say(t("The data set “{name}” was deleted.", { name: set }));
    } catch (error) {
      page.complain(explain(error));
    }
  });
  keep.addEventListener("click", keepIt);
  buttons.undo.addEventListener("click", board.undo);
  buttons.clear.addEventListener("click", board.clear);
  document.addEventListener("keydown", (event) => {
    if (byId("draw").hidden || event.target.closest("input, dialog") || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") board.clear();
    else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) board.undo();
    else if (event.key === "Enter" && !event.target.closest(CONTROLS)) keepIt();
    else return;
    event.preventDefault();
  });
  // Else Enter would press the control that was used before the drawing.
  canvas.addEventListener("pointerdown", () => canvas.focus({ preventScroll: true }));
  canvas.setAttribute("data-ready", "");

  function hear(details) {
    if (details.name !== set) return;
    if (isMissing(details) && (isDeclared || Object.keys(stored).length > 0)) {
      notify(invited ? t("This data set was deleted.") : t("This data set was deleted. What you draw next makes it again."));
    }
    heard += 1;
    stored = { ...details.labels };
    isDeclared = details.declared.length > 0;
    labels = ordered(details, labels);
    showCounts();
  }

  async function show({ set: name, labels: wished }) {
    const call = (shows += 1);
    const details = await page.ask(() => get(addressOfSet(name)));
    if (call !== shows || byId("draw").hidden) return;
    const all = ordered(details, wished);
    if (all.length === 0) return page.go({ kind: "make" }, { replace: true });
    set = name; // until the counts arrive, drawings belong to the previous set
    own = {};
    labels = all;
    stored = { ...details.labels };
    isDeclared = details.declared.length > 0;
    setText(byId("draw-title"), t("Draw the data set “{name}”", { name }));
    setText(byId("draw-text"), t("Draw each the way you normally write it. {enough} of each are enough to start.", { enough: ENOUGH }));
    if (unsent.failures() === 0) notify("");
    board.replace(EMPTY);
    askNext();
    sendAgain();
    await page.refresh();
  }

  /** Takes no more drawings. */
  function end() {
    hasEnded = true;
    showTools(board.shown());
  }

  return { show, hear, end };
}

/** The labels of a set: those that it was made with in their order, then others that are wished for or there. */
const ordered = ({ declared, labels }, others) => [...new Set([...declared, ...others, ...Object.keys(labels)])];
