// A player's paper: a board whose drawing the network reads while it grows.

import { createBoard } from "../../drawing/board.js";
import { EMPTY, isEmpty } from "../../drawing/drawing.js";
import { createOverlay } from "../../drawing/overlay.js";
import { t } from "../../i18n/translate.js";
import { byId, setText } from "../../lib/dom.js";

const BRUSH = 30; // units
const REST = 2; // milliseconds of rest for each of reading, so that a large network leaves time for the pen

/**
 * Binds a canvas, its overlay, and its buttons `{undo, clear}`, of which `undo` may be missing. `onRead({answer, drawing,
 * final, grew, milliseconds})` gets what the network makes of each state of the drawing, `onBlank()` is called for an
 * empty one. Strokes are taken only between `open()` and `close()`; one that is under way may be ended.
 */
export function createPlace({ canvas, overlay: svg, hint, buttons, severalHands, onRead, onBlank }) {
  const overlay = createOverlay(svg);
  let read = null;
  let isOpen = false;
  let start = EMPTY; // to which clearing returns
  let frame = 0;
  let rested = 0; // the time from which on the network may read again

  const board = createBoard(canvas, {
    start: EMPTY,
    overlay,
    severalHands,
    brush: () => BRUSH,
    erasing: () => false,
    accepts: () => isOpen,
    onChange: changed,
    onReplaced() {}, // no undo of clearing
    onPen(place, isDown) {
      overlay.showPen(place, isDown && isOpen);
      if (place !== null) setText(byId("pen-spoken"), isDown && isOpen ? t("Pen down") : t("Pen up"));
    },
  });

  function changed(drawing, { final, grew }) {
    showTools();
    if (isEmpty(drawing)) {
      cancelAnimationFrame(frame);
      frame = 0;
      onBlank();
    } else if (final) look(true, grew);
    else if (frame === 0) frame = requestAnimationFrame(lookWhenRested);
  }

  function lookWhenRested(now) {
    if (now < rested) frame = requestAnimationFrame(lookWhenRested);
    else look(false, true);
  }

  function look(final, grew) {
    cancelAnimationFrame(frame);
    frame = 0;
    const begun = performance.now();
    const drawing = board.shown();
    const answer = read(drawing);
    const milliseconds = performance.now() - begun;
    rested = performance.now() + REST * milliseconds;
    onRead({ answer, drawing, final, grew, milliseconds });
  }

  function showTools() {
    if (buttons.undo) buttons.undo.disabled = !isOpen || !board.canUndo();
    buttons.clear.disabled = !isOpen || board.shown() === start;
    hint.toggleAttribute("data-off", !isOpen || !isEmpty(board.shown()));
  }

  const actions = { undo: board.undo, redo: board.redo, clear: () => (isEmpty(start) ? board.clear() : board.restart(start)) };
  /** Undoes, redoes or clears, unless the paper is closed. */
  const act = (name) => isOpen && actions[name]();
  buttons.undo?.addEventListener("click", () => act("undo"));
  buttons.clear.addEventListener("click", () => act("clear"));

  return {
    act,
    drawing: board.shown,
    /** Takes `read(drawing)`, which gives the answers from now on. */
    readWith: (next) => (read = next),
    /** Lets draw on a paper with a drawing, which cannot be undone. */
    open(drawing) {
      isOpen = true;
      start = drawing;
      board.restart(drawing);
      canvas.removeAttribute("data-closed");
      canvas.setAttribute("data-ready", "");
    },
    /** Takes no more strokes; ends the one at hand if `now`, and otherwise lets it be ended. */
    close({ now }) {
      isOpen = false;
      if (now) board.lift();
      canvas.setAttribute("data-closed", "");
      showTools();
    },
  };
}
