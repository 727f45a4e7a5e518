// The pad itself: what is drawn on it, by whatever hand, with undo and redo.

import { onThemeChange } from "../lib/theme.js";
import { EMPTY, isEmpty, withStroke } from "./drawing.js";
import { untouched } from "./eraser.js";
import { begin, canRedo, canUndo, commit, redo, undo } from "./history.js";
import { listenToKeys } from "./keyboard-input.js";
import { listenToPen } from "./pointer-input.js";
import { fitToScreen, paint } from "./render.js";
import { extended, smooth } from "./strokes.js";

const REACH = 14; // units around the eraser

/**
 * Runs the board on a canvas. `brush()` and `erasing()` say what the hand holds. `onChange(drawing, {final, grew})`
 * hears of every point, with `final` of every finished step, and without `grew` if what was there before is no part
 * of it; `onReplaced(drawing)` hears of one that made room for another.
 */
export function createBoard(canvas, { start, brush, erasing, overlay, onChange, onReplaced, onPen }) {
  let history = begin(start);
  let gesture = null; // {erases, points, drawing}: what the pen that is down has made of the present
  let frame = 0;

  const shown = () => gesture?.drawing ?? history.present;

  function repaint() {
    if (frame !== 0) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      paint(canvas, shown());
    });
  }

  function tell(change) {
    repaint();
    onChange(shown(), { final: true, grew: false, ...change });
  }

  function onDown(point, { erases }) {
    if (gesture !== null) onUp();
    if (erases || erasing()) {
      gesture = { erases: true, points: [point], drawing: history.present };
      erase([point]);
      return;
    }
    gesture = { erases: false, points: [], drawing: history.present };
    extend([point]);
  }

  const onMove = (points) => (gesture?.erases ? erase(points) : extend(points));

  function extend(points) {
    if (gesture === null) return;
    const longer = points.reduce(extended, gesture.points);
    if (longer === gesture.points) return;
    const stroke = { line: smooth(longer), width: brush() };
    gesture = { ...gesture, points: longer, drawing: withStroke(history.present, stroke) };
    tell({ final: false, grew: true });
  }

  function erase(points) {
    let { strokes, picture } = gesture.drawing;
    let last = gesture.points.at(-1);
    for (const point of points) {
      strokes = untouched(strokes, last, point, REACH);
      last = point;
    }
    overlay.showEraser(last, REACH);
    if (picture !== null) picture = null; // a picture is one piece, and fills the pad
    const same = strokes === gesture.drawing.strokes && picture === gesture.drawing.picture;
    gesture = { ...gesture, points: [last], drawing: same ? gesture.drawing : { strokes, picture } };
    if (!same) tell({ final: false });
  }

  function onUp() {
    if (gesture === null) return;
    const { drawing, erases } = gesture;
    gesture = null;
    overlay.showEraser(null);
    if (drawing === history.present) return;
    if (history.present.picture !== null) onReplaced(history.present);
    history = commit(history, drawing);
    tell({ grew: !erases });
  }

  function onCancel() {
    if (gesture === null) return;
    gesture = null;
    overlay.showEraser(null);
    tell();
  }

  /** Goes to another state of the history; not while the pen is down. */
  function go(next) {
    if (next === history || gesture !== null) return;
    history = next;
    tell();
  }

  /** Puts another drawing in place of this one. */
  function replace(drawing) {
    if (gesture !== null) onUp();
    if (!isEmpty(history.present)) onReplaced(history.present);
    go(commit(history, drawing));
  }

  function clear() {
    if (gesture !== null) {
      dropKeys();
      onCancel();
    } else if (!isEmpty(history.present)) replace(EMPTY);
  }

  const hand = { onDown, onMove, onUp, onCancel };
  listenToPen(canvas, hand);
  const dropKeys = listenToKeys(canvas, { ...hand, onPlace: onPen });
  onThemeChange(repaint);
  fitToScreen(canvas, () => paint(canvas, shown()));

  return {
    shown,
    replace,
    clear,
    undo: () => go(undo(history)),
    redo: () => go(redo(history)),
    canUndo: () => canUndo(history),
    canRedo: () => canRedo(history),
  };
}
