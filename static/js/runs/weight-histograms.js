// Histograms of every layer's weights after one epoch.

import { placing } from "../charts/paint.js";
import { loss } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { numberedLayer } from "../labels/config-labels.js";
import { byId, element, setText } from "../lib/dom.js";
import { layerNames } from "./run-state.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [240, 72];
const NO_MARGIN = { left: 0, right: 0, top: 0, bottom: 0 };

/** The SVG path of a histogram with `counts` from `from` to `to`, on an axis from `low` to `high`. */
export function stepsPath({ from, to, counts }, [low, high], [width, height] = [WIDTH, HEIGHT]) {
  const place = placing({ width, height, xRange: [low, high > low ? high : low + 1], yRange: [0, Math.max(...counts, 1)] }, NO_MARGIN);
  const x = (value) => round(place.x(value));
  const step = (to - from) / counts.length;
  const points = counts.flatMap((count, i) => [from + i * step, from + (i + 1) * step].map((value) => `${x(value)} ${round(place.y(count))}`));
  return `M${x(from)} ${height}L${points.join("L")}L${x(to)} ${height}Z`;
}

const round = (value) => Math.round(value * 100) / 100;

/** The smallest and the largest weight of a layer in any epoch. */
export function rangeOf(epochs, name) {
  let [low, high] = [Infinity, -Infinity];
  for (const { layers } of epochs) {
    const histogram = layers?.find((layer) => layer.name === name)?.histogram;
    if (!histogram) continue;
    low = Math.min(low, histogram.from);
    high = Math.max(high, histogram.to);
  }
  return [low, high];
}

/** Runs the histograms of the page. */
export function createHistograms() {
  const place = byId("histograms");
  let shown = ""; // the names of the layers on the page

  /** Shows the weights of `now`, the event of an epoch or the like of another moment, and behind them those after the first of `epochs`. */
  function show(epochs, now) {
    const all = now === null || epochs.includes(now) ? epochs : [...epochs, now];
    const names = layerNames({ epochs: all });
    if (names.join("\n") !== shown) {
      shown = names.join("\n");
      place.replaceChildren(...names.map(card));
    }
    setText(byId("histograms-empty"), names.length === 0 ? t("The distribution of the weights appears here after the first epoch.") : "");
    const first = epochs.find(({ layers }) => layers);
    for (const [i, name] of names.entries()) put(place.children[i], name, all, now, first);
  }

  return { show };
}

function card(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  for (const part of ["first", "zero", "now"]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", `histogram-${part}`);
    svg.append(path);
  }
  return element(
    "figure",
    { class: "histogram" },
    element("figcaption", {}, numberedLayer(name)),
    svg,
    element("p", { class: "histogram-ends" }, element("span", {}), element("span", {})),
  );
}

function put(figure, name, epochs, epoch, first) {
  const layer = epoch?.layers?.find((one) => one.name === name);
  const svg = figure.querySelector("svg");
  const [behind, zero, now] = svg.children;
  if (!layer?.histogram) {
    now.setAttribute("d", "");
    return;
  }
  const range = rangeOf(epochs, name);
  const start = first?.layers.find((one) => one.name === name)?.histogram;
  if (start) behind.setAttribute("d", stepsPath(start, range));
  now.setAttribute("d", stepsPath(layer.histogram, range));
  const middle = round((-range[0] / (range[1] - range[0] || 1)) * WIDTH);
  zero.setAttribute("d", middle > 0 && middle < WIDTH ? `M${middle} 0V${HEIGHT}` : "");
  const [low, high] = figure.querySelectorAll(".histogram-ends span");
  setText(low, short(range[0]));
  setText(high, short(range[1]));
  const values = { name: numberedLayer(name), epoch: epoch.epoch, low: short(layer.histogram.from), high: short(layer.histogram.to), norm: loss(layer.weight_norm) };
  svg.setAttribute("aria-label", t("Weights of {name} after epoch {epoch}: from {low} to {high}, length {norm}", values));
}

const short = (value) => String(Number(value.toPrecision(2))).replace("-", "−");
