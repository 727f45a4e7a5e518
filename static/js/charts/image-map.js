// Small images in a plane, coloured by label, with one point that moves; zoom by wheel, drag, keys or buttons.

import { t } from "../i18n/translate.js";
import { element } from "../lib/dom.js";
import { isDark, onThemeChange } from "../lib/theme.js";
import { fitted, readTheme, rgb } from "./canvas.js";

const SIDE = 28;
const MARGIN = 24; // CSS pixels around all images
const LEAST_SIZE = 13; // CSS pixels of an image
const LARGEST_SIZE = 56;
const MOST_ZOOM = 40;
const STEP = 1.4;
const NEAR = 14; // CSS pixels within which an image is under the pointer
const FAINT = 0.12;
const PAN = 40;
const TRAVEL = 180; // ms
const [LENS, LENS_MARGIN] = [96, 12]; // CSS pixels: an enlarged image, and its distance from the small one

/** The colour of a label among `count`, told apart on paper and in the dark. */
export const labelColor = (index, count) => `hsl(${(index * 360) / Math.max(1, count)} ${index % 2 === 0 ? 70 : 50}% ${isDark() ? 66 : 38}%)`;

/**
 * Binds a canvas. `data` is `{points, truth, images, labels}`: Float32Array of x and y, indices, bytes of 28×28 each;
 * `extent`, if given, are the points that all find room. `move(points)` lets the images travel, and resolves when they have.
 * `onHover(index)` is called with the image under the pointer, or null, `onRegion(indices)` with those of a region.
 */
