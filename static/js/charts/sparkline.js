// Small line charts as SVG: an activation's curve with a point, or numbers step by step.

import { num } from "./heatmap-data.js";
import { placing } from "./paint.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [400, 220];
const PADS = { right: 12, top: 12, bottom: 30 };
const LEAST_LEFT = 44;
const DIGIT = 8.5; // the width of a digit of the y axis

function shape(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/**
 * A chart of `lines`, each `{x, y, kind}` with kind "line" or "slope"; `point` is `{x, y}` or null, `label` the text
 * alternative. `xs` and `ys` are the ranges of the axes, by default those of the data.
 */
export function curve({ lines, point = null, label, xs, ys, xName = "", yName = "" }) {
  const [left, right] = xs ?? ends(lines.flatMap(({ x }) => x));
  const [low, high] = ys ?? ends([...lines.flatMap(({ y }) => y), ...(point === null ? [] : [point.y])]);
  const pads = { ...PADS, left: Math.max(LEAST_LEFT, 10 + DIGIT * Math.max(num(low).length, num(high).length)) };
  const { x: toX, y: toY } = placing({ width: WIDTH, height: HEIGHT, xRange: [left, right], yRange: [low, high] }, pads);
  const svg = shape("svg", { class: "curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  const across = low <= 0 && high >= 0 ? 0 : low;
  const down = left <= 0 && right >= 0 ? 0 : left;
  svg.append(
    shape("path", { class: "axis", d: `M${pads.left} ${toY(across)}H${WIDTH - pads.right}M${toX(down)} ${pads.top}V${HEIGHT - pads.bottom}` }),
    shape("text", { x: pads.left, y: HEIGHT - 10 }, num(left)),
    shape("text", { x: WIDTH - pads.right, y: HEIGHT - 10, "text-anchor": "end" }, num(right)),
    shape("text", { x: WIDTH / 2, y: HEIGHT - 10, "text-anchor": "middle" }, xName),
    shape("text", { x: pads.left - 6, y: toY(high) + 8, "text-anchor": "end" }, num(high)),
    shape("text", { x: pads.left - 6, y: toY(low), "text-anchor": "end" }, num(low)),
    shape("text", { x: pads.left - 6, y: (toY(low) + toY(high)) / 2, "text-anchor": "end" }, yName),
  );
  for (const { x, y, kind } of lines) {
    svg.append(shape("polyline", { class: kind, points: x.map((value, i) => `${toX(value).toFixed(1)},${toY(y[i]).toFixed(1)}`).join(" ") }));
  }
  if (point !== null) {
    svg.append(
      shape("path", { class: "drop axis", d: `M${toX(point.x)} ${toY(across)}V${toY(point.y)}H${toX(down)}` }),
      shape("circle", { class: "point", cx: toX(point.x), cy: toY(point.y), r: 6 }),
    );
  }
  return svg;
}

/** The smallest and the largest value, widened if they are equal. */
function ends(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}
