// The paths of a race's runs in a plane of their weights, over lines of equal loss, which the server measures.

import { explain, get } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { createPlane, levelLine, shade, strokePieces } from "../../charts/plane.js";
import { createLegendItem } from "../../charts/series-style.js";
import { count, percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { short, table } from "../../lib/controls.js";
import { byId, element, setMessage, setText } from "../../lib/dom.js";
import { saveText } from "../../lib/save-file.js";
import { savePicture } from "../../runs/film.js";
import { epochText } from "../../runs/moments.js";

const LEVELS = 16;
const NEAR = 22; // CSS pixels within which a point is under the pointer or the finger

/**
 * Measures and shows the paths of race number `race` in the section of the page. `lines` are those of the chart: `{id, name, style}`.
 * Resolves to whether they are there; otherwise the page says why not.
 */
export async function mountPaths(race, lines) {
  setMessage(byId("paths-state"), t("The loss is being measured around the paths. This may take half a minute …"));
  let data;
  try {
    data = await retryWhileAway(() => get(`/api/races/${race}/plane`), (seconds) => setMessage(byId("paths-state"), awayText(seconds)));
  } catch (error) {
    setMessage(byId("paths-state"), explain(error));
    return false;
  }
  setMessage(byId("paths-state"), "");
  byId("paths-body").replaceChildren(...partsOf(data, lines));
  return true;
}

function partsOf(data, lines) {
  const runs = data.runs.flatMap(({ run, points }) => lines.filter(({ id }) => id === run).map(({ id, name, style }) => ({ id, style, points, short: name.replace(/^#\d+ /, "") })));
  const columns = data.x.length;
  const range = { x: [data.x[0], data.x.at(-1)], y: [data.y[0], data.y.at(-1)] };
  const finite = data.losses.flat().filter((loss) => loss !== null && loss > 0);
  const [low, high] = [Math.log(Math.min(...finite)), Math.log(Math.max(...finite))];
  const heights = data.losses.flat().map((loss) => (loss === null ? high + 1 : Math.log(Math.max(loss, Math.exp(low)))));
  const plane = createPlane({ label: t("Paths of the runs over the loss"), xTitle: t("first principal direction"), yTitle: t("second principal direction") });
  const said = element("p", { class: "paths-said", role: "status" }, t("Point at a path, or use the arrow keys: along a path, and to the next one."));
  const hidden = new Set();
  let at = null; // {run, point}: indices of what is read
  let places = []; // {run, point, x, y} on the canvas

  const shown = () => runs.map((run, index) => ({ run, index })).filter(({ run }) => !hidden.has(run.id));

  function paint() {
    plane.show(range, (pen, place, theme) => {
      shade(pen, place, heights, range, columns, data.y.length, theme.validation, (value) => 0.75 * Math.min(1, (value - low) / (high - low || 1)));
      pen.strokeStyle = theme.soft;
      pen.lineWidth = 0.75;
      for (let i = 0; i < LEVELS; i += 1) strokePieces(pen, place, levelLine(heights, columns, data.y.length, low + ((high - low) * (i + 0.5)) / LEVELS), range, columns, data.y.length);
      places = shown().flatMap(({ run, index }) => run.points.map((point, i) => ({ run: index, point: i, x: place.x(point.x), y: place.y(point.y) })));
      for (const { run } of shown()) paintPath(pen, place, theme, run);
      for (const { run } of shown()) paintCircle(pen, place, run.points[0], theme.ink, 2, 8);
      if (at !== null && !hidden.has(runs[at.run].id)) paintCircle(pen, place, runs[at.run].points[at.point], theme.accent, 2.5, 11);
    }, t("Paths of the runs over the loss"));
  }

  function read(next) {
    at = next;
    const [run, point] = [runs[at.run], runs[at.run].points[at.point]];
    const values = { name: run.short, epoch: epochText(point), loss: point.loss === null ? "∞" : short(point.loss) };
    const text = t("{name}, epoch {epoch}: loss {loss}", values);
    setText(said, text);
    plane.canvas.setAttribute("aria-valuenow", at.point);
    plane.canvas.setAttribute("aria-valuemax", run.points.length - 1);
    plane.canvas.setAttribute("aria-valuetext", text);
    paint();
  }

  function under(event) {
    const box = plane.canvas.getBoundingClientRect();
    let [best, nearest] = [NEAR ** 2, null];
    for (const one of places) {
      const distance = (one.x - event.clientX + box.left) ** 2 + (one.y - event.clientY + box.top) ** 2;
      if (distance < best) [best, nearest] = [distance, one];
    }
    return nearest;
  }

  const point = (event) => {
    const found = under(event);
    if (found !== null && (found.run !== at?.run || found.point !== at?.point)) read({ run: found.run, point: found.point });
  };
  plane.canvas.addEventListener("pointermove", point);
  plane.canvas.addEventListener("pointerdown", point);
  plane.canvas.addEventListener("keydown", (event) => {
    const indices = shown().map(({ index }) => index);
    const along = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const across = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (indices.length === 0 || (along === undefined && across === undefined && event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    const run = at === null || !indices.includes(at.run) ? indices[0] : across === undefined ? at.run : indices[(indices.indexOf(at.run) + across + indices.length) % indices.length];
    const last = runs[run].points.length - 1;
    const from = at?.point ?? last;
    read({ run, point: event.key === "Home" ? 0 : event.key === "End" ? last : Math.max(0, Math.min(last, from + (along ?? 0))) });
  });
  plane.canvas.setAttribute("tabindex", "0");
  plane.canvas.setAttribute("role", "slider");
  plane.canvas.setAttribute("aria-valuemin", "0");
  plane.canvas.setAttribute("aria-valuenow", "0");

  const legend = element("div", { class: "paths-legend", role: "group", "aria-label": t("Runs") }, ...runs.map((run) => createLegendItem({ ...run, name: run.short }, hidden, paint)));
  const about = t("Measured on {count} training images of {dataset}, without weight decay, at {points} points of the plane. It is the plane in which the weights of all runs vary most, and shows {percent} of their variance ({first} and {second}); the paths themselves lie beside it, so their losses differ from those of the lines. Each line is one of equal loss, from {low} to {high}: from one to the next it grows by {growth}.", {
    count: count(data.images),
    dataset: data.dataset,
    points: count(columns * data.y.length),
    percent: percent(data.variance[0] + data.variance[1], 0),
    first: percent(data.variance[0], 0),
    second: percent(data.variance[1], 0),
    low: short(Number(Math.exp(low).toPrecision(2))),
    high: short(Number(Math.exp(high).toPrecision(2))),
    growth: percent(Math.exp((high - low) / LEVELS) - 1, 0),
  });
  const name = `paths-${runs.map(({ id }) => id).join("-")}`;
  const png = quiet("PNG", t("Save the chart as PNG"), () => savePicture(plane.canvas, shown().map(({ run }) => run.short).join(", "), name));
  const csv = quiet("CSV", t("Save all numbers as CSV"), () => saveText(csvOf(runs), `${name}.csv`));
  const foot = element("div", { class: "paths-foot" }, legend, element("div", { class: "paths-save" }, png, csv));
  paint();
  return [plane.node, said, foot, element("p", { class: "soft paths-about" }, about), numbers(runs)];
}

function quiet(text, label, onClick) {
  const button = element("button", { type: "button", class: "quiet", "aria-label": label }, text);
  button.addEventListener("click", onClick);
  return button;
}

/** A line for each moment of each run: its place in the plane, and its loss. */
const csvOf = (runs) =>
  [["run", "epoch", "x", "y", "loss"], ...runs.flatMap(({ id, points }) => points.map((point) => [id, epochText(point), point.x, point.y, point.loss ?? "inf"]))].map((row) => `${row.join(",")}\n`).join("");

/** The losses of all moments, as a table. */
function numbers(runs) {
  const moments = [...new Map(runs.flatMap(({ points }) => points).map((point) => [epochText(point), point])).entries()].sort((a, b) => Number(a[0]) - Number(b[0]));
  const losses = table(t("Loss along the paths"), [t("epoch"), ...runs.map((run) => run.short)]);
  losses.show(
    moments.map(([epoch]) => [
      epoch,
      ...runs.map(({ points }) => {
        const point = points.find((one) => epochText(one) === epoch);
        return point === undefined ? "–" : point.loss === null ? "∞" : short(point.loss);
      }),
    ]),
  );
  return element("details", {}, element("summary", {}, t("As numbers")), losses.node);
}

function paintPath(pen, place, theme, { style, points }) {
  pen.strokeStyle = pen.fillStyle = theme[style.color];
  pen.lineWidth = 2;
  pen.setLineDash(style.dash);
  pen.beginPath();
  points.forEach(({ x, y }, i) => pen[i === 0 ? "moveTo" : "lineTo"](place.x(x), place.y(y)));
  pen.stroke();
  pen.setLineDash([]);
  points.forEach(({ x, y, batch }, i) => {
    pen.beginPath();
    style.marker(pen, place.x(x), place.y(y), i === points.length - 1 ? 7 : batch > 0 ? 2 : 4);
    pen.fill();
  });
}

function paintCircle(pen, place, { x, y }, color, lineWidth, radius) {
  pen.strokeStyle = color;
  pen.lineWidth = lineWidth;
  pen.beginPath();
  pen.arc(place.x(x), place.y(y), radius, 0, 2 * Math.PI);
  pen.stroke();
}
