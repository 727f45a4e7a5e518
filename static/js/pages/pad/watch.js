// "Watch one learn": a small network is trained on this machine, and its weights are shown at work as they change.

import { explain, get, getBytes, post, ServerAway } from "../../api/client.js";
import { awayText } from "../../api/retry.js";
import { withRoot } from "../../api/root.js";
import { fitted, readTheme } from "../../charts/canvas.js";
import { count, duration, loss as lossText, percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { createBitmap, fromBase64 } from "../../images/bitmap.js";
import { createLiveNetwork } from "../../inside/live-network.js";
import { createNetworkView } from "../../inside/network-view.js";
import { behindLine } from "../../labels/run-names.js";
import { byId, element, setMessage, setText } from "../../lib/dom.js";
import { batchLosses, forgetEvents, hasEnded, recordOf, withMessage } from "../../runs/run-state.js";
import { followRun } from "../../runs/stream.js";
import { prepare } from "../../standalone/predictor.js";
import { readSafetensors } from "../../standalone/safetensors.js";

const PAUSE = 90; // ms between two questions for weights
const LONG_PAUSE = 1000; // in a page that nobody sees, or where the server is away
const SIDE = 28;
const BYTE_MAX = 255;
const SHOWN = 2; // images of each label

/** Plain gradient descent with a gentle start, so that there is something to see. */
const TRAINING = {
  recipe: "quick",
  overrides: {
    network: { layers: [{ type: "dense", units: 64, initializer: { type: "he" } }, { type: "relu" }, { type: "dense", units: 10 }] },
    optimizer: { type: "sgd", learning_rate: 0.2 },
    schedule: { type: "warm_up", share: 0.15, initial: 0.002, schedule: "cosine" },
    batch_size: 32,
    epochs: 10,
  },
};

/** Binds the panel. `subject()` is as of inside.js; `update()` follows the drawing. */
export function createWatch({ subject }) {
  const canvas = byId("inside-view");
  const status = byId("watch-status");
  let [view, live, record] = [null, null, null];
  let [labels, images] = [[], []]; // of the test images in view
  let current = null; // the AbortController of the training in view
  const paused = new Set(); // the runs that wait for the end of this one
  let stopFollowing = () => {};

  async function start() {
    stop();
    const over = (current = new AbortController());
    byId("watch-end").hidden = true;
    setMessage(byId("inside-error"), "");
    setText(status, t("A fresh network is being made …"));
    [live, record] = [null, null];
    canvas.setAttribute("aria-busy", "true");
    try {
      const { datasets } = await get("/api/datasets");
      const isHere = datasets.some(({ name, state }) => name === "mnist" && state === "ready");
      const dataset = isHere ? "mnist" : "strokes"; // which digitpad draws itself
      await showImages(dataset, over.signal);
      const run = await post("/api/runs", { ...TRAINING, overrides: { ...TRAINING.overrides, dataset }, tags: ["watched"] });
      if (over.signal.aborted) {
        leave(run.id);
        return;
      }
      record = recordOf(run);
      stopFollowing = followRun(run.id, {
        onMessage: hear,
        onReset: () => (record = forgetEvents(record)),
        onGone: () => fail(new Error(t("This run no longer exists."))),
        onLost: (seconds) => setText(status, awayText(seconds)),
        onFound: () => setText(status, line(batchLosses(record))),
      });
      follow(run.id, over.signal);
    } catch (error) {
      if (!over.signal.aborted) fail(error);
    }
  }

  /** Ends the training in view: it was made to be watched. */
  function stop() {
    current?.abort();
    current = null;
    release();
    stopFollowing();
    view?.destroy();
    view = null;
  }

  const showError = (error) => setMessage(byId("inside-error"), explain(error));

  function fail(error) {
    stop();
    showError(error);
    setText(status, "");
    showEnd([]);
  }

  /** Asks a run to do something, also while the page is left. */
  const command = (run, action) => post(`/api/runs/${run}/${action}`, {}, { keepalive: true });

  const leave = (run) => command(run, "cancel").catch(() => {}); // it soon ends by itself

  /** Cancels the training in view, unless it has ended, and lets the runs go on that were paused for it. */
  function release() {
    if (record !== null && !hasEnded(record)) leave(record.id);
    for (const run of paused) command(run, "resume").catch(showError);
    paused.clear();
  }

  /** Offers to pause the run at work while this one waits. */
  function offerPause(run) {
    if (Number(byId("watch-end").dataset.run) === run) return;
    const button = element("button", { class: "button", type: "button" }, t("Pause run {run} for this one", { run }));
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await command(run, "pause");
        paused.add(run);
      } catch (error) {
        button.disabled = false;
        showError(error);
      }
    });
    byId("watch-end").replaceChildren(button);
    byId("watch-end").dataset.run = run;
    byId("watch-end").hidden = false;
  }

  /** Asks for the weights again and again while the run goes on. */
  async function follow(run, signal) {
    while (!signal.aborted && !hasEnded(record)) {
      let isAway = false;
      try {
        const bytes = await getBytes(`/api/runs/${run}/live`, { signal });
        if (signal.aborted) return;
        if (bytes.length > 0) take(readSafetensors(bytes));
      } catch (error) {
        if (!(error instanceof ServerAway)) return signal.aborted || fail(error);
        isAway = true; // the stream of the run says so
      }
      await new Promise((done) => setTimeout(done, isAway || document.hidden ? LONG_PAUSE : PAUSE));
    }
    return undefined;
  }

  function take(arrays) {
    const { config } = record;
    live = createLiveNetwork({ network: { ...config.network, input_shape: [SIDE, SIDE] }, input_scale: config.input_scale, labels }, arrays);
    if (view === null) view = createNetworkView(canvas, live, { onFocus: (words) => setText(byId("inside-said"), words) });
    else view.use(live);
    canvas.removeAttribute("aria-busy");
    update();
    readImages();
  }

  /** Shows the drawing at hand to the network as it is now. */
  function update() {
    if (live === null || view === null) return;
    const { strokes, pixels } = subject();
    const image = pixels ?? (strokes === undefined ? null : prepare(strokes));
    view.show(image === null || image.every((value) => value === 0) ? null : live.look(image));
  }

  async function showImages(dataset, signal) {
    const found = await get(`/api/datasets/${dataset}/digits?split=test&limit=200`, { signal });
    const chosen = found.labels.flatMap((label) => found.digits.filter((digit) => digit.label === label).slice(0, SHOWN));
    images = chosen.map(({ label, pixels }) => {
      const bytes = fromBase64(pixels);
      const said = element("span", { class: "watch-said" }, "–");
      const node = element("li", { class: "watch-image", title: label }, createBitmap(bytes), said);
      return { label, pixels: Float64Array.from(bytes, (value) => value / BYTE_MAX), node, said };
    });
    ({ labels } = found);
    byId("watch-images").replaceChildren(...images.map(({ node }) => node));
  }

  function readImages() {
    for (const { label, pixels, node, said } of images) {
      const { probabilities } = live.look(pixels);
      const answer = live.labels[probabilities.indexOf(Math.max(...probabilities))];
      setText(said, answer);
      node.dataset.kind = answer === label ? "right" : "wrong";
    }
  }

  function hear(message) {
    record = withMessage(record, message);
    if (record.state === "failed") return fail(new Error(record.error));
    const losses = batchLosses(record);
    drawLosses(losses);
    setText(status, line(losses));
    const [ahead] = record.state === "queued" ? record.ahead : [];
    if (ahead !== undefined) offerPause(ahead);
    else if (!hasEnded(record)) byId("watch-end").hidden = true;
    else release();
    if (record.state === "cancelled") showEnd([]);
    else if (record.state === "succeeded") finish();
    return undefined;
  }

  function line(losses) {
    if (record.state === "cancelled") return t("Cancelled.");
    if (record.state === "queued") return behindLine(record);
    const trained = record.epochs.at(-1)?.epoch ?? 0;
    const right = images.filter(({ node }) => node.dataset.kind === "right").length;
    const values = { epoch: Math.min(trained + 1, record.config.epochs), epochs: record.config.epochs, loss: lossText(losses.y.at(-1)), right: count(right), total: count(images.length) };
    if (losses.y.length === 0) return t("The first batches …");
    return t("Epoch {epoch} of {epochs} · loss {loss} · {right} of these {total} read correctly", values);
  }

  function finish() {
    const seconds = record.epochs.reduce((sum, { seconds }) => sum + seconds, 0);
    setText(status, t("{accuracy} of the unseen test images after {seconds}.", { accuracy: percent(record.testAccuracy, 1), seconds: duration(seconds) }));
    showEnd([
      element("a", { class: "button accent", href: withRoot(`/?model=${encodeURIComponent(record.model)}`) }, t("Use it")),
      element("a", { class: "button", href: withRoot("/train") }, t("Train a larger one")),
    ]);
  }

  function showEnd(links) {
    const again = element("button", { class: "button", type: "button" }, t("Watch again"));
    again.addEventListener("click", start);
    byId("watch-end").replaceChildren(...links, again);
    delete byId("watch-end").dataset.run;
    byId("watch-end").hidden = false;
    canvas.removeAttribute("aria-busy");
  }

  window.addEventListener("pagehide", release);

  return { start, stop, update };
}

/** The loss batch by batch, from the first on. */
function drawLosses({ x, y }) {
  const room = fitted(byId("watch-losses"));
  if (room === null || y.length === 0) return;
  const { pen, width, height } = room;
  const theme = readTheme();
  const most = Math.max(...y.filter(Number.isFinite));
  const end = Math.max(1, x.at(-1));
  pen.lineWidth = 2;
  pen.lineJoin = "round";
  pen.strokeStyle = theme.training;
  pen.beginPath();
  y.forEach((value, i) => pen.lineTo((x[i] / end) * (width - 4) + 2, height - 3 - (value / most) * (height - 8)));
  pen.stroke();
}
