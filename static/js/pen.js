// Mouse, finger or pen on the pad, one at a time, as points of the square.

import { toSquare } from "./strokes.js";

/**
 * Listens to one primary pointer; all others are ignored until it is lifted.
 * `onDown(point)`, `onMove(points)` and `onUp()` follow one another; lifting outside, or a pointer that the
 * system takes away, ends the stroke where it was.
 */
export function listenToPen(canvas, { onDown, onMove, onUp }) {
  let active = null;

  const place = (event) => toSquare(event.clientX, event.clientY, canvas.getBoundingClientRect());

  function down(event) {
    if (active !== null || !event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    active = event.pointerId;
    capture(canvas, active);
    onDown(place(event));
  }

  function move(event) {
    if (event.pointerId !== active) return;
    if (event.pointerType === "mouse" && event.buttons === 0) return end();
    const box = canvas.getBoundingClientRect();
    const steps = event.getCoalescedEvents?.() ?? [];
    onMove((steps.length > 0 ? steps : [event]).map((step) => toSquare(step.clientX, step.clientY, box)));
  }

  function up(event) {
    if (event.pointerId !== active) return;
    if (event.type === "pointerup") onMove([place(event)]);
    end();
  }

  function end() {
    active = null;
    onUp();
  }

  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("lostpointercapture", up);
  // The window hears a pointer lifted outside even where it could not be captured.
  window.addEventListener("pointerup", up);
  window.addEventListener("pointercancel", up);
  // Safari scrolls and magnifies by touch events, whatever touch-action says.
  canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
}

function capture(canvas, pointerId) {
  try {
    canvas.setPointerCapture(pointerId);
  } catch {
    // The pointer is gone already; the window's listeners end the stroke.
  }
}
