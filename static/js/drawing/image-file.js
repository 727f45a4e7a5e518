// A picture file, converted to a picture that the server accepts.

import { t } from "../i18n/translate.js";
import { fromBase64 } from "../images/bitmap.js";

export const MOST_PIXELS = 20_000_000; // the server's limit
const BODY_LIMIT = 8 * 2 ** 20; // bytes of a request, also the server's
const AROUND = 1000; // bytes of the request besides the picture
export const MOST_BYTES = Math.floor(((BODY_LIMIT - AROUND) * 3) / 4); // in base64
const LARGEST_FILE = 100 * 2 ** 20; // bytes

const SHOWN_SIDE = 1024; // pixels of the copy for painting and storing
const KEPT_LENGTH = 300_000; // characters of a picture that is stored unchanged
const MOST_KEPT = 700_000;
const SHRINK = 0.7; // the factor of each side, until it fits

const SIGNATURES = { "image/png": [0x89, 0x50, 0x4e, 0x47], "image/jpeg": [0xff, 0xd8, 0xff] };

/** "image/png" or "image/jpeg" by a file's first bytes, null for any other. */
export const kindOf = (bytes) =>
  Object.keys(SIGNATURES).find((kind) => SIGNATURES[kind].every((byte, i) => bytes[i] === byte)) ?? null;

/** Width and height reduced to at most `most` pixels, with the same aspect ratio. */
export function within(width, height, most) {
  const scale = Math.min(1, Math.sqrt(most / (width * height)));
  return [Math.max(1, Math.floor(width * scale)), Math.max(1, Math.floor(height * scale))];
}

/**
 * The picture in a file: `{url, width, height, shown, kept}`. `url` is for the server: the file itself if it is a PNG or
 * JPEG within the server's limits, otherwise a copy. `shown` is for painting, `kept` for the browser's storage.
 */
export async function readPicture(file) {
  if (file.size > LARGEST_FILE) throw new Error(t("That file is over 100 MB. Choose a smaller image."));
  const bytes = new Uint8Array(await file.arrayBuffer());
  const kind = kindOf(bytes);
  const bitmap = await decoded(new Blob([bytes], { type: kind ?? file.type }));
  try {
    const { width, height } = bitmap;
    const asItIs = kind !== null && bytes.length <= MOST_BYTES && width * height <= MOST_PIXELS;
    const sent = asItIs ? { url: await dataUrl(new Blob([bytes], { type: kind })), width, height } : shrunk(bitmap, kind);
    const shown = onCanvas(bitmap, ...withinSide(width, height, SHOWN_SIDE));
    return { ...sent, shown, kept: sent.url.length <= KEPT_LENGTH ? sent.url : smallCopy(shown) };
  } finally {
    bitmap.close();
  }
}

/** The picture in a data URL. */
export async function fromUrl(url) {
  const [head, body] = url.split(",");
  return readPicture(new Blob([fromBase64(body)], { type: /^data:([^;]*)/.exec(head)?.[1] ?? "" }));
}

async function decoded(blob) {
  try {
    return await createImageBitmap(blob);
  } catch {
    throw new Error(t("That file cannot be read as an image. Use a PNG or JPEG."));
  }
}

/** The largest copy that the server accepts. */
function shrunk(bitmap, kind) {
  let [width, height] = within(bitmap.width, bitmap.height, MOST_PIXELS);
  for (;;) {
    const canvas = onCanvas(bitmap, width, height, kind === "image/jpeg");
    const url = canvas.toDataURL(kind ?? "image/png", 0.92);
    if (url.length <= BODY_LIMIT - AROUND) return { url, width, height };
    [width, height] = [width, height].map((side) => Math.max(1, Math.floor(side * SHRINK)));
  }
}

function smallCopy(shown) {
  const url = shown.toDataURL("image/png");
  if (url.length <= MOST_KEPT) return url;
  return onCanvas(shown, shown.width, shown.height, true).toDataURL("image/jpeg", 0.8);
}

function withinSide(width, height, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  return [width, height].map((length) => Math.max(1, Math.round(length * scale)));
}

function onCanvas(source, width, height, onWhite = false) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (onWhite) {
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}

function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error(t("That file could not be read.")));
    reader.readAsDataURL(blob);
  });
}
