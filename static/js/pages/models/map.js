// The map of a model: test images in a plane, and one's own drawing as a point that travels.

import { explain, get, post } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { createImageMap, imageCaption, showLabels } from "../../charts/image-map.js";
import { createBoard } from "../../drawing/board.js";
import { EMPTY, isEmpty, question } from "../../drawing/drawing.js";
import { createOverlay } from "../../drawing/overlay.js";
import { unpack } from "../../drawing/recent-drawings.js";
import { count, percent, sentences } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { fromBase64 } from "../../images/bitmap.js";
import { tile } from "../../images/tile.js";
import { byId, element, pageData, setText } from "../../lib/dom.js";
import { forTab, recall } from "../../lib/storage.js";
import { createReader } from "../../prediction/live-predictor.js";

const SIDE = 28;
const BRUSH = 30;
const MOST_SHOWN = 60; // images of a region
const CURRENT = "digitpad.drawing"; // the drawing of the first page

async function start({ model }) {
  const path = `/api/models/${encodeURIComponent(model)}/map`;
  const canvas = byId("map");
  let data;
  try {
    data = decoded(await retryWhileAway(() => get(path), (seconds) => setText(byId("map-note"), awayText(seconds))));
  } catch (error) {
    setText(byId("map-error"), explain(error));
    return canvas.removeAttribute("aria-busy");
  }
  canvas.removeAttribute("aria-busy");
  const map = createImageMap(canvas, data, {
    onHover: (index) => setText(byId("map-hover"), index === null ? "\u00a0" : imageCaption(data, index)),
    onRegion: showRegion,
  });
  const values = { count: count(data.truth.length), dataset: data.dataset, percent: percent(data.variance[0] + data.variance[1], 0) };
  setText(byId("map-note"), t("{count} test images of {dataset}. The plane shows {percent} of the variance of the last hidden layer (PCA). Drag to move, scroll to zoom.", values));
  canvas.setAttribute("aria-label", t("A map of {count} images of {dataset}", values));
  showLabels(byId("map-labels"), data, map);
  listen(map);

  function showRegion(indices) {
    byId("map-select").setAttribute("aria-pressed", "false");
    map.select(false);
    byId("map-region").replaceChildren(...indices.slice(0, MOST_SHOWN).map((index) => imageTile(data, index)));
    setText(byId("map-region-note"), indices.length === 0 ? t("No images in this region.") : sentences(t("{count} images in this region.", { count: count(indices.length) }), indices.length > MOST_SHOWN ? t("The first {count} are shown.", { count: MOST_SHOWN }) : ""));
  }

  const reader = createReader({
    ask: ({ drawing }, signal) => post(`${path}/place`, { drawing }, { signal }),
    onAnswer(found, { final }) {
      map.showOwn(found);
      setText(byId("map-error"), "");
      setText(byId("map-says"), t("Here it reads {label}. The lines lead to the images that it takes for most like yours.", { label: found.said }));
      if (final) byId("map-nearest").replaceChildren(...found.nearest.map((index) => imageTile(data, index)));
    },
    onRefused: (error) => setText(byId("map-error"), explain(error)),
    onWaiting: () => {},
    onAway: (seconds) => setText(byId("map-error"), awayText(seconds)),
    onBack: () => setText(byId("map-error"), ""),
  });
  const overlay = createOverlay(byId("overlay"));
  const board = createBoard(byId("pad"), {
    start: (await unpack(recall(forTab, CURRENT))) ?? EMPTY,
    overlay,
    brush: () => BRUSH,
    erasing: () => false,
    onChange: changed,
    onReplaced: () => {},
    onPen(place, isDown) {
      overlay.showPen(place, isDown);
      if (place !== null) setText(byId("pen-spoken"), isDown ? t("Pen down") : t("Pen up"));
    },
  });

  function changed(drawing, { final, grew }) {
    if (!grew) reader.forget();
    byId("clear").disabled = isEmpty(drawing);
    byId("undo").disabled = !board.canUndo();
    byId("hint").toggleAttribute("data-off", !isEmpty(drawing));
    if (!isEmpty(drawing)) return reader.read({ drawing: question(drawing), final });
    map.showOwn(null);
    byId("map-nearest").replaceChildren();
    return setText(byId("map-says"), t("Your drawing is not on the map yet."));
  }

  byId("undo").addEventListener("click", board.undo);
  byId("clear").addEventListener("click", board.clear);
  changed(board.shown(), { final: true, grew: false });
  byId("pad").setAttribute("data-ready", "");
  return undefined;
}

function decoded({ points, images, ...rest }) {
  return { ...rest, points: new Float32Array(fromBase64(points).buffer), images: fromBase64(images) };
}

function imageTile(data, index) {
  const { labels, truth, said, images } = data;
  const isRight = truth[index] === said[index];
  const pixels = btoa(String.fromCharCode(...images.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE)));
  const words = isRight ? labels[truth[index]] : `${labels[truth[index]]} → ${labels[said[index]]}`;
  return tile({ pixels, caption: [element("strong", {}, words)], title: imageCaption(data, index), text: sentences(data.dataset), kind: isRight ? "right" : "wrong" });
}

function listen(map) {
  const select = byId("map-select");
  select.addEventListener("click", () => {
    const on = select.getAttribute("aria-pressed") !== "true";
    select.setAttribute("aria-pressed", String(on));
    map.select(on);
  });
  byId("map-in").addEventListener("click", map.zoomIn);
  byId("map-out").addEventListener("click", map.zoomOut);
  byId("map-all").addEventListener("click", map.showAll);
}

start(pageData());
