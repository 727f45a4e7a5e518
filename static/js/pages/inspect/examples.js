// Random digits of the test set.

import { Refused, get, post } from "../../api/client.js";
import { fromUrl } from "../../drawing/image-file.js";
import { createBitmap, fromBase64 } from "../../images/bitmap.js";

const FALLBACK = "strokes"; // drawn by digitpad itself, so that it needs no download
const totals = new Map();

/**
 * A test digit of the model's data set, or of the fallback if its labels are the model's:
 * `{label, index, dataset, pixels, picture}`, with the pixels from 0 to 1 in one row, and a picture for the pad.
 */
export async function takeExample({ dataset, labels }) {
  try {
    return await fromDataset(dataset, false);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const found = await fromDataset(FALLBACK, true);
    if (!labels.includes(found.label)) throw error;
    return found;
  }
}

async function fromDataset(name, fetched) {
  const path = `/api/datasets/${encodeURIComponent(name)}`;
  if (!totals.has(name)) {
    if (fetched) await post(`${path}/fetch`);
    totals.set(name, (await get(`${path}/digits?split=test&limit=1`)).total);
  }
  const offset = Math.floor(Math.random() * totals.get(name));
  const { digits } = await get(`${path}/digits?split=test&limit=1&offset=${offset}`);
  const bytes = fromBase64(digits[0].pixels);
  return {
    label: digits[0].label,
    index: digits[0].index,
    dataset: name,
    pixels: Array.from(bytes, (value) => value / 255),
    picture: await fromUrl(asUrl(bytes)),
  };
}

/** Renders dark ink on paper, as a PNG. */
const asUrl = (bytes) => createBitmap(bytes.map((value) => 255 - value)).toDataURL("image/png");
