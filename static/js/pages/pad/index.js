// The drawing page: a pad, its tools, and the prediction.

import { explain, fetched, post } from "../../api/client.js";
import { awayText } from "../../api/retry.js";
import { withRoot } from "../../api/root.js";
import { createBoard } from "../../drawing/board.js";
import { boxOnPad, brushOf, EMPTY, isEmpty, lines, linesIn, ofPicture, pack, question } from "../../drawing/drawing.js";
import { listenForPictures } from "../../drawing/image-input.js";
import { createOverlay } from "../../drawing/overlay.js";
import { createPast, unpack } from "../../drawing/recent-drawings.js";
import { SIZE } from "../../drawing/strokes.js";
import { createTools } from "../../drawing/toolbar.js";
import { t } from "../../i18n/translate.js";
import { byId, pageData, setMessage, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { forTab, keep, recall } from "../../lib/storage.js";
import { createAnswer } from "../../prediction/answer.js";
import { createReader } from "../../prediction/live-predictor.js";
import { createTeach } from "./label-drawing.js";

const INSIDE = "digitpad.inside"; // whether the network is shown at work
const CURRENT = "digitpad.drawing"; // the drawing is stored until the tab is closed

/** Runs the pad; `start` is the stored drawing. */
function startPad({ model, models, enough }, start) {
  const canvas = byId("pad");
  const note = byId("pad-note");
  const overlay = createOverlay(byId("overlay"));
  const tools = createTools(canvas, () => board);
  let reading = null;
  const pictures = createLatest(); // loading a picture is cancelled by the next one and by any change of the drawing

  const past = createPast({ onChoose: (drawing) => board.replace(drawing) });
  const board = createBoard(canvas, {
    start,
    overlay,
    brush: () => byId("brush").valueAsNumber,
    erasing: tools.erasing,
    onChange,
    onReplaced: past.remember,
    onPen(place, isDown) {
      overlay.showPen(place, isDown);
      if (place !== null) setText(byId("pen-spoken"), isDown ? t("Pen down") : t("Pen up"));
    },
  });

  function onChange(drawing, change) {
    pictures.drop();
    tools.show(drawing);
    setMessage(note, "");
    if (change.final) keep(forTab, CURRENT, isEmpty(drawing) ? null : pack(drawing));
    reading?.changed(drawing, change);
  }

  async function bring(file) {
    setMessage(note, t("Opening the image …"));
    const signal = pictures.begin();
    try {
      const { readPicture } = await fetched(import("../../drawing/image-file.js"));
      const picture = await readPicture(file);
      if (signal.aborted) return; // the drawing has changed meanwhile
      tools.setErasing(false);
      board.replace(ofPicture(picture));
    } catch (error) {
      if (!signal.aborted) setMessage(note, error.message);
    }
  }

  listenForPictures({
    button: byId("picture"),
    input: byId("picture-file"),
    target: byId("paper"),
    onFile: bring,
    onNothing: (message) => setMessage(note, message),
  });
  tools.listen();
  tools.show(start);
  if (model) reading = startReading({ model, models, enough }, { overlay, shown: board.shown });
  canvas.setAttribute("data-ready", ""); // it now accepts a pen
}

/** Binds all that depends on the drawing: the prediction, the diagnosis, the labels, and the program. */
function startReading({ model, models, enough }, { overlay, shown }) {
  let name = model.name;
  let parts = [];
  let selected = 0;
  let latest = null; // the answer
  let asOne = false; // the parts of this drawing are to be read as one digit

  const whole = () => (isEmpty(shown()) ? null : { model: name, body: question(shown()) });

  /** The strokes of the selected part, or all; null if they cannot be separated. */
  function chosen() {
    const all = lines(shown());
    if (parts.length === 0) return { strokes: all, part: null };
    const strokes = linesIn(all, parts[selected].box);
    return strokes.length > 0 ? { strokes, part: selected + 1 } : null;
  }

  const answer = createAnswer(model.labels, {
    modelsPage: withRoot("/models"),
    onParts(found, index) {
      const another = found.length !== parts.length || index !== selected;
      [parts, selected] = [found, index];
      inside.update();
      overlay.showBoxes(found.length > 0 ? found.map(({ box }) => boxOnPad(box, shown())) : [], index);
      if (!another) return;
      teach.reset();
      diagnosis.update();
    },
    onReadAsOne(wanted) {
      asOne = wanted;
      reader.read({ drawing: shown(), model: name, final: true });
    },
  });
  const diagnosis = createDiagnosisPanel({
    openLarge: answer.openLarge,
    subject() {
      const found = isEmpty(shown()) ? null : { ...whole(), labels: models.find((one) => one.name === name).labels };
      if (found === null || shown().picture !== null) return found;
      const part = chosen();
      const body = { strokes: part?.strokes ?? lines(shown()), canvas: SIZE, brush: brushOf(shown()) };
      return { ...found, body, part: part?.part ?? null };
    },
  });
  const copy = byId("copy-open");
  copy.addEventListener("click", async () => {
    const found = whole();
    if (found === null) return;
    try {
      const { openCopyDialog } = await fetched(import("./copy-code.js"));
      openCopyDialog({ url: location.origin + withRoot(path(found.model)), body: found.body });
    } catch (error) {
      setMessage(byId("pad-note"), explain(error));
    }
  });
  const teach = createTeach(model.labels, {
    enough,
    subject() {
      if (shown().picture !== null) return { refusal: PICTURE_IS_NOT_KEPT };
      const found = chosen();
      if (found === null) return { refusal: PART_IS_NOT_APART };
      return found.strokes.length > 0 ? found : { refusal: "" };
    },
  });
  const inside = createInsidePanel({
    subject() {
      const found = { model: name, drawing: parts[selected] ?? shown() };
      if (isEmpty(shown())) return found;
      if (shown().picture === null) return { ...found, strokes: chosen()?.strokes ?? lines(shown()) };
      return { ...found, pixels: (parts[selected] ?? latest)?.input.flat() };
    },
  });
  const away = byId("away");
  const reader = createReader({
    async ask({ drawing, model: name }, signal) {
      const address = `${path(name)}&input=true`;
      const reply = await post(address, question(drawing), { signal });
      if (!asOne || !(reply.digits?.length > 1)) return reply;
      return { ...(await post(address, { pixels: reply.input }, { signal })), as_one: true }; // pixels are never divided
    },
    onAnswer(reply, { drawing, final }, milliseconds) {
      if (isEmpty(shown())) return;
      latest = reply;
      answer.show(reply, milliseconds, final);
      if (final && drawing === shown()) {
        teach.reset();
        if (drawing.picture !== null) inside.update();
        teach.explainDoubt((parts[selected] ?? reply).probabilities);
        diagnosis.update();
      }
    },
    onRefused: (error) => answer.showRefusal(explain(error), { isForbidden: FORBIDDEN.has(error.status) }),
    onWaiting: answer.showWaiting,
    onAway(seconds) {
      answer.showWaiting();
      setMessage(away, `${awayText(seconds)} ${t("Your drawing is not lost.")}`);
    },
    onBack: () => setMessage(away, ""),
  });

  /** Reports another drawing; unless it only grew, earlier answers are dropped. */
  function changed(drawing, { final, grew }) {
    if (!grew) {
      reader.forget();
      [parts, selected, asOne, latest] = [[], 0, false, null];
    }
    inside.update();
    copy.disabled = isEmpty(drawing);
    if (isEmpty(drawing)) {
      answer.showBlank();
      diagnosis.update();
    } else if (final || drawing.picture === null) reader.read({ drawing, model: name, final });
    if (final) teach.reset();
  }

  byId("model")?.addEventListener("change", (event) => {
    name = event.target.value;
    const url = new URL(location.href);
    url.searchParams.set("model", name);
    window.history.replaceState(null, "", url);
    const { labels } = models.find((one) => one.name === name);
    answer.useLabels(labels);
    teach.useLabels(labels);
    changed(shown(), REPLACED);
  });
  changed(shown(), REPLACED);

  return { changed };
}

/** "See inside" and "Watch one learn", whose scripts are loaded when one is first opened. */
function createInsidePanel({ subject }) {
  const buttons = { inside: byId("inside-open"), watch: byId("watch-open") };
  const loaders = {
    inside: () => import("./inside.js").then(({ createInside }) => createInside({ subject })),
    watch: () => import("./watch.js").then(({ createWatch }) => createWatch({ subject })),
  };
  const coming = {};
  let opened = null;

  /** Calls a function of the panel that is open, or reports why it did not come. */
  async function use(action) {
    const name = opened;
    if (name === null) return;
    coming[name] ??= fetched(loaders[name]());
    try {
      const panel = await coming[name];
      if (opened === name) action(panel);
    } catch (error) {
      coming[name] = null; // the next change retries
      setMessage(byId("inside-error"), explain(error));
    }
  }

  async function open(name) {
    coming[opened]?.then((panel) => panel.stop(), () => {}); // what did not come has been reported
    opened = name;
    for (const [own, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", String(own === name));
    byId("inside").hidden = name === null;
    byId("watch").hidden = name !== "watch";
    const page = byId("inside").closest("main");
    page.toggleAttribute("data-inside", name !== null);
    page.toggleAttribute("data-watching", name === "watch");
    keep(forTab, INSIDE, name === "inside" || null);
    use((panel) => panel.start());
  }

  for (const [name, button] of Object.entries(buttons)) button.addEventListener("click", () => open(opened === name ? null : name));
  byId("inside-all").addEventListener("click", ({ currentTarget }) => {
    currentTarget.search = new URLSearchParams({ model: subject().model, drawing: "last" });
  });
  if (recall(forTab, INSIDE) === true) open("inside");
  return { update: () => use((panel) => panel.update()) };
}

/** The diagnosis "Why this answer?", whose script is loaded when it is first opened. */
function createDiagnosisPanel({ subject, openLarge }) {
  const panel = byId("doctor");
  let coming = null;

  async function update() {
    const part = subject()?.part ?? null;
    setText(byId("doctor-of"), part === null ? "" : t(" (part {part})", { part }));
    if (panel.open) coming ??= load();
    try {
      for (const part of (await coming) ?? []) part.update();
    } catch (error) {
      coming = null; // the next opening retries
      setMessage(byId("why-note"), explain(error));
    }
  }

  async function load() {
    const { createWhy } = await fetched(import("./why.js"));
    const { createDiagnosis } = await fetched(import("./diagnosis.js"));
    return [createWhy({ subject }), createDiagnosis({ subject, openLarge })];
  }

  panel.addEventListener("toggle", update);
  return { update };
}

const PICTURE_IS_NOT_KEPT = t("Only drawings can be saved, and this is an image. Draw it to save it.");
const PART_IS_NOT_APART = t("The strokes of this part cannot be separated from the others. Draw it alone to save it.");
const FORBIDDEN = new Set([401, 403, 421]); // without a token, or under a name or from an origin that is not allowed
const REPLACED = { final: true, grew: false };
const path = (model) => `/predict?model=${encodeURIComponent(model)}`;

startPad(pageData(), (await unpack(recall(forTab, CURRENT))) ?? EMPTY);
