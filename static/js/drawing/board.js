// The pad: drawing with pen, mouse, touch or keyboard, with undo and redo.

import { onThemeChange } from "../lib/theme.js";
import { EMPTY, isEmpty, withStroke } from "./drawing.js";
import { untouched } from "./eraser.js";
import { begin, canRedo, canUndo, commit, redo, undo } from "./history.js";
import { listenToKeys } from "./keyboard-input.js";
import { listenToPen } from "./pointer-input.js";
import { fitToScreen, paint } from "./render.js";
import { extended, smooth } from "./strokes.js";

const REACH = 14; // the eraser's radius in units

/**
 * Runs the board on a canvas. `brush()` and `erasing()` return the current tool. `onChange(drawing, {final, grew})`
 * gets every change, with `final` for a finished step, and `grew` if the drawing was only extended;
 * `onReplaced(drawing)` gets a drawing that was replaced by another. `accepts()` tells whether a stroke may begin. With
 * `severalHands` other pads of the page are drawn on at the same time.
 */
export function createBoard(canvas, { start, brush, erasing, overlay, onChange, onReplaced, onPen, accepts = () => true, severalHands = false }) {
  let history = begin(start);
  let gesture = null; // {erases, points, drawing}: the present with the current stroke
  let frame = 0;

  const shown = () => gesture?.drawing ?? history.present;

  function repaint() {
    if (frame !== 0) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      paint(canvas, shown());
    });
  }

  function notify(change) {
    repaint();
    onChange(shown(), { final: true, grew: false, ...change });
  }

  function onDown(point, { erases }) {
    if (gesture !== null) onUp();
    if (!accepts()) return;
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
    notify({ final: false, grew: true });
  }

  function erase(points) {
    let { strokes, picture } = gesture.drawing;
    let last = gesture.points.at(-1);
    for (const point of points) {
      strokes = untouched(strokes, last, point, REACH);
      last = point;
    }
    overlay.showEraser(last, REACH);
    if (picture !== null) picture = null; // a picture is erased as a whole
    const same = strokes === gesture.drawing.strokes && picture === gesture.drawing.picture;
    gesture = { ...gesture, points: [last], drawing: same ? gesture.drawing : { strokes, picture } };
    if (!same) notify({ final: false });
  }

  function onUp() {
    if (gesture === null) return;
    const { drawing, erases } = gesture;
    gesture = null;
    overlay.showEraser(null);
    if (drawing === history.present) return;
    if (history.present.picture !== null) onReplaced(history.present);
    history = commit(history, drawing);
    notify({ grew: !erases });
  }

  function onCancel() {
    if (gesture === null) return;
    gesture = null;
    overlay.showEraser(null);
    notify();
  }

  /** Goes to another state of the history, unless the pen is down. */
  function go(next) {
    if (next === history || gesture !== null) return;
    history = next;
    notify();
  }

  /** Replaces the drawing. */
  function replace(drawing) {
    if (gesture !== null) onUp();
    if (!isEmpty(history.present)) onReplaced(history.present);
    go(commit(history, drawing));
  }

  /** Begins anew with a drawing; what was before cannot be undone. */
  function restart(drawing) {
    dropKeys();
    gesture = null;
    history = begin(drawing);
    notify();
  }

  function clear() {
    if (gesture !== null) {
      dropKeys();
      onCancel();
    } else if (!isEmpty(history.present)) replace(EMPTY);
  }

  /** Ends the stroke at hand, as if the pen had been lifted. */
  function lift() {
    dropKeys();
    onUp();
  }

  const hand = { onDown, onMove, onUp, onCancel };
  listenToPen(canvas, { ...hand, severalHands });
  const dropKeys = listenToKeys(canvas, { ...hand, onPlace: onPen });
  onThemeChange(repaint);
  fitToScreen(canvas, () => paint(canvas, shown()));

  return {
    shown,
    replace,
    clear,
    lift,
    restart,
    undo: () => go(undo(history)),
    redo: () => go(redo(history)),
    canUndo: () => canUndo(history),
    canRedo: () => canRedo(history),
  };
}
