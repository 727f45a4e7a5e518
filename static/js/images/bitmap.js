// Small grey pictures: white ink on black, as bytes in base64 or as rows of numbers.

import { element } from "../lib/dom.js";

/** The bytes of a base64 text. */
export const fromBase64 = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** A canvas for a picture of 28 × 28 pixels, painted with `bytes` if given. */
export function createBitmap(bytes = null, name = null) {
  const canvas = element("canvas", { class: name, width: 28, height: 28, "aria-hidden": "true" });
  if (bytes !== null) paintBytes(canvas, bytes);
  return canvas;
}

/** Paints bytes (0 is black, 255 is white) on a canvas, and sets its size. */
export function paintBytes(canvas, bytes, [height, width] = [28, 28]) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const image = new ImageData(width, height);
  for (let i = 0; i < bytes.length; i += 1) image.data.set([bytes[i], bytes[i], bytes[i], 255], i * 4);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Paints rows of numbers (0 is black, 1 is white). */
export const paintRows = (canvas, rows) => paintBytes(canvas, Uint8ClampedArray.from(rows.flat(), (value) => value * 255), [rows.length, rows[0].length]);

export function clearPicture(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}
