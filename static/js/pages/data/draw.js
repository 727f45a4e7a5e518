// The pad for a new set of drawings: it asks for the labels in turn until there are enough drawings of all.

import { explain, get, post, remove } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { addressOf } from "../../data/dataset-list.js";
import { createBoard } from "../../drawing/board.js";
import { EMPTY, isEmpty, lines } from "../../drawing/drawing.js";
import { createOverlay } from "../../drawing/overlay.js";
import { t } from "../../i18n/translate.js";
import { datasetOf } from "../../labels/titles.js";
import { byId, element, say, setText } from "../../lib/dom.js";

const ENOUGH = 10; // of each label
const LEAST = 5; // of each label, the server's minimum for training
const BRUSH = 26;
const LONG_LABEL = 3; // characters

/** The next label to ask for: the first with the fewest drawings. */
export const nextLabel = (counts) =>
  Object.entries(counts).reduce((least, [label, count]) => (least === null || count < counts[least] ? label : least), null);

/** Creates the view; returns the function that shows an address. */
export function createDraw(page) {
  const canvas = byId("pad");
  const keep = byId("keep");
  const train = byId("train-on-these");
  const buttons = { undo: byId("undo-stroke"), clear: byId("clear") };
  const notify = (text, ...actions) => say(byId("draw-kept"), text, ...actions);
  const overlay = createOverlay(byId("overlay"));
  let set = null;
  let shows = 0; // counts calls, to drop the answers of superseded ones
  let counts = {}; // by label, including drawings in transit
  let isDeclared = false; // the server has stored the set's labels
  let current = null;
  let unsent = []; // {label, strokes, set}: drawings that the server has not accepted

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
    keep.disabled = buttons.clear.disabled = isEmpty(drawing);
    buttons.undo.disabled = !board.canUndo();
    byId("hint").toggleAttribute("data-off", !isEmpty(drawing));
  }

  function ask(label) {
    current = label;
    const place = byId("draw-label");
    setText(place, label);
    place.toggleAttribute("data-long", [...label].length > LONG_LABEL);
    setText(byId("draw-ask"), t("Draw {label}: number {number}", { label, number: counts[label] + 1 }));
    setText(byId("hint"), label);
    showCounts();
  }

  function showCounts() {
    const list = byId("draw-counts");
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.label : null;
    list.replaceChildren(
      ...Object.entries(counts).map(([label, count]) => {
        const name = t("Draw {label}: {count} of {enough} done", { label, count, enough: ENOUGH });
        const attributes = { type: "button", class: "draw-count", "data-label": label, "aria-pressed": String(label === current), "aria-label": name, "data-enough": count >= ENOUGH };
        const mark = count >= ENOUGH ? `${count} ✓` : `${count} / ${ENOUGH}`;
        const button = element("button", attributes, element("strong", {}, label), element("span", {}, mark));
        button.addEventListener("click", () => ask(label));
        return element("li", {}, button);
      }),
    );
    if (focused !== null) [...list.querySelectorAll("button")].find(({ dataset }) => dataset.label === focused)?.focus();
    const least = Math.min(...Object.values(counts));
    const ready = least >= LEAST;
    if (ready) {
      train.href = withRoot(`/train?dataset=${encodeURIComponent(datasetOf(set))}`);
      train.removeAttribute("aria-disabled");
    } else {
      train.removeAttribute("href"); // a link without href is inactive
      train.setAttribute("aria-disabled", "true");
    }
    byId("remove-set").hidden = !isDeclared || Object.values(counts).some((count) => count > 0);
    byId("see-set").href = addressOf({ kind: "browse", set: datasetOf(set) });
    const left = Object.values(counts).reduce((sum, count) => sum + Math.max(0, ENOUGH - count), 0);
    setText(byId("train-note"), left === 0 ? t("Enough of each. More will make it better.") : ready ? t("You can try it already; {left} to go ({enough} of each).", { left, enough: ENOUGH }) : t("{left} to go ({enough} of each).", { left, enough: ENOUGH }));
  }

  function keepIt() {
    const drawing = board.shown();
    if (isEmpty(drawing) || current === null) return;
    const label = current;
    board.replace(EMPTY);
    counts[label] += 1;
    ask(nextLabel(counts));
    return send({ label, strokes: lines(drawing), set });
  }

  /** Sends a drawing; a failed one is added to `unsent`. */
  async function send(drawing) {
    try {
      const kept = await post("/api/drawings", drawing);
      if (kept.set === set && unsent.length === 0) notify(t("Saved as {label}.", { label: kept.label }), [t("Undo"), () => takeBack(kept)]);
    } catch (error) {
      unsent.push(drawing);
      if (drawing.set === set) {
        counts[drawing.label] -= 1;
        ask(current);
      }
      sayUnsent(explain(error));
    }
  }

  function sayUnsent(why) {
    const text = unsent.length === 1 ? t("One drawing could not be saved. {why}", { why }) : t("{count} drawings could not be saved. {why}", { count: unsent.length, why });
    notify(text, [t("Try again"), sendAgain], [t("Discard"), throwAway]);
  }

  async function sendAgain() {
    const waiting = unsent;
    unsent = [];
    notify(t("Working …"));
    for (const drawing of waiting) {
      if (drawing.set === set && drawing.label in counts) counts[drawing.label] += 1;
      await send(drawing);
    }
    ask(nextLabel(counts));
  }

  function throwAway() {
    unsent = [];
    notify("");
  }

  // unsent drawings exist only in this page
  window.addEventListener("beforeunload", (event) => {
    if (unsent.length > 0) event.preventDefault();
  });

  async function takeBack(kept) {
    try {
      await remove(`/api/drawings/${kept.id}`);
      if (kept.set !== set) return;
      counts[kept.label] -= 1;
      ask(kept.label);
      notify(t("Deleted."));
    } catch (error) {
      notify(t("It could not be deleted. {why}", { why: explain(error) }));
    }
  }

  byId("remove-set").addEventListener("click", async () => {
    page.complain("");
    try {
      await remove(`/api/drawings/sets/${encodeURIComponent(set)}`);
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
    if (byId("draw").hidden || event.target.closest("input, dialog")) return;
    if (event.key === "Escape") board.clear();
    else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) board.undo();
    else if (event.key === "Enter" && (event.target === canvas || event.target === document.body)) keepIt();
    else return;
    event.preventDefault();
  });
  canvas.setAttribute("data-ready", "");

  return async function show({ set: name, labels }) {
    const call = (shows += 1);
    const { labels: known, declared } = await page.ask(() => get(`/api/drawings/sets/${encodeURIComponent(name)}`));
    if (call !== shows || byId("draw").hidden) return;
    const all = [...new Set([...declared, ...labels, ...Object.keys(known)])];
    if (all.length === 0) return page.go({ kind: "make" }, { replace: true });
    set = name; // until the counts arrive, drawings belong to the previous set
    counts = Object.fromEntries(all.map((label) => [label, known[label] ?? 0]));
    isDeclared = declared.length > 0;
    setText(byId("draw-title"), t("Draw the data set “{name}”", { name }));
    setText(byId("draw-text"), t("Draw each the way you normally write it. {enough} of each are enough to start.", { enough: ENOUGH }));
    if (unsent.length === 0) notify("");
    board.replace(EMPTY);
    ask(nextLabel(counts));
    await page.refresh();
  };
}
