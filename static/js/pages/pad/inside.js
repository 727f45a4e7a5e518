// The network at work beside the pad: it follows the pen, computed in the browser.

import { explain, get, getBytes } from "../../api/client.js";
import { t } from "../../i18n/translate.js";
import { createLiveNetwork } from "../../inside/live-network.js";
import { createNetworkView } from "../../inside/network-view.js";
import { byId, setMessage, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { prepare } from "../../standalone/predictor.js";
import { readSafetensors } from "../../standalone/safetensors.js";

const SIDE = 28;

/** Binds the panel. `subject()` returns `{model, strokes}` or `{model, pixels}`; of a blank sheet neither. */
export function createInside({ subject }) {
  const canvas = byId("inside-view");
  const said = byId("inside-said");
  const models = new Map(); // promises of networks, by name
  const loading = createLatest();
  let [live, view, name] = [null, null, null];
  let frame = 0;

  /** Shows the drawing at hand in the next frame, and another model when it has come. */
  function update() {
    if (subject().model !== name) use(subject().model);
    if (frame === 0) frame = requestAnimationFrame(look);
  }

  function look() {
    frame = 0;
    if (live === null) return;
    const begun = performance.now();
    const { strokes, pixels } = subject();
    const image = pixels ?? (strokes === undefined ? null : prepare(strokes));
    view.show(image === null || image.every((value) => value === 0) ? null : live.look(image));
    performance.measure("inside", { start: begun });
  }

  async function use(next) {
    name = next;
    const signal = loading.begin();
    view?.destroy();
    [live, view] = [null, null];
    canvas.setAttribute("aria-busy", "true");
    setMessage(byId("inside-error"), "");
    try {
      if (!models.has(next)) models.set(next, load(next));
      const found = await models.get(next);
      if (signal.aborted) return;
      live = found;
      view = createNetworkView(canvas, found, { onFocus: (words) => setText(said, words || HINT) });
      setText(said, HINT);
      update();
    } catch (error) {
      models.delete(next); // the next drawing tries again
      if (signal.aborted) return;
      name = null;
      setMessage(byId("inside-error"), error instanceof RangeError ? t("This network is too large, or too simple, to be followed in the browser.") : explain(error));
    } finally {
      if (!signal.aborted) canvas.removeAttribute("aria-busy");
    }
  }

  function stop() {
    loading.drop();
    view?.destroy();
    [live, view, name] = [null, null, null];
  }

  return { start: update, stop, update };
}

/** The network of a model, with its weights. */
async function load(model) {
  const path = `/api/models/${encodeURIComponent(model)}`;
  const card = await get(path);
  if (card.network.input_shape.reduce((a, b) => a * b, 1) !== SIDE * SIDE) throw new RangeError("another size of image");
  return createLiveNetwork(card, readSafetensors(await getBytes(`${path}/download?format=safetensors`)));
}

const HINT = t("Lit are the connections that carry most of this drawing: activation × weight. Point at a unit to see its sum, at a label to see its causes.");
