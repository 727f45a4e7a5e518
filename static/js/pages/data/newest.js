// The newest drawings of a label, as ink: each takes the place of the oldest, so that no other one moves.

import { element } from "../../lib/dom.js";

const SVG = "http://www.w3.org/2000/svg";
const SIDE = 100; // units of a picture
const MARGIN = 12;
const MOST = 80; // drawings that are kept for a larger screen

/** The path of a drawing's strokes, in any unit, in a square of side `SIDE`. */
export function pathOf(strokes) {
  const points = strokes.flat();
  const [left, right, top, bottom] = [0, 1].flatMap((axis) => [Math.min, Math.max].map((end) => points.reduce((found, point) => end(found, point[axis]), points[0][axis])));
  const scale = (SIDE - 2 * MARGIN) / (Math.max(right - left, bottom - top) || 1);
  const put = ([x, y]) => `${(SIDE / 2 + (x - (left + right) / 2) * scale).toFixed(1)} ${(SIDE / 2 + (y - (top + bottom) / 2) * scale).toFixed(1)}`;
  return strokes.map((stroke) => `M${put(stroke[0])}L${stroke.map(put).join(" ")}`).join(""); // a dot has a line to itself
}

function picture({ id, strokes }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${SIDE} ${SIDE}`);
  svg.dataset.id = id;
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", pathOf(strokes));
  svg.append(path);
  return svg;
}

/** Binds a list whose style gives it as many rows and columns as there is room for. Returns `{add, clear}`. */
export function createNewest(list) {
  let drawings = []; // the newest, the newest last
  let added = 0; // since the last `fill`
  let room = 0;

  const tracks = (axis) => getComputedStyle(list)[axis].split(" ").filter((size) => Number.parseFloat(size) > 0).length;

  function put(drawing, flying) {
    const item = element("li", { "data-flying": flying }, picture(drawing));
    if (list.children.length < room) list.append(item);
    else if (room > 0) list.children[added % room].replaceWith(item);
    added += 1;
  }

  /** Shows as many as there is room for. */
  function fill() {
    list.replaceChildren();
    room = tracks("gridTemplateColumns") * tracks("gridTemplateRows");
    added = 0;
    for (const drawing of drawings.slice(-room)) put(drawing, false);
  }

  let size = "";
  new ResizeObserver(() => {
    const { width, height } = list.getBoundingClientRect();
    const now = `${Math.round(width)} ${Math.round(height)}`;
    if (now !== size) fill();
    size = now;
  }).observe(list);

  return {
    add(drawing, { flying }) {
      drawings = [...drawings, drawing].slice(-MOST);
      put(drawing, flying);
    },
    clear() {
      drawings = [];
      fill();
    },
  };
}
