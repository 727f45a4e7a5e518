// A network at work, drawn: the image, the units that are most active, the outputs, and the connections that carry most.

import { fitted, readTheme, rgb } from "../charts/canvas.js";
import { num } from "../charts/heatmap-data.js";
import { count, percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { onThemeChange } from "../lib/theme.js";
import { chooseUnits } from "./live-network.js";
import { HALO, layoutOf, placesOf, shownStages } from "./network-layout.js";

const SIDE = 28;
const MOST_LIT = 40; // connections
const REST = 0.3; // the strength of a unit that is not active

/**
 * Binds a canvas to a network of live-network.js. `onFocus(text)` is called with what is said of the unit under the pointer
 * or chosen by keys, "" for none, and `onPaint(pixel, value)` with each pixel of the image that is turned to ink (1) or paper
 * (0). Returns `{show(work), use(network), destroy()}`; `show(null)` is for a blank sheet.
 */
export function createNetworkView(canvas, first, { onFocus, onPaint = null }) {
  const { stages, last, labels } = first;
  let live = first;
  const over = new AbortController();
  const scratch = new OffscreenCanvas(1, 1);
  const pictures = new Map(); // of weights, by unit
  const order = shownStages(stages.length);
  let [work, shown, focus] = [null, [], null];
  let places = null; // of the units on the canvas
  let theme = null;
  let colors = null;
  let frame = 0;
  let image = null; // the place of the image on the canvas
  let brush = null; // the value that is being painted

  function redraw() {
    if (frame === 0) frame = requestAnimationFrame(draw);
  }

  function draw() {
    frame = 0;
    const room = fitted(canvas);
    if (room === null) return;
    if (theme === null) {
      theme = readTheme();
      colors = { plus: rgb(theme["series-1"]), minus: rgb(theme["series-2"]), ink: rgb(theme.ink) };
    }
    const { pen, width, height } = room;
    const layout = layoutOf(width, height, order.map((stage) => ({ stage, units: unitsIn(stage), isOutput: stage === last })));
    shown = stages.map((_, stage) => (layout.columns[stage] === undefined ? null : choose(stage, layout.columns[stage].most)));
    places = placesOf(layout, shown);
    image = layout.image;
    pen.clearRect(0, 0, width, height);
    pen.font = `${theme["chart-type"]} ${theme.font}`;
    const lit = work === null ? [] : connections();
    drawImage(pen, layout.image);
    drawConnections(pen, lit);
    for (const stage of order) if (stage === last) drawOutputs(pen, layout.columns[stage]);
      else drawStage(pen, stage, layout.columns[stage]);
    drawGaps(pen, layout);
    canvas.dataset.lit = lit.length;
  }

  const unitsIn = (stage) => (stage === last ? labels.length : live.count(stage));
  const choose = (stage, most) => chooseUnits(valuesOf(stage), most, shown[stage]);
  const valuesOf = (stage) => {
    if (work === null) return new Float64Array(unitsIn(stage));
    return stage === last ? work.probabilities : work.units[stage];
  };

  /** The connections to light: those that carry most, or those of the unit in focus. */
  function connections() {
    if (focus === null) return live.strongest(work, shown, MOST_LIT);
    const { stage, unit } = focus;
    const before = live.causes(work, shown, stage, unit, MOST_LIT);
    return stage === last ? before : [...before, ...live.effects(work, shown, stage, unit, MOST_LIT / 4)];
  }

  function drawConnections(pen, lit) {
    const largest = stages.map((_, stage) => lit.reduce((most, one) => (one.stage === stage ? Math.max(most, Math.abs(one.value)) : most), 0));
    for (const { stage, from, to, value } of [...lit].reverse()) {
      const [start, end] = [places.right(stage - 1, from), places.left(stage, to)];
      if (start === null || end === null) continue;
      const share = Math.abs(value) / largest[stage];
      const bend = Math.max(12, (end[0] - start[0]) * 0.45);
      pen.globalAlpha = 0.18 + 0.72 * share;
      pen.lineWidth = 0.75 + 1.75 * share;
      pen.strokeStyle = value < 0 ? theme["series-2"] : theme["series-1"];
      pen.setLineDash(value < 0 ? [4, 3] : []);
      pen.beginPath();
      pen.moveTo(...start);
      pen.bezierCurveTo(start[0] + bend, start[1], end[0] - bend, end[1], ...end);
      pen.stroke();
    }
    pen.globalAlpha = 1;
    pen.setLineDash([]);
  }

  function drawImage(pen, { x, y, side }) {
    heading(pen, t("image"), x + side / 2, side + 30);
    pen.fillStyle = theme.sheet;
    pen.fillRect(x, y, side, side);
    const pixels = work === null ? new Float64Array(SIDE * SIDE) : work.pixels;
    stamp(pen, (i) => [...colors.ink, pixels[i] * 255], [SIDE, SIDE], x, y, side);
    frameOf(pen, x, y, side, theme.edge);
  }

  /** "24 of 900 units" */
  function wordsOfStage(isMaps, units, seen) {
    const values = { count: count(units), shown: count(seen) };
    if (seen < units) return isMaps ? t("{shown} of {count} filters", values) : t("{shown} of {count} units", values);
    return isMaps ? t("{count} filters", values) : t("{count} units", values);
  }

  /** The picture whose pixel i has the colour `color(i)`, in a square. */
  function stamp(pen, color, [height, width], x, y, side) {
    if (scratch.width !== width || scratch.height !== height) [scratch.width, scratch.height] = [width, height];
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i += 1) image.data.set(color(i), i * 4);
    scratch.getContext("2d").putImageData(image, 0, 0);
    pen.imageSmoothingEnabled = side < 2 * width;
    pen.drawImage(scratch, x, y, side, side);
  }

  function drawStage(pen, stage, column) {
    const units = unitsIn(stage);
    const isMaps = stages[stage].type === "conv2d";
    const words = wordsOfStage(isMaps, units, shown[stage].length);
    heading(pen, words, column.x + column.width / 2, column.pitch - 6);
    const values = valuesOf(stage);
    const most = Array.from(values).reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
    shown[stage].forEach((unit, i) => {
      const [x, y] = column.at(i);
      const { tile } = column;
      const glow = Math.min(1, Math.abs(values[unit]) / most) || 0;
      const isPicture = stage === 0 || isMaps;
      const light = values[unit] < 0 ? theme["series-2"] : theme.ink;
      if (isPicture) fill(pen, x - HALO, y - HALO, tile + 2 * HALO, light, glow);
      fill(pen, x, y, tile, theme.sheet, 1);
      if (!isPicture) fill(pen, x, y, tile, light, glow);
      pen.globalAlpha = REST + (1 - REST) * glow;
      const map = work === null ? null : live.mapOf(work, stage, unit);
      if (map !== null) {
        const peak = map.x.reduce((a, b) => Math.max(a, b), 0) || 1;
        stamp(pen, (j) => [...colors.ink, Math.max(0, map.x[j] / peak) * 255], [map.height, map.width], x, y, tile);
      } else if (stage === 0 && !isMaps) pen.drawImage(picture(unit), x, y, tile, tile);
      pen.globalAlpha = 1;
      frameOf(pen, x, y, tile, isFocus(stage, unit) ? theme.ink : theme.line, isFocus(stage, unit) ? 2 : 1);
    });
  }

  /** The weights of a unit that looks at pixels. */
  function picture(unit) {
    if (!pictures.has(unit)) {
      const weights = live.weightsOf(unit);
      const most = weights.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
      const image = new ImageData(SIDE, SIDE);
      weights.forEach((value, i) => image.data.set([...(value < 0 ? colors.minus : colors.plus), (Math.abs(value) / most) ** 0.7 * 255], i * 4));
      const sheet = new OffscreenCanvas(SIDE, SIDE);
      sheet.getContext("2d").putImageData(image, 0, 0);
      pictures.set(unit, sheet);
    }
    return pictures.get(unit);
  }

  function drawOutputs(pen, column) {
    const values = valuesOf(last);
    const best = work === null ? -1 : work.probabilities.indexOf(Math.max(...work.probabilities));
    heading(pen, labels.length > shown[last].length ? t("{count} of {total} labels", { count: shown[last].length, total: labels.length }) : t("labels"), column.x + column.width / 2, column.width + column.gap);
    pen.textBaseline = "middle";
    const shownPercent = (value) => percent(value, column.isNarrow ? 0 : 1);
    pen.font = `700 ${theme["chart-type"]} ${theme.font}`;
    const valueWidth = pen.measureText(shownPercent(1)).width + 8;
    shown[last].forEach((unit, i) => {
      const [x, y] = column.at(i);
      const middle = y + column.tile / 2;
      const wins = unit === best;
      pen.font = `${wins || isFocus(last, unit) ? "700 " : ""}${theme["chart-type"]} ${theme.font}`;
      pen.fillStyle = wins ? theme.ink : theme.soft;
      pen.textAlign = "left";
      pen.fillText(shortened(pen, labels[unit], column.labelWidth), x + 8, middle, column.labelWidth);
      const bar = column.isNarrow ? 3 : Math.max(4, Math.min(8, column.tile * 0.3));
      const start = column.isNarrow ? x + 8 : x + column.labelWidth + 14;
      const room = x + column.width - start - (column.isNarrow ? 0 : valueWidth);
      const top = column.isNarrow ? y + column.tile - bar - 2 : middle - bar / 2; // below the words where there is no room beside
      pen.fillStyle = theme.line;
      pen.fillRect(start, top, room, bar);
      pen.fillStyle = wins ? theme.accent : theme.soft;
      pen.fillRect(start, top, room * (values[unit] || 0), bar);
      pen.textAlign = "right";
      pen.fillStyle = wins ? theme.ink : theme.soft;
      if (work !== null) pen.fillText(shownPercent(values[unit]), x + column.width, middle);
      if (isFocus(last, unit)) frameOf(pen, x, y + 1, column.tile - 2, theme.ink, 2, column.width);
    });
  }

  function drawGaps(pen, { gaps }) {
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = theme.soft;
    for (const { x, y, hidden } of gaps) {
      pen.fillText("…", x, y - 9);
      pen.fillText(t("{count} more", { count: count(hidden) }), x, y + 9);
    }
  }

  function heading(pen, words, x, room) {
    pen.font = `${theme["chart-type"]} ${theme.font}`;
    pen.fillStyle = theme.soft;
    pen.textAlign = "center";
    pen.textBaseline = "top";
    pen.fillText(words, x, 0, room);
  }

  const isFocus = (stage, unit) => focus !== null && focus.stage === stage && focus.unit === unit;

  function setFocus(next) {
    if (next === focus || (next !== null && isFocus(next.stage, next.unit))) return;
    focus = next;
    tell();
    redraw();
  }

  const tell = () => onFocus(focus === null ? "" : wordsOf(focus));

  function wordsOf({ stage, unit }) {
    if (stage === last && work === null) return labels[unit];
    if (work === null) return t("Unit {unit}", { unit: unit + 1 });
    const { inputs, bias, sum, value, place, isNormalized } = live.sumOf(work, stage, unit);
    const values = { unit: unit + 1, inputs: num(inputs), bias: num(bias), sum: num(sum), value: num(value), label: labels[unit], percent: percent(work.probabilities[unit]) };
    if (stage === last) return t("{label}: inputs × weights {inputs} + bias {bias} = {sum}; softmax makes it {percent}. The lit lines add most to it, back to the ink.", values);
    if (place === null && isNormalized) return t("Unit {unit}: inputs × weights {inputs} + bias {bias} = {sum}. After batch normalization and its activation {value}.", values);
    if (place === null) return t("Unit {unit}: inputs × weights {inputs} + bias {bias} = {sum}. After its activation {value}.", values);
    return t("Filter {unit}, at its strongest place (row {row}, column {column}): inputs × weights {inputs} + bias {bias} = {sum}. After its activation {value}.", { ...values, row: place[0] + 1, column: place[1] + 1 });
  }

  const at = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return places?.under(clientX - box.left, clientY - box.top) ?? null;
  };
  const listen = (type, listener) => canvas.addEventListener(type, listener, { signal: over.signal });

  /** The pixel of the image under the pointer; −1 for none. */
  function pixelAt({ clientX, clientY }) {
    const box = canvas.getBoundingClientRect();
    if (image === null || work === null || onPaint === null) return -1;
    const [column, row] = [(clientX - box.left - image.x) / image.side, (clientY - box.top - image.y) / image.side].map((share) => Math.floor(share * SIDE));
    return column >= 0 && row >= 0 && column < SIDE && row < SIDE ? row * SIDE + column : -1;
  }

  function paint(event) {
    const pixel = pixelAt(event);
    if (pixel >= 0 && work.pixels[pixel] !== brush) onPaint(pixel, brush);
  }

  listen("pointermove", (event) => {
    canvas.toggleAttribute("data-paints", pixelAt(event) >= 0);
    if (brush === null) setFocus(at(event));
    else paint(event);
  });
  listen("pointerdown", (event) => {
    const pixel = pixelAt(event);
    if (pixel < 0) return setFocus(at(event));
    canvas.setPointerCapture(event.pointerId);
    brush = work.pixels[pixel] > 0.5 ? 0 : 1;
    return paint(event);
  });
  for (const type of ["pointerup", "pointercancel"]) {
    listen(type, () => {
      brush = null;
    });
  }
  listen("pointerleave", ({ pointerType }) => pointerType === "mouse" && setFocus(null));
  listen("blur", () => setFocus(null));
  listen("keydown", (event) => {
    const next = places?.step(focus, event.key);
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // Escape clears the pad
    setFocus(next);
  });
  const size = new ResizeObserver(redraw);
  size.observe(canvas);
  onThemeChange(() => {
    theme = null;
    pictures.clear();
    redraw();
  });

  return {
    /** Shows the work on an image, at once. */
    show(next) {
      work = next;
      if (focus !== null) tell();
      cancelAnimationFrame(frame);
      draw();
    },
    /** Goes on with the same network after its weights have changed. */
    use(next) {
      live = next;
      pictures.clear();
    },
    destroy() {
      over.abort();
      size.disconnect();
      cancelAnimationFrame(frame);
    },
  };
}

function fill(pen, x, y, side, color, strength) {
  pen.globalAlpha = strength;
  pen.fillStyle = color;
  pen.beginPath();
  pen.roundRect(x, y, side, side, 4);
  pen.fill();
  pen.globalAlpha = 1;
}

function frameOf(pen, x, y, side, color, line = 1, width = side) {
  pen.lineWidth = line;
  pen.strokeStyle = color;
  pen.beginPath();
  pen.roundRect(x, y, width, side, 4);
  pen.stroke();
}

function shortened(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  return `${[...text].slice(0, 3).join("")}…`;
}