export function createImageMap(canvas, data, { onHover, onRegion }) {
  const { truth, images, labels } = data;
  const count = truth.length;
  const whole = boundsOf(data.extent ?? data.points);
  let points = data.points;
  let travel = null; // {from, to, start, done} while the images travel
  let view = { ...whole.middle, zoom: 1 };
  let only = null; // the label that is shown alone
  let own = null; // {x, y, nearest} of the drawing
  let hovered = null; // the image under the pointer
  let frame = 0;
  let selecting = false;
  let region = null; // {from, to} in CSS pixels, while it is drawn
  let drag = null;
  let atlas = null;

  /** All images in their labels' colours, as one picture. */
  function paintAtlas() {
    const columns = Math.ceil(Math.sqrt(count));
    const sheet = new OffscreenCanvas(columns * SIDE, Math.ceil(count / columns) * SIDE);
    const pen = sheet.getContext("2d");
    const colors = labels.map((_, i) => rgb(labelColor(i, labels.length)));
    const image = new ImageData(SIDE, SIDE);
    for (let i = 0; i < count; i += 1) {
      const [red, green, blue] = colors[truth[i]];
      for (let p = 0; p < SIDE * SIDE; p += 1) image.data.set([red, green, blue, images[i * SIDE * SIDE + p]], p * 4);
      pen.putImageData(image, (i % columns) * SIDE, Math.floor(i / columns) * SIDE);
    }
    return { sheet, columns };
  }

  const fit = () => Math.min((canvas.clientWidth - 2 * MARGIN) / whole.width, (canvas.clientHeight - 2 * MARGIN) / whole.height);
  const scale = () => Math.max(1, fit()) * view.zoom;
  const toScreen = (x, y) => [canvas.clientWidth / 2 + (x - view.x) * scale(), canvas.clientHeight / 2 - (y - view.y) * scale()];
  const toPlane = (x, y) => [view.x + (x - canvas.clientWidth / 2) / scale(), view.y - (y - canvas.clientHeight / 2) / scale()];
  const size = () => Math.min(LARGEST_SIZE, LEAST_SIZE * Math.sqrt(view.zoom));

  /** Moves the images on; true if they have not arrived. */
  function step() {
    const share = Math.min(1, (performance.now() - travel.start) / TRAVEL);
    points = share === 1 ? travel.to : travel.to.map((end, i) => travel.from[i] + (end - travel.from[i]) * share * (2 - share));
    return share < 1;
  }

  function move(next) {
    travel?.done();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || canvas.clientWidth === 0 || document.hidden) {
      [points, travel] = [next, null];
      draw();
      return Promise.resolve();
    }
    return new Promise((done) => {
      travel = { from: points, to: next, start: performance.now(), done };
      redraw();
    });
  }

  function draw() {
    frame = 0;
    if (travel !== null && step()) redraw();
    else if (travel !== null) {
      const { done } = travel;
      travel = null;
      queueMicrotask(done); // after it is drawn
    }
    const room = fitted(canvas);
    if (room === null) return;
    atlas ??= paintAtlas();
    const { pen, width, height } = room;
    const theme = readTheme();
    const side = size();
    pen.clearRect(0, 0, width, height);
    pen.imageSmoothingEnabled = side < SIDE;
    for (let i = 0; i < count; i += 1) {
      const [x, y] = toScreen(points[2 * i], points[2 * i + 1]);
      if (x < -side || y < -side || x > width + side || y > height + side) continue;
      pen.globalAlpha = only === null || truth[i] === only ? 1 : FAINT;
      pen.drawImage(atlas.sheet, (i % atlas.columns) * SIDE, Math.floor(i / atlas.columns) * SIDE, SIDE, SIDE, x - side / 2, y - side / 2, side, side);
    }
    pen.globalAlpha = 1;
    if (own !== null) drawOwn(pen, theme);
    if (hovered !== null) drawLens(room, theme);
    if (region !== null) {
      pen.strokeStyle = theme.ink;
      pen.setLineDash([4, 3]);
      pen.strokeRect(region.from[0], region.from[1], region.to[0] - region.from[0], region.to[1] - region.from[1]);
      pen.setLineDash([]);
    }
  }

  /** The image under the pointer, enlarged beside its place. */
  function drawLens({ pen, width, height }, theme) {
    const [x, y] = toScreen(points[2 * hovered], points[2 * hovered + 1]);
    const left = x + LENS_MARGIN + LENS < width ? x + LENS_MARGIN : x - LENS_MARGIN - LENS;
    const top = Math.min(Math.max(0, y - LENS / 2), height - LENS);
    pen.fillStyle = theme.sheet;
    pen.fillRect(left, top, LENS, LENS);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(atlas.sheet, (hovered % atlas.columns) * SIDE, Math.floor(hovered / atlas.columns) * SIDE, SIDE, SIDE, left, top, LENS, LENS);
    pen.strokeStyle = theme.edge;
    pen.lineWidth = 1;
    pen.strokeRect(left, top, LENS, LENS);
  }

  function drawOwn(pen, theme) {
    const [x, y] = toScreen(own.x, own.y);
    pen.strokeStyle = theme.accent;
    pen.lineWidth = 1.25;
    for (const near of own.nearest) {
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(...toScreen(points[2 * near], points[2 * near + 1]));
      pen.stroke();
    }
    pen.beginPath();
    pen.arc(x, y, 7, 0, 2 * Math.PI);
    pen.fillStyle = theme.accent;
    pen.fill();
    pen.lineWidth = 2;
    pen.strokeStyle = theme.sheet;
    pen.stroke();
  }

  const redraw = () => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };

  function zoomBy(factor, at = [canvas.clientWidth / 2, canvas.clientHeight / 2]) {
    const before = toPlane(...at);
    view.zoom = Math.min(MOST_ZOOM, Math.max(1, view.zoom * factor));
    const after = toPlane(...at);
    moveBy(before[0] - after[0], before[1] - after[1]);
  }

  function moveBy(x, y) {
    const within = (value) => Math.min(1, Math.max(-1, value));
    view = { ...view, x: within(view.x + x), y: within(view.y + y) };
    redraw();
  }

  function showAll() {
    view = { ...whole.middle, zoom: 1 };
    redraw();
  }

  function hover(index) {
    if (index === hovered) return;
    hovered = index;
    onHover(index);
    redraw();
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  function under([x, y]) {
    let [best, nearest] = [Math.max(NEAR, size() / 2) ** 2, null];
    for (let i = 0; i < count; i += 1) {
      if (only !== null && truth[i] !== only) continue;
      const [px, py] = toScreen(points[2 * i], points[2 * i + 1]);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < best) [best, nearest] = [distance, i];
    }
    return nearest;
  }

  function inRegion({ from, to }) {
    const [left, right] = [from[0], to[0]].sort((a, b) => a - b);
    const [top, bottom] = [from[1], to[1]].sort((a, b) => a - b);
    return Array.from({ length: count }, (_, i) => i).filter((i) => {
      const [x, y] = toScreen(points[2 * i], points[2 * i + 1]);
      return (only === null || truth[i] === only) && x >= left && x <= right && y >= top && y <= bottom;
    });
  }

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY / 400), place(event));
  });
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    drag = place(event);
    if (selecting || event.shiftKey) region = { from: drag, to: drag };
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (drag === null) return hover(under(at));
    hover(null);
    if (region !== null) region.to = at;
    else moveBy((drag[0] - at[0]) / scale(), (at[1] - drag[1]) / scale());
    drag = at;
    redraw();
    return undefined;
  });
  const end = (event) => {
    if (region !== null && event.type === "pointerup") onRegion(inRegion(region));
    [drag, region] = [null, null];
    redraw();
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => drag === null && hover(null));
  canvas.addEventListener("keydown", (event) => {
    const pan = PAN / scale();
    const moves = { ArrowLeft: [-pan, 0], ArrowRight: [pan, 0], ArrowUp: [0, pan], ArrowDown: [0, -pan] };
    if (moves[event.key] !== undefined) moveBy(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") zoomBy(STEP);
    else if (event.key === "-") zoomBy(1 / STEP);
    else if (event.key === "0") showAll();
    else return;
    event.preventDefault();
  });
  new ResizeObserver(redraw).observe(canvas);
  onThemeChange(() => {
    atlas = null;
    redraw();
  });

  return {
    move,
    showOwn(next) {
      own = next;
      redraw();
    },
    showOnly(label) {
      only = label;
      redraw();
    },
    select(on) {
      selecting = on;
      canvas.toggleAttribute("data-selecting", on);
    },
    zoomIn: () => zoomBy(STEP),
    zoomOut: () => zoomBy(1 / STEP),
    showAll,
  };
}

