// The network at work beside the pad: it follows the pen, computed in the browser.

import { explain, post } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { count, percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { createLiveNetwork } from "../../inside/live-network.js";
import { createNetworkView } from "../../inside/network-view.js";
import { slidingLayers } from "../../inside/sliding-window.js";
import { loadNetwork } from "../../inside/stored-network.js";
import { byId, setMessage, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { prepare } from "../../standalone/predictor.js";
import { createWhatIf, rowsOf } from "./what-if.js";

const STEP = 120; // ms between two pixels of a search

/**
 * Binds the panel. `subject()` returns `{model, drawing}` with the drawing's `strokes` or `pixels`; of a blank sheet neither.
 */
export function createInside({ subject }) {
  const canvas = byId("inside-view");
  const said = byId("inside-said");
  const models = new Map(); // promises of networks, by name
  const loading = createLatest();
  let [live, view, name, work] = [null, null, null, null];
  const restore = byId("inside-restore");
  const fewest = byId("inside-fewest");
  const kernels = byId("inside-kernels");
  const searching = createLatest();
  let changed = null; // {drawing, pixels, places}: the image with pixels that were turned by hand, or by the search
  let frame = 0;

  /** Shows the drawing at hand in the next frame, and another model when it has come. */
  function update() {
    if (subject().model !== name) use(subject().model);
    if (frame === 0) frame = requestAnimationFrame(look);
  }

  function look() {
    frame = 0;
    if (live === null) return;
    const image = imageNow();
    work = image === null || image.every((value) => value === 0) ? null : live.look(image);
    view.show(work);
    byId("answer-head").toggleAttribute("data-aside", changed !== null); // it is the answer to the drawing as it was
    if (said.textContent === HINT || said.textContent === BLANK) setText(said, hint());
    fewest.disabled = work === null || changed !== null;
    whatIf.update();
  }

  /** The image, 784 numbers, with the pixels that were turned since the drawing changed; null for none. */
  function imageNow() {
    if (changed !== null && changed.drawing === subject().drawing) return changed.pixels;
    if (changed !== null) forget();
    return drawn();
  }

  const hint = () => (work === null ? BLANK : HINT);
  const hasInk = () => subject().pixels !== undefined || subject().strokes !== undefined;

  /** The image of the drawing itself, 784 numbers; null for none. */
  function drawn() {
    const { strokes, pixels } = subject();
    return pixels ?? (strokes === undefined ? null : prepare(strokes));
  }

  /** Shows another image in the drawing's place until that changes; returns the work on it, null for a blank one. */
  function put(pixels) {
    searching.drop();
    changed = { drawing: subject().drawing, pixels, places: new Set() };
    restore.hidden = false;
    look();
    return work;
  }

  function forget() {
    searching.drop();
    whatIf.leave();
    changed = null;
    byId("answer-head").removeAttribute("data-aside");
    restore.hidden = true;
    setText(said, hint());
  }

  /** Turns a pixel, and says what the network makes of it. */
  function turn(pixel, value) {
    changed ??= { drawing: subject().drawing, pixels: Float64Array.from(work.pixels), places: new Set() };
    changed.pixels[pixel] = value;
    changed.places.add(pixel);
    restore.hidden = false;
    look();
    if (work === null) return;
    const best = work.probabilities.indexOf(Math.max(...work.probabilities));
    setText(said, t("{count} pixels changed: it reads {label}, {percent}.", { count: count(changed.places.size), label: live.labels[best], percent: percent(work.probabilities[best]) }));
  }

  /** Turns the few pixels that change the network's mind, one after another. */
  async function searchFewest() {
    const signal = searching.begin();
    fewest.disabled = true;
    setText(said, t("Looking for the fewest pixels …"));
    try {
      const found = await post("/api/explain/pixels", { drawing: { pixels: rowsOf(work.pixels) }, model: name }, { signal });
      for (const { pixel, value } of found.changes) {
        await new Promise((done) => setTimeout(done, STEP));
        if (signal.aborted) return;
        turn(pixel, value);
      }
      const values = { count: count(found.changes.length), label: found.label, other: found.says };
      setText(said, found.changed ? t("{count} pixels change its mind: for the {label} it now reads {other}. A person would not be misled.", values) : found.changes.length === 0 ? t("No single pixel brings another label nearer: it reads {label}.", values) : t("Even {count} pixels do not change its mind: it still reads {label}.", values));
    } catch (error) {
      if (!signal.aborted) setText(said, explain(error));
      fewest.disabled = false;
    }
  }

  const whatIf = createWhatIf({
    now: () => ({ model: name, labels: live.labels, isDrawn: work !== null && hasInk(), isChanged: changed !== null, work }),
    drawn,
    put,
    say: (text) => setText(said, text),
  });

  restore.addEventListener("click", () => {
    forget();
    update();
  });
  fewest.addEventListener("click", searchFewest);

  async function use(next) {
    name = next;
    const signal = loading.begin();
    view?.destroy();
    [live, view, work] = [null, null, null];
    fewest.disabled = true;
    showKernels(null);
    whatIf.clear();
    canvas.setAttribute("aria-busy", "true");
    setMessage(byId("inside-error"), "");
    try {
      if (!models.has(next)) models.set(next, load(next));
      const found = await models.get(next);
      if (signal.aborted) return;
      live = found.live;
      showKernels(found.slides ? next : null);
      view = createNetworkView(canvas, live, { onFocus: (words) => (changed === null || words !== "") && setText(said, words || hint()), onPaint: turn });
      setText(said, hint());
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

  /** The way to the model's kernels, with the drawing; none where `model` is null. */
  function showKernels(model) {
    kernels.hidden = model === null;
    if (model !== null) kernels.href = `${withRoot("/learn/inside")}?${new URLSearchParams({ model, drawing: "last" })}#kernels`;
  }

  function stop() {
    loading.drop();
    forget();
    whatIf.clear();
    showKernels(null);
    view?.destroy();
    [live, view, name] = [null, null, null];
  }

  return { start: update, stop, update };
}

/** The network of a model at work, and whether a window slides in it. */
async function load(model) {
  const { card, arrays } = await loadNetwork(model);
  return { live: createLiveNetwork(card, arrays), slides: slidingLayers(card.network.layers).length > 0 };
}

const HINT = t("Lit are the connections that carry most of this drawing (activation × weight), and of those to the labels what speaks for the answer. Choose a unit to see its sum, a label to see its causes, or paint pixels of the image to see what changes.");
const BLANK = t("Draw: the connections that carry most of the drawing light up.");
