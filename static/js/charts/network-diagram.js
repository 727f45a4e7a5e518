// A small diagram of a network, from the picture on the left to the labels on the right.

import { element } from "../lib/dom.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, MARGIN, MIDDLE] = [280, 58, 18, 23];
const [MOST_DOTS, GAP, RADIUS] = [7, 6.4, 2.3];
const INPUT = { kind: "input", label: "28×28" };

/** The stages of layers: `{kind, label, dots, dropped, normed}` for the input and each layer that changes the shape. */
export function stagesOf(layers) {
  const stages = [{ ...INPUT }];
  for (const layer of layers) {
    const last = stages.at(-1);
    if (layer.type === "dense") stages.push({ kind: "dense", label: String(layer.units), dots: dotsOf(layer.units) });
    else if (/conv/.test(layer.type)) stages.push({ kind: "conv", label: `${layer.filters ?? "?"}` });
    else if (/pool/.test(layer.type)) stages.push({ kind: "pool", label: "" });
    else if (layer.type === "dropout") last.dropped = true;
    else if (layer.type === "batch_norm") last.normed = true;
  }
  return stages;
}

/** The number of dots for units: 1 is one dot, 10 are four, 256 seven. */
const dotsOf = (units) => (units > 0 ? Math.min(MOST_DOTS, Math.max(1, Math.round(Math.log2(units) * 0.85 + 0.9))) : 1);

/** The diagram of layers as a decorative SVG element. */
export function networkDiagram(layers) {
  const stages = stagesOf(layers);
  const step = stages.length > 1 ? (WIDTH - 2 * MARGIN) / (stages.length - 1) : 0;
  const places = stages.map((_, i) => MARGIN + i * step);
  const svg = node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "diagram", "aria-hidden": "true", focusable: "false" });
  const wires = stages.slice(1).map((stage, i) => wire(stages[i], places[i], stage, places[i + 1])).join("");
  svg.append(node("path", { class: "wire", d: wires }));
  for (const [i, stage] of stages.entries()) svg.append(...shapes(stage, places[i]), ...labelOf(stage, places[i], step));
  return svg;
}

const rows = ({ dots }) => Array.from({ length: dots }, (_, i) => MIDDLE + (i - (dots - 1) / 2) * GAP);
const ends = (stage) => (stage.kind === "dense" ? rows(stage) : [MIDDLE]);

function wire(from, x, to, goal) {
  return ends(from)
    .flatMap((y) => ends(to).map((other) => `M${round(x)} ${round(y)}L${round(goal)} ${round(other)}`))
    .join("");
}

function shapes(stage, x) {
  const drawn = stage.kind === "dense" ? dense(stage, x) : planes(stage.kind, x);
  if (stage.normed) drawn.push(node("rect", { class: "norm", x: round(x - 6), y: 0.75, width: 12, height: MIDDLE * 2 - 1.5, rx: 4 }));
  return drawn;
}

/** A column of units; with dropout every second one is empty. */
const dense = (stage, x) =>
  rows(stage).map((y, i) => node("circle", { class: stage.dropped && i % 2 === 1 ? "node" : "full", cx: round(x), cy: round(y), r: RADIUS }));

/** Planes: one for the input, three for a convolution, smaller ones after pooling. */
function planes(kind, x) {
  const [size, offsets] = { input: [22, [0]], conv: [18, [-4, 0, 4]], pool: [11, [-3, 0, 3]] }[kind];
  return offsets.map((offset) =>
    node("rect", { class: "node", x: round(x - size / 2 + offset), y: round(MIDDLE - size / 2 + offset), width: size, height: size, rx: 2 }),
  );
}

function labelOf({ label }, x, step) {
  if (label === "" || step < 14) return [];
  const text = node("text", { x: round(Math.min(WIDTH - 12, Math.max(14, x))), y: HEIGHT - 2 });
  text.textContent = label;
  return [text];
}

const round = (value) => Math.round(value * 10) / 10;

function node(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** The diagram in a frame. */
export const diagramFigure = (layers) => element("div", { class: "model-picture" }, networkDiagram(layers));