/** Buttons for the labels in `place`, of which each shows its images alone. */
export function showLabels(place, { labels, truth }, map) {
  const present = new Set(truth);
  const buttons = labels.map((label, index) => {
    const button = element("button", { class: "map-label", type: "button", "aria-pressed": "false", disabled: !present.has(index) }, label);
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      for (const other of buttons) other.setAttribute("aria-pressed", String(on && other === button));
      map.showOnly(on ? index : null);
    });
    return button;
  });
  const paint = () => buttons.forEach((button, index) => button.style.setProperty("--of", labelColor(index, labels.length)));
  paint();
  onThemeChange(paint);
  place.replaceChildren(...buttons);
}

/** "Label 4: read as 9." */
export function imageCaption({ labels, truth, said }, index) {
  const values = { label: labels[truth[index]], said: labels[said[index]] };
  return truth[index] === said[index] ? t("Label {label}: read correctly.", values) : t("Label {label}: read as {said}.", values);
}

/** The middle, width and height of points, x and y in turn. */
function boundsOf(points) {
  const [low, high] = [[Infinity, Infinity], [-Infinity, -Infinity]];
  points.forEach((value, i) => {
    low[i % 2] = Math.min(low[i % 2], value);
    high[i % 2] = Math.max(high[i % 2], value);
  });
  const [width, height] = [0, 1].map((i) => Math.max(high[i] - low[i], 1e-6));
  return { middle: { x: (low[0] + high[0]) / 2, y: (low[1] + high[1]) / 2 }, width, height };
}
