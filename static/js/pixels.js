// Small pictures as the server sends them: base64 of a byte for every pixel, row by row.

/** The bytes of a base64 text. */
export const decoded = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** Paints bytes (0 is black, 255 is white) on a canvas, which takes their size. */
export function paintBytes(canvas, bytes, [height, width] = [28, 28]) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (let i = 0; i < bytes.length; i += 1) image.data.set([bytes[i], bytes[i], bytes[i], 255], i * 4);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/**
 * Weights as greys: `bytes` run from `low` to `high`, and come back with 0 in the middle and ±`most` at the ends, so
 * that what is bright is above zero and what is dark below, in every picture alike.
 */
export function aroundZero(bytes, low, high, most) {
  return bytes.map((byte) => {
    const weight = low + (byte / 255) * (high - low);
    return Math.round(127.5 + (127.5 * weight) / (most || 1));
  });
}
