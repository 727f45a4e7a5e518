// Plotly in a place of the page: fetched apart from the page's own modules, drawn a chart at a time.

import { t } from "../i18n/translate.js";
import { byId } from "../lib/dom.js";

const CONFIG = { displayModeBar: false, responsive: false, scrollZoom: false, doubleClick: false };
const PNG_SIZE = { width: 960, height: 600, scale: 2 };
const BREATH_MS = 16;
const NEAR = "400px"; // charts that are farther from the window than this are drawn when they come closer

/** Plotly, when its script has come; rejects with a sentence where it does not. */
export function plotly() {
  if (window.Plotly !== undefined) return Promise.resolve(window.Plotly);
  const script = byId("plotly");
  return new Promise((resolve, reject) => {
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => reject(new Error(t("The charts could not be loaded. The numbers are below."))));
  });
}

/**
 * Draws charts one after the other with a breath between them, so that the page answers meanwhile however fast the
 * numbers come: a chart that is asked for twice before its turn is drawn once.
 */
export function createPainter() {
  const waiting = new Map();
  let timer = 0;

  function next() {
    const [first] = waiting;
    const [key, draw] = first;
    waiting.delete(key);
    draw();
    timer = waiting.size > 0 ? setTimeout(next, BREATH_MS) : 0;
  }

  return function ask(key, draw) {
    waiting.set(key, draw);
    if (timer === 0) timer = setTimeout(next, 0);
  };
}

/** A chart in `area`; `figure()` gives {data, layout}. An `eager` one is drawn also while it is far from the window. */
export function createPlot(library, area, figure, { painter, eager = false, onDrawn = () => {} }) {
  let [drawn, near, stale] = [false, eager, false];

  function draw() {
    if (!near) {
      stale = true;
      return;
    }
    stale = false;
    const { data, layout } = figure();
    if (drawn) library.react(area, data, layout, CONFIG);
    else {
      drawn = true;
      library.newPlot(area, data, layout, CONFIG);
      new ResizeObserver(() => area.offsetWidth > 0 && library.Plots.resize(area)).observe(area);
    }
    onDrawn();
  }

  const ask = () => painter(area, draw);
  if (!eager) {
    const watcher = new IntersectionObserver(
      (entries) => {
        near = entries.at(-1).isIntersecting;
        if (near && stale) ask();
      },
      { rootMargin: NEAR },
    );
    watcher.observe(area);
  }
  return { draw: ask, isDrawn: () => drawn };
}

/** Saves a figure as a picture, with the legend that the page draws itself. */
export async function saveFigure(library, { data, layout }, filename) {
  const legend = { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" };
  const whole = { ...layout, showlegend: true, legend, margin: { l: 72, r: 24, t: 48, b: 56 } };
  await library.downloadImage({ data, layout: whole, config: CONFIG }, { ...PNG_SIZE, format: "png", filename });
}

/** The page's colours and face, as they are now. */
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = ["ink", "soft", "line", "edge", "sheet", "training", "validation", "good", "yours", "font"];
  return Object.fromEntries(names.map((name) => [name, color(name)]));
}
