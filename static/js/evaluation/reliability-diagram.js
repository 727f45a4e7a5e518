// The reliability diagram of Niculescu-Mizil and Caruana 2005, in the form of Guo et al. 2017 with the expected
// calibration error.

import { placing } from "../charts/paint.js";
import { count, percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { byId, element, setText } from "../lib/dom.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [360, 320];
const PLOT = { left: 48, right: 12, top: 10, bottom: 46 };
const TICKS = [0, 0.25, 0.5, 0.75, 1];

const { x, y } = placing({ width: WIDTH, height: HEIGHT, xRange: [0, 1], yRange: [0, 1] }, PLOT);

/** Fills the diagram, its sentence and its table from an evaluation's `calibration`. */
export function showCalibration({ bins, ece }) {
  const filled = bins.filter((bin) => bin.count > 0);
  setText(byId("judge-ece"), t("Expected calibration error {ece}: the average gap between confidence and accuracy.", { ece: percent(ece, 2) }));
  setText(byId("judge-calibration-words"), sentence(filled));
  byId("judge-calibration").replaceChildren(diagram(filled));
  byId("judge-calibration-rows").replaceChildren(
    ...filled.map((bin) =>
      element("tr", {}, element("th", { scope: "row" }, `${percent(bin.low, 0)} – ${percent(bin.high, 0)}`), ...[percent(bin.confidence), percent(bin.accuracy), count(bin.count)].map((text) => element("td", {}, text))),
    ),
  );
}

/** A sentence about over- or underconfidence, over all images. */
function sentence(bins) {
  const all = bins.reduce((sum, bin) => sum + bin.count, 0);
  const gap = bins.reduce((sum, bin) => sum + bin.count * (bin.confidence - bin.accuracy), 0) / (all || 1);
  const points = (Math.abs(gap) * 100).toFixed(1);
  if (Math.abs(gap) < 0.001) return t("Its confidence matches its accuracy.");
  return gap > 0 ? t("It is overconfident, by {points} percentage points overall.", { points }) : t("It is more often right than it claims, by {points} percentage points overall.", { points });
}

function diagram(bins) {
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t("Reliability diagram: accuracy by confidence. The numbers are in the table below.") });
  for (const tick of TICKS) {
    svg.append(shape("line", { class: "grid", x1: x(0), x2: x(1), y1: y(tick), y2: y(tick) }));
    svg.append(text("tick", x(0) - 8, y(tick) + 4, String(tick * 100), "end"), text("tick", x(tick), y(0) + 18, String(tick * 100), "middle"));
  }
  for (const bin of bins) {
    const [left, right] = [x(bin.low) + 1, x(bin.high) - 1];
    const top = y(bin.accuracy);
    const group = shape("g", {});
    const name = shape("title", {});
    name.textContent = t("confidence {low} to {high}: {accuracy} of {count} are right", { low: percent(bin.low, 0), high: percent(bin.high, 0), accuracy: percent(bin.accuracy), count: count(bin.count) });
    group.append(name, shape("rect", { class: "right", x: left, width: right - left, y: top, height: y(0) - top }));
    const sure = y(bin.confidence);
    group.append(shape("rect", { class: bin.confidence > bin.accuracy ? "gap over" : "gap under", x: left, width: right - left, y: Math.min(top, sure), height: Math.abs(top - sure) }));
    svg.append(group);
  }
  svg.append(shape("line", { class: "ideal", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }));
  svg.append(text("axis", (x(0) + x(1)) / 2, HEIGHT - 8, t("confidence (%)"), "middle"));
  const upright = text("axis", 0, 0, t("accuracy (%)"), "middle");
  upright.setAttribute("transform", `translate(13 ${(y(0) + y(1)) / 2}) rotate(-90)`);
  svg.append(upright);
  return svg;
}

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function text(kind, left, top, words, anchor) {
  const node = shape("text", { class: kind, x: left, y: top, "text-anchor": anchor });
  node.textContent = words;
  return node;
}
