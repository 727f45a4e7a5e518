// Input from mouse, touch or pen, one pointer at a time, as points of the square.

import { toSquare } from "./strokes.js";

const ERASER_END = 32; // in `buttons`, for a pen's eraser end
const PALM = 80; // CSS pixels; a touch this wide is a resting hand
const PEN_REST = 1000; // ms after a pen event in which touches are ignored

/**
 * Listens to one primary pointer; others are ignored until it is lifted. Calls `onDown(point, {erases})`,
 * `onMove(points)` and `onUp()`, also if it is lifted outside or lost. `onCancel()` discards the stroke: a pen came down,
 * so it was a palm. With `severalHands` any pointer may be the one, as others draw elsewhere on the screen.
 */
export function listenToPen(canvas, { onDown, onMove, onUp, onCancel, severalHands = false }) {
  let active = null; // {id, type}
  let penSeenAt = -Infinity;

  const point = (event, box = canvas.getBoundingClientRect()) => {
    const place = toSquare(event.clientX, event.clientY, box);
    return event.pointerType === "pen" && event.pressure > 0 ? [...place, event.pressure] : place;
  };

  function down(event) {
    if ((!event.isPrimary && !severalHands) || (event.button !== 0 && !isTurned(event)) || isHand(event)) return;
    if (active !== null) {
      if (event.pointerType !== "pen" || active.type !== "touch") return;
      onCancel();
    }
    event.preventDefault();
    active = { id: event.pointerId, type: event.pointerType, pressed: null };
    capture(canvas, active.id);
    const first = point(event);
    active.pressed = first.length > 2;
    onDown(first, { erases: isTurned(event) });
  }

  const isHand = (event) =>
    event.pointerType === "touch" &&
    (Math.max(event.width, event.height) >= PALM || event.timeStamp - penSeenAt < PEN_REST);

  function move(event) {
    if (event.pointerType === "pen") penSeenAt = event.timeStamp;
    if (event.pointerId !== active?.id) return;
    if (event.pointerType === "mouse" && event.buttons === 0) return end();
    const box = canvas.getBoundingClientRect();
    const steps = event.getCoalescedEvents?.() ?? [];
    onMove((steps.length > 0 ? steps : [event]).map((step) => like(point(step, box))));
  }

  /** Either all points of a stroke have a pressure, or none. */
  const like = (place) => {
    if (!active.pressed) return place.slice(0, 2);
    return place.length > 2 ? place : [...place, 0];
  };

  function up(event) {
    if (event.pointerId !== active?.id) return;
    if (event.type === "pointerup" && !active.pressed) onMove([like(point(event))]);
    end();
  }

  function end() {
    active = null;
    onUp();
  }

  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("lostpointercapture", up);
  // The window also gets pointers lifted outside that could not be captured.
  window.addEventListener("pointerup", up);
  window.addEventListener("pointercancel", up);
  // A phone that falls asleep may send no more events of the pointer.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden" && active !== null) end();
  });
  // Safari scrolls and zooms on touch events in spite of touch-action.
  canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
}

const isTurned = (event) => event.pointerType === "pen" && (event.buttons & ERASER_END) !== 0;

function capture(canvas, pointerId) {
  try {
    canvas.setPointerCapture(pointerId);
  } catch {
    // The pointer is already gone; the window's listeners end the stroke.
  }
}
