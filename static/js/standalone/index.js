// A page with a model that reads drawings without a server: app/models/formats/html.py creates it.

import { translatePage } from "./language.js";
import { createAnswer } from "../prediction/answer.js";
import { createBoard } from "../drawing/board.js";
import { byId, setText } from "../lib/dom.js";
import { boxOnPad, EMPTY, isEmpty, lines } from "../drawing/drawing.js";
import { createOverlay } from "../drawing/overlay.js";
import { fromBase64 } from "../images/bitmap.js";
import { createPredictor } from "./predictor.js";
import { readSafetensors } from "./safetensors.js";
import { createTools } from "../drawing/toolbar.js";
import { t } from "../i18n/translate.js";

function start() {
  translatePage(t);
  const card = JSON.parse(byId("card").textContent);
  const predict = createPredictor(card, readSafetensors(fromBase64(byId("weights").textContent.trim())));
  const canvas = byId("pad");
  const overlay = createOverlay(byId("overlay"));
  const tools = createTools(canvas, () => board);
  const answer = createAnswer(card.labels, {
    onParts: (found, index) => overlay.showBoxes(found.map(({ box }) => boxOnPad(box, board.shown())), index),
  });
  let frame = 0; // the request of an animation frame

  const board = createBoard(canvas, {
    start: EMPTY,
    overlay,
    brush: () => byId("brush").valueAsNumber,
    erasing: tools.erasing,
    onChange(drawing, { final }) {
      tools.show(drawing);
      cancelAnimationFrame(frame);
      if (final) read(true);
      else frame = requestAnimationFrame(() => read(false));
    },
    onReplaced() {}, // no undo of clearing
    onPen(place, isDown) {
      overlay.showPen(place, isDown);
      if (place !== null) setText(byId("pen-spoken"), isDown ? t("Pen down") : t("Pen up"));
    },
  });

  function read(final) {
    if (isEmpty(board.shown())) return answer.showBlank();
    const begun = performance.now();
    const reply = predict(lines(board.shown()));
    answer.show(reply, performance.now() - begun, final);
  }

  tools.listen();
  answer.showBlank();
  // For other scripts on the page: the answer to [[[x, y], ...], ...], as from POST /predict.
  window.digitpad = Object.freeze({ predict });
  canvas.setAttribute("data-ready", "");
}

start();
