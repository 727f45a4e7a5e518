// The drawing page: a pad, its tools, and what the network makes of it.

import { post } from "./api.js";
import { createAnswer } from "./answer.js";
import { byId, pageData, setMessage } from "./dom.js";
import { begin, canRedo, canUndo, commit, redo, undo } from "./history.js";
import { fitToScreen, paint } from "./ink.js";
import { awayText } from "./patience.js";
import { listenToPen } from "./pen.js";
import { createReader } from "./reader.js";
import { extended, smooth, thinned } from "./strokes.js";

const EMPTY = [];

/** Runs the pad. A drawing is a list of strokes `{points, line, width}`; `line` is the smooth one. */
function startPad({ model, models }) {
  const canvas = byId("pad");
  const brush = byId("brush");
  const hint = byId("hint");
  const buttons = { undo: byId("undo"), redo: byId("redo"), clear: byId("clear") };
  let history = begin(EMPTY);
  let stroke = null; // the one being drawn
  let frame = 0;
  let modelName = model?.name ?? null;

  const answer = model ? createAnswer(model.labels) : null;
  const reader = model ? createLiveReader(answer) : null;

  const drawing = () => (stroke === null ? history.present : [...history.present, stroke]);

  function repaint() {
    if (frame !== 0) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      paint(canvas, drawing());
    });
  }

  function showTools() {
    buttons.undo.disabled = !canUndo(history);
    buttons.redo.disabled = !canRedo(history);
    buttons.clear.disabled = history.present.length === 0;
    hint.toggleAttribute("data-off", drawing().length > 0);
  }

  function read({ final }) {
    reader?.read({ strokes: thinned(drawing().map(({ line }) => line)), model: modelName, final });
  }

  /** The drawing is another one: answers to the one before are of no use. */
  function change(next) {
    if (next === history || stroke !== null) return;
    history = next;
    repaint();
    showTools();
    reader?.forget();
    if (history.present.length === 0) answer?.showBlank();
    else read({ final: true });
  }

  const clear = () => {
    if (history.present.length > 0) change(commit(history, EMPTY));
  };

  listenToPen(canvas, {
    onDown(point) {
      stroke = { points: [point], line: smooth([point]), width: brush.valueAsNumber };
      repaint();
      showTools();
      read({ final: false });
    },
    onMove(points) {
      const longer = points.reduce(extended, stroke.points);
      if (longer === stroke.points) return;
      stroke = { ...stroke, points: longer, line: smooth(longer) };
      repaint();
      read({ final: false });
    },
    onUp() {
      history = commit(history, [...history.present, stroke]);
      stroke = null;
      repaint();
      showTools();
      read({ final: true });
    },
  });

  buttons.undo.addEventListener("click", () => change(undo(history)));
  buttons.redo.addEventListener("click", () => change(redo(history)));
  buttons.clear.addEventListener("click", clear);
  document.addEventListener("keydown", (event) => {
    const action = shortcut(event);
    if (action === null || byId("seen-dialog").open || event.target.matches("select")) return;
    event.preventDefault();
    if (action === "undo") change(undo(history));
    else if (action === "redo") change(redo(history));
    else clear();
  });

  byId("model")?.addEventListener("change", (event) => {
    modelName = event.target.value;
    const url = new URL(location.href);
    url.searchParams.set("model", modelName);
    window.history.replaceState(null, "", url);
    answer.useLabels(models.find(({ name }) => name === modelName).labels);
    reader.forget();
    if (drawing().length === 0) answer.showBlank();
    else read({ final: true });
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  fitToScreen(canvas, () => paint(canvas, drawing()));
  showTools();
}

function createLiveReader(answer) {
  const away = byId("away");
  return createReader({
    ask: ({ strokes, model }, signal) =>
      post(`/predict?model=${encodeURIComponent(model)}&input=true`, { strokes }, { signal }),
    onAnswer: (reply, { final }, milliseconds) => answer.show(reply, milliseconds, final),
    onRefused: (message) => answer.showRefusal(message),
    onAway: (seconds) => setMessage(away, `${awayText(seconds)} Your drawing is kept.`),
    onBack: () => setMessage(away, ""),
  });
}

/** "undo", "redo", "clear" or null for a key that was pressed. */
function shortcut({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  const command = (ctrlKey || metaKey) && !altKey;
  if (command && key.toLowerCase() === "z") return shiftKey ? "redo" : "undo";
  if (ctrlKey && !altKey && key.toLowerCase() === "y") return "redo";
  return key === "Escape" && !command ? "clear" : null;
}

startPad(pageData());
