// Optimizers on a surface of two parameters, all from the same start.

import { get } from "../../api/client.js";
import { createPlane, levelLine, strokePieces } from "../../charts/plane.js";
import { createSample, repaintSamples, styleAt } from "../../charts/series-style.js";
import { t } from "../../i18n/translate.js";
import { choice, row, short, slider } from "../../lib/controls.js";
import { element, setText } from "../../lib/dom.js";
import { debounced } from "../../lib/latest.js";
import { onThemeChange } from "../../lib/theme.js";
import { bindNumber, sayResult } from "./numbers.js";
import { nameOf } from "./part-names.js";

const FIRST = new Set(["sgd", "momentum", "adagrad", "adam"]);
const LEVELS = 14;
const NAMES = {
  valley: () => t("A long valley"),
  saddle: () => t("A saddle, with a valley on each side"),
  rosenbrock: () => t("Rosenbrock's bent valley"),
};

export async function mountPaths(body, busy) {
  const { surfaces, optimizers, most_steps: most } = await get("/api/explain/surfaces");
  const ask = debounced((signal) => busy(() => load(signal)));
  const surface = choice(t("Surface"), surfaces.map(({ name }) => [name, NAMES[name]?.() ?? name]), surfaces[0].name, () => {
    for (const one of rows) {
      one.rate.value = chosen().rates[one.type];
      one.rate.dispatchEvent(new Event("input")); // which asks, and tells the sentence
    }
  });
  const chosen = () => surfaces.find(({ name }) => name === surface.value());
  const steps = slider(t("Steps"), { min: 1, max: most, step: 1, value: 30 }, ask);
  const plane = createPlane({ label: t("Paths of the optimizers"), xTitle: t("x"), yTitle: t("y") });
  const rows = optimizers.map(rowOf);
  const list = element("div", { class: "paths-list", role: "group", "aria-label": t("Optimizers and their learning rates") }, ...rows.map(({ node }) => node));
  const formula = element("p", { class: "figure-about" });
  body.replaceChildren(row(surface.node, steps.node), formula, plane.node, list);
  const known = new Map();
  bindNumber("steps", steps.field);
  for (const { type, rate } of rows) bindNumber(type, rate, 0.01);
  onThemeChange(repaintSamples);

  function rowOf(type, index) {
    const on = element("input", { type: "checkbox", checked: FIRST.has(type), autocomplete: "off" });
    const rate = element("input", { type: "number", step: "any", min: "0", max: "10", value: surfaces[0].rates[type], autocomplete: "off", "aria-label": t("Learning rate of {optimizer}", { optimizer: nameOf(type) }) });
    const height = element("output", { class: "figure-value", "data-optimizer": type });
    on.addEventListener("change", ask);
    rate.addEventListener("input", ask);
    const node = element("div", { class: "paths-row" }, element("label", { class: "paths-on" }, on, createSample(styleAt(index)), element("span", {}, nameOf(type))), element("label", { class: "paths-rate" }, element("span", { "aria-hidden": "true" }, "η"), rate), height);
    return { type, index, node, on, rate, height };
  }

  async function pathOf({ type, rate }) {
    const query = new URLSearchParams({ surface: surface.value(), optimizer: type, learning_rate: rate.value, steps: steps.value() }).toString();
    if (!known.has(query)) known.set(query, await get(`/api/explain/path?${query}`));
    return known.get(query);
  }

  async function load(signal) {
    const shown = rows.filter(({ on }) => on.checked);
    const found = await Promise.all(shown.map(pathOf));
    if (signal?.aborted) return;
    for (const { height } of rows) setText(height, "");
    shown.forEach(({ height }, i) => {
      const where = short(found[i].heights.at(-1));
      setText(height, found[i].left ? t("left the surface") : t("height {height}", { height: where }));
      sayResult(`${shown[i].type}-height`, height.textContent);
    });
    const land = chosen();
    setText(formula, `f(x, y) = ${land.formula}`);
    plane.show({ x: land.x, y: land.y }, (pen, place, theme) => {
      paintSurface(pen, place, theme, land);
      shown.forEach((one, i) => paintPath(pen, place, theme, found[i].points, one.index));
    });
  }

  await load();
}

/** Contour levels, denser near the minimum. */
function levels(heights) {
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  return Array.from({ length: LEVELS }, (_, i) => low + (high - low) * ((i + 0.5) / LEVELS) ** 3);
}

function paintSurface(pen, place, theme, { x, y, columns, rows, heights, minima, start }) {
  pen.strokeStyle = theme.edge;
  pen.lineWidth = 1;
  pen.globalAlpha = 0.7;
  for (const level of levels(heights)) strokePieces(pen, place, levelLine(heights, columns, rows, level), { x, y }, columns, rows);
  pen.globalAlpha = 1;
  pen.strokeStyle = theme.ink;
  pen.lineWidth = 2;
  for (const [left, top] of minima.map(([a, b]) => [place.x(a), place.y(b)])) {
    pen.beginPath();
    for (const turn of [-1, 1]) {
      pen.moveTo(left - 6, top - 6 * turn);
      pen.lineTo(left + 6, top + 6 * turn);
    }
    pen.stroke();
  }
  pen.beginPath();
  pen.arc(place.x(start[0]), place.y(start[1]), 7, 0, 2 * Math.PI);
  pen.stroke();
}

function paintPath(pen, place, theme, walked, index) {
  const { color, dash, marker } = styleAt(index);
  pen.strokeStyle = pen.fillStyle = theme[color];
  pen.lineWidth = 2;
  pen.setLineDash(dash);
  pen.beginPath();
  walked.forEach(([x, y], i) => pen[i === 0 ? "moveTo" : "lineTo"](place.x(x), place.y(y)));
  pen.stroke();
  pen.setLineDash([]);
  for (const [x, y] of walked.slice(1)) {
    pen.beginPath();
    marker(pen, place.x(x), place.y(y), 2.5);
    pen.fill();
  }
  pen.beginPath();
  marker(pen, place.x(walked.at(-1)[0]), place.y(walked.at(-1)[1]), 6);
  pen.fill();
}
