// A drawing is `{strokes, picture}`: strokes `{line, width}`, or a picture; it is immutable.

import { asSent, SIZE } from "./strokes.js";

const MARGIN = 12; // units between a picture and the edge of the pad
const SLACK = 1; // units, for the rounding of boxes

export const EMPTY = Object.freeze({ strokes: [], picture: null });

export const isEmpty = ({ strokes, picture }) => strokes.length === 0 && picture === null;

/** The drawing with another stroke, which replaces a picture. */
export const withStroke = ({ strokes }, stroke) => ({ strokes: [...strokes, stroke], picture: null });

/** A drawing with a picture `{url, width, height, shown, kept}`. */
export const ofPicture = (picture) => ({ strokes: [], picture });

/** The lines of its strokes, for sending and storing. */
export const lines = ({ strokes }) => asSent(strokes.map(({ line }) => line));

/** The mean width of its strokes. */
export const brushOf = ({ strokes }) => strokes.reduce((sum, { width }) => sum + width, 0) / strokes.length;

/** The body of a prediction request. */
export const question = (drawing) =>
  drawing.picture === null ? { strokes: lines(drawing) } : { image: drawing.picture.url };

/** The value for the browser's storage. */
export const pack = ({ strokes, picture }) =>
  picture === null ? { strokes: strokes.map(({ line, width }) => ({ line, width })) } : { picture: picture.kept };

/** Strokes or a picture's address from a stored value of any version; null if it is neither. */
export function unpacked(stored) {
  if (typeof stored?.picture === "string" && stored.picture.startsWith("data:image/")) return { picture: stored.picture };
  if (!Array.isArray(stored?.strokes) || !stored.strokes.every(isStroke)) return null;
  return { strokes: stored.strokes.map(({ line, width }) => ({ line, width })) };
}

const isStroke = (stroke) =>
  Number.isFinite(stroke?.width) && Array.isArray(stroke.line) && stroke.line.length > 0 && stroke.line.every(isPoint);

const isPoint = (point) =>
  Array.isArray(point) && (point.length === 2 || point.length === 3) && point.every(Number.isFinite);

/** The position of a picture of this size on the pad: `{scale, left, top}`, in units. */
export function placed(width, height) {
  const scale = (SIZE - 2 * MARGIN) / Math.max(width, height);
  return { scale, left: (SIZE - width * scale) / 2, top: (SIZE - height * scale) / 2 };
}

/** A box of the server's answer, [x, y, width, height], in units of the pad, enlarged by the pen's width. */
export function boxOnPad([x, y, width, height], { strokes, picture }) {
  if (picture !== null) {
    const { scale, left, top } = placed(picture.width, picture.height);
    return [left + x * scale, top + y * scale, width * scale, height * scale];
  }
  const pen = Math.max(0, ...strokes.map((stroke) => stroke.width)) / 2;
  return [x - pen, y - pen, width + 2 * pen, height + 2 * pen];
}

/** The lines within a box of the server's answer. */
export const linesIn = (all, [x, y, width, height]) =>
  all.filter((line) =>
    line.every(
      ([px, py]) => px >= x - SLACK && px <= x + width + SLACK && py >= y - SLACK && py <= y + height + SLACK,
    ),
  );
