// Films: the pictures of a part of the page at all positions of its slider, as an animated GIF or as a zip of PNGs.

import { readTheme } from "../charts/canvas.js";
import { explain } from "../api/client.js";
import { t } from "../i18n/translate.js";
import { createGif } from "../lib/gif.js";
import { byId, setText } from "../lib/dom.js";
import { saveFile } from "../lib/save-file.js";
import { zip } from "../lib/zip.js";

const FRAME = 35; // hundredths of a second
const LAST_FRAME = 200;
const CAPTION = 34; // pixels
const CELL = 84;
const GAP = 6;
const LINE = 22;

/**
 * Saves a film as `NAME.gif` or `NAME.zip`, by the button's `data-kind`, which says how far it is. `go(index)` shows one of `count` positions
 * and resolves when the page does; `picture()` is then a canvas of it, and `caption()` its line. Afterwards position `at` is shown again.
 */
export async function saveFilm(button, { name, count, at, go, picture, caption }) {
  if (button.ariaBusy === "true") return;
  const label = button.textContent;
  button.ariaBusy = "true";
  try {
    const frames = [];
    let gif = null;
    for (let index = 0; index < count; index += 1) {
      setText(button, t("{done} of {all}", { done: index + 1, all: count }));
      await go(index);
      await new Promise((resolve) => setTimeout(resolve)); // the page stays alive
      const canvas = withCaption(picture(), caption());
      if (button.dataset.kind === "gif") {
        gif ??= createGif(canvas.width, canvas.height);
        gif.add(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height), index === count - 1 ? LAST_FRAME : FRAME);
      } else frames.push({ path: `${name}-${String(index).padStart(3, "0")}.png`, file: await new Promise((resolve) => canvas.toBlob(resolve)) });
    }
    if (gif === null) saveFile(await zip(frames), `${name}.zip`);
    else saveFile(gif.blob(), `${name}.gif`);
  } finally {
    button.ariaBusy = null;
    setText(button, label);
    await go(at);
  }
}

/** Saves a canvas of the page with a line below it as `NAME.png`. */
export async function savePicture(canvas, words, name) {
  saveFile(await new Promise((resolve) => withCaption(canvas, words).toBlob(resolve)), `${name}.png`);
}

/** Saves the film of one part of a run's page: `button.dataset.film` names it. */
export function saveRunFilm(button, { timeline, name }) {
  timeline.stop();
  const picture = PICTURES[button.dataset.film];
  return saveFilm(button, { name, count: timeline.count(), at: timeline.at(), go: timeline.go, picture, caption: timeline.caption }).catch((error) => setText(byId("run-spoken"), explain(error)));
}

const PICTURES = {
  "first-layer": () => tiles([...byId("first-layer").querySelectorAll("li:not([hidden]) canvas")].map((canvas) => ({ canvas })), 8),
  sheet: () => tiles([...byId("sheet").querySelectorAll("li:not([hidden])")].map(digitOf), 10),
  histograms: () => histograms([...byId("histograms").children]),
  map: () => byId("run-map"),
  confusion: () => byId("run-confusion"),
};

const digitOf = (item) => ({ canvas: item.querySelector("canvas"), words: item.querySelector(".sheet-said").textContent });

/** A canvas of that size with the page's ground. */
function ground(width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d");
  const theme = readTheme();
  pen.fillStyle = theme.sheet;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = theme.ink;
  pen.font = `16px ${theme.font}`;
  pen.imageSmoothingEnabled = false;
  return { canvas, pen, theme };
}

/** A picture above its line. */
function withCaption(picture, words) {
  const { canvas, pen } = ground(picture.width, picture.height + CAPTION);
  pen.drawImage(picture, 0, 0);
  pen.textBaseline = "middle";
  pen.fillText(words, GAP, picture.height + CAPTION / 2);
  return canvas;
}

/** Small pictures in rows of `columns`, each pixel a square, with words below each if there are any. */
function tiles(items, columns) {
  const side = Math.max(...items.map(({ canvas }) => Math.max(canvas.width, canvas.height)));
  const scale = Math.max(1, Math.floor(CELL / side));
  const [wide, high] = [side * scale + GAP, side * scale + GAP + (items[0].words === undefined ? 0 : LINE)];
  const shown = Math.min(columns, items.length);
  const { canvas: sheet, pen } = ground(shown * wide + GAP, Math.ceil(items.length / columns) * high + GAP);
  pen.textAlign = "center";
  items.forEach(({ canvas, words }, i) => {
    const [x, y] = [GAP + (i % columns) * wide, GAP + Math.floor(i / columns) * high];
    pen.drawImage(canvas, x, y, canvas.width * scale, canvas.height * scale);
    if (words !== undefined) pen.fillText(words, x + (wide - GAP) / 2, y + side * scale + 17);
  });
  return sheet;
}

/** The histograms of the page, from their paths. */
function histograms(figures) {
  const [width, height, columns] = [360, 150, Math.min(2, figures.length)];
  const { canvas, pen, theme } = ground(columns * width, Math.ceil(figures.length / columns) * height);
  figures.forEach((figure, i) => {
    const [, , boxWidth, boxHeight] = figure.querySelector("svg").getAttribute("viewBox").split(" ").map(Number);
    const [low, high] = figure.querySelectorAll(".histogram-ends span");
    pen.save();
    pen.translate((i % columns) * width + 12, Math.floor(i / columns) * height);
    pen.fillText(figure.querySelector("figcaption").textContent, 0, 20);
    pen.fillText(low.textContent, 0, height - 8);
    pen.textAlign = "right";
    pen.fillText(high.textContent, width - 24, height - 8);
    pen.translate(0, 30);
    pen.scale((width - 24) / boxWidth, (height - 60) / boxHeight);
    for (const [name, color, fill] of [["now", theme.validation, true], ["zero", theme.edge, false], ["first", theme.ink, false]]) {
      const path = new Path2D(figure.querySelector(`.histogram-${name}`).getAttribute("d") ?? "");
      pen.fillStyle = pen.strokeStyle = color;
      pen.globalAlpha = fill ? 0.55 : 1;
      if (fill) pen.fill(path);
      else pen.stroke(path);
    }
    pen.restore();
  });
  return canvas;
}
