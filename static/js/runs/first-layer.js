// The weights of the first layer as pictures, updated during the training.

import { explain, get, Refused } from "../api/client.js";
import { num } from "../charts/heatmap-data.js";
import { t } from "../i18n/translate.js";
import { createBitmap, fromBase64, paintBytes } from "../images/bitmap.js";
import { byId, element, setText } from "../lib/dom.js";
import { rove } from "../lib/roving-focus.js";
import { whenText } from "./moments.js";

const COUNT = 32;
const PAUSE_MS = 700; // between two requests, however short the epochs are
const CONFLICT = 409;

const BEFORE = () => t("The weights appear here after the first epoch.");
const NO_PICTURE = () => t("The first layer of this network does not see the image itself, so there is nothing to show.");

/** Runs the pictures of the page. `open({paint, title, text})` enlarges one. */
export function createFirstLayer({ open }) {
  const place = byId("first-layer");
  const refreshStops = rove(place);
  let run = null;
  let latest = 0; // the epoch to show
  let got = -1; // the epoch of the last answer
  let without = false; // the network has no such pictures
  let busy = false;
  let moment = null; // the weights of a chosen moment
  let newest = null; // the last answer
  let answer = null; // what is shown

  function clear(count) {
    place.replaceChildren(...Array.from({ length: count }, (_, i) => cell(i)));
    refreshStops();
    setText(byId("first-layer-note"), "");
    setText(byId("first-layer-empty"), BEFORE());
  }

  function cell(index) {
    const button = element(
      "button",
      { type: "button", class: "weight", disabled: true, "aria-label": t("Weights of a unit") },
      createBitmap(null, "picture"),
    );
    button.addEventListener("click", () => openLarge(index));
    return element("li", {}, button);
  }

  /** Takes the number of completed epochs; fetches newer weights. */
  function follow({ id, config }, epochs) {
    if (id !== run) {
      [run, latest, got, without, answer, newest, moment] = [id, 0, -1, false, null, null, null];
      byId("first-layer-card").hidden = false;
      clear(Math.min(COUNT, unitsOf(config)));
    }
    latest = epochs;
    if (latest > 0 && latest !== got) ask();
  }

  async function ask() {
    if (busy || without) return;
    busy = true;
    const [id, epochs] = [run, latest];
    try {
      const found = await get(`/api/runs/${id}/first-layer?count=${COUNT}`);
      if (id === run) [newest, got] = [found, epochs];
      if (id === run && moment === null) putNewest();
    } catch (error) {
      if (id === run && error instanceof Refused) {
        if (error.status === CONFLICT) got = epochs;
        else refused(error);
      }
    }
    setTimeout(() => {
      busy = false;
      if (run !== null && latest > 0 && latest !== got) ask();
    }, PAUSE_MS);
  }

  function refused(error) {
    without = true;
    setText(byId("first-layer-empty"), error.status === 404 ? NO_PICTURE() : explain(error));
  }

  const putNewest = () => put(newest, newest.epoch > 0 ? t("after epoch {epoch}", { epoch: newest.epoch }) : "");

  /** Shows the weights at a position of the run instead of the newest; null shows these. */
  function showMoment(found, position) {
    moment = found;
    if (found !== null) put(found, whenText(position));
    else if (newest !== null && answer !== newest) putNewest();
  }

  function put(found, when) {
    answer = found;
    const most = Math.max(...found.images.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]));
    answer.greys = found.images.map(({ pixels, low, high }) => aroundZero(fromBase64(pixels), low, high, most));
    for (const [i, item] of [...place.children].entries()) {
      item.hidden = i >= found.images.length;
      if (item.hidden) continue;
      const button = item.firstElementChild;
      button.disabled = false;
      button.setAttribute("aria-label", t("Weights of unit {unit}", { unit: found.images[i].unit + 1 }));
      paintBytes(button.firstElementChild, answer.greys[i], found.shape);
    }
    setText(byId("first-layer-empty"), "");
    setText(byId("first-layer-note"), when);
  }

  function openLarge(index) {
    const { unit, low, high } = answer.images[index];
    const values = { low: num(low), high: num(high) };
    open({
      paint: (canvas) => paintBytes(canvas, answer.greys[index], answer.shape),
      title: t("Weights of unit {unit}", { unit: unit + 1 }),
      text: t("From {low} (dark) to {high} (bright); grey is zero. Ink on bright areas excites the neuron, ink on dark areas calms it.", values),
    });
  }

  return { follow, showMoment };
}

/** The number of units with pictures, to reserve their places before the first epoch. */
function unitsOf({ network: { layers } }) {
  const first = layers.find(({ units, filters }) => units !== undefined || filters !== undefined);
  return first?.units ?? first?.filters ?? COUNT;
}

/**
 * Weights as grey values: `bytes` range from `low` to `high`; in the result 0 is in the middle and ±`most` at the
 * ends, so that positive weights are light and negative ones dark in all pictures.
 */
export function aroundZero(bytes, low, high, most) {
  return bytes.map((byte) => {
    const weight = low + (byte / 255) * (high - low);
    return Math.round(127.5 + (127.5 * weight) / (most || 1));
  });
}
