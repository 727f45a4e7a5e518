// What a model's JavaScript module offers to pages: app/models/formats/javascript.py writes it.

import { createPredictor } from "./predictor.js";
import { readSafetensors } from "./safetensors.js";

/** `predict(strokes)` for a model card and its safetensors file in base64. */
export const predictorOf = (card, weights) => createPredictor(card, readSafetensors(Uint8Array.from(atob(weights), (letter) => letter.charCodeAt(0))));

/**
 * Draws on a canvas with a mouse, a finger or a pen, and collects the strokes for `predict`. `onStroke(strokes)` is called
 * after each stroke. Returns `{strokes(), clear(), stop()}`.
 */
export function collectStrokes(canvas, { onStroke = () => {}, width = canvas.width * 0.06, color = "black" } = {}) {
  const pen = canvas.getContext("2d");
  const over = new AbortController();
  let strokes = [];
  let stroke = null; // the one at hand

  /** The place of an event in the canvas's own pixels. */
  function placeOf({ clientX, clientY }) {
    const { left, top, width: across, height: down } = canvas.getBoundingClientRect();
    return [((clientX - left) * canvas.width) / across, ((clientY - top) * canvas.height) / down];
  }

  function draw(event) {
    const from = stroke.at(-1);
    const to = placeOf(event);
    stroke.push(to);
    Object.assign(pen, { lineCap: "round", lineWidth: width, strokeStyle: color });
    pen.beginPath();
    pen.moveTo(...(from ?? to));
    pen.lineTo(...to);
    pen.stroke();
  }

  const listen = (type, listener) => canvas.addEventListener(type, listener, { signal: over.signal });
  canvas.style.touchAction = "none"; // a finger draws, and does not scroll
  listen("pointerdown", (event) => {
    if (stroke !== null || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    stroke = [];
    draw(event);
  });
  listen("pointermove", (event) => {
    if (stroke !== null && event.buttons > 0) draw(event);
  });
  for (const type of ["pointerup", "pointercancel"]) {
    listen(type, () => {
      if (stroke === null) return;
      strokes.push(stroke);
      stroke = null;
      onStroke(strokes);
    });
  }

  return {
    strokes: () => strokes,
    clear() {
      strokes = [];
      stroke = null;
      pen.clearRect(0, 0, canvas.width, canvas.height);
    },
    stop: () => over.abort(),
  };
}
