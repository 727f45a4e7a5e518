// Drawing with the keyboard: arrows move the pen, Space puts it down and lifts it.

import { SIZE } from "./strokes.js";

const STEP = 20; // units per arrow key
const FINE = 5; // with Shift
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const inside = (value) => Math.min(SIZE, Math.max(0, value));

/** The position of the pen after a key; null for a key that does not move it. */
export function moved([x, y], key, fine) {
  const direction = DIRECTIONS[key];
  if (direction === undefined) return null;
  const step = fine ? FINE : STEP;
  return [inside(x + direction[0] * step), inside(y + direction[1] * step)];
}

/**
 * Listens while the canvas has the focus. `onDown(point)`, `onMove(points)` and `onUp()` are as for a pen;
 * `onPlace(point, isDown)` gets its position, null when it is hidden. Returns a function that lifts it.
 */
export function listenToKeys(canvas, { onDown, onMove, onUp, onPlace }) {
  let place = [SIZE / 2, SIZE / 4];
  let isDown = false;

  function lift() {
    if (!isDown) return;
    isDown = false;
    onUp();
  }

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = moved(place, event.key, event.shiftKey);
    if (next !== null) {
      place = next;
      if (isDown) onMove([place]);
    } else if (event.key === " " && !event.repeat) {
      if (isDown) lift();
      else {
        isDown = true;
        onDown(place, { erases: false });
      }
    } else return;
    event.preventDefault();
    onPlace(place, isDown);
  });
  canvas.addEventListener("blur", () => {
    lift();
    onPlace(null);
  });
  canvas.addEventListener("pointerdown", () => {
    lift();
    onPlace(null);
  });

  /** Ends the stroke without `onUp`. */
  return () => {
    isDown = false;
  };
}
