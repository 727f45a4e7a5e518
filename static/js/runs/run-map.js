// The map of a run: the same test images at every kept moment, in one plane, and what the network confuses among them.

import { explain, get, Refused } from "../api/client.js";
import { fitted, readTheme } from "../charts/canvas.js";
import { createImageMap, imageCaption, showLabels } from "../charts/image-map.js";
import { count, percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { fromBase64 } from "../images/bitmap.js";
import { byId, setMessage, setText } from "../lib/dom.js";
import { onThemeChange } from "../lib/theme.js";
import { keyOf } from "./moments.js";
import { epochsDone, hasEnded } from "./run-state.js";
import { createTimeline } from "./timeline.js";

const PAUSE_MS = 4000; // between two questions while the run goes on
const LEAST_NUMBER = 20; // CSS pixels of a cell with a number
const MOST_NAMED = 24; // labels that have room for their names

/** Runs the map of the page; `show(record)` updates it while it is visible. */
export function createRunMap() {
  const timeline = createTimeline("map", showPosition);
  let record = null;
  let asked = ""; // the run and the epochs of the last question
  let askedAt = -Infinity;
  let data = null;
  let map = null;
  let shown = null;

  function show(next) {
    if (record?.id !== next.id) {
      [data, map, asked, askedAt] = [null, null, "", -Infinity];
      timeline.reset();
      state(t("The map appears after the first epoch."));
    }
    record = next;
    const key = `${record.id} ${epochsDone(record)} ${hasEnded(record)}`;
    const isTime = hasEnded(record) || performance.now() > askedAt + PAUSE_MS;
    if (key !== asked && isTime && (epochsDone(record) > 0 || hasEnded(record))) ask(key);
  }

  function state(text) {
    setMessage(byId("run-map-state"), text);
    byId("run-map-body").hidden = text !== "";
  }

  async function ask(key) {
    [asked, askedAt] = [key, performance.now()];
    const { id } = record;
    if (data === null) state(t("The map is being made …"));
    try {
      const found = await get(`/api/runs/${id}/map`);
      if (record.id === id) put(found);
    } catch (error) {
      if (record.id !== id) return;
      if (!(error instanceof Refused)) asked = ""; // away: asked again
      if (data === null) state(explain(error));
    }
  }

  function put(found) {
    const isFirst = data === null;
    const moments = found.moments.map((moment) => ({ ...moment, points: new Float32Array(fromBase64(moment.points).buffer) }));
    data = { ...found, images: fromBase64(found.images), moments };
    state("");
    if (isFirst) bind();
    const positions = moments.map((moment) => ({ ...moment, kept: true, data: null }));
    for (const button of document.querySelectorAll("#run-map-body [data-film]")) button.disabled = positions.length < 2;
    timeline.show(positions, record.config.epochs);
  }

  /** Makes the map of the first answer; later ones, of a run that goes on, have the same images. */
  function bind() {
    const canvas = byId("run-map").cloneNode(); // without the listeners of another run's
    byId("run-map").replaceWith(canvas);
    const extent = data.moments.flatMap(({ points }) => [...points]);
    map = createImageMap(canvas, { ...data, points: data.moments.at(-1).points, extent }, {
      onHover: (index) => setText(byId("run-map-hover"), index === null ? "\u00a0" : imageCaption({ ...data, said: shown.said }, index)),
      onRegion: () => {},
    });
    showLabels(byId("run-map-labels"), data, map);
  }

  async function showPosition(position) {
    if (position === null || map === null) return;
    shown = data.moments.find((moment) => keyOf(moment) === keyOf(position));
    const right = shown.said.filter((said, i) => said === data.truth[i]).length;
    const values = { right: count(right), count: count(data.truth.length), dataset: data.dataset, percent: percent(shown.variance[0] + shown.variance[1], 0) };
    setText(byId("run-map-note"), t("{count} test images of {dataset}. The plane shows {percent} of this moment's variance.", values));
    byId("run-map").setAttribute("aria-label", t("A map of {count} images of {dataset}", values));
    setText(byId("run-confusion-note"), t("{right} of {count} read correctly.", values));
    paintConfusion();
    await map.move(shown.points);
  }

  function paintConfusion() {
    if (shown === null || data === null) return;
    const canvas = byId("run-confusion");
    const right = shown.said.filter((said, i) => said === data.truth[i]).length;
    canvas.setAttribute("aria-label", t("{right} of {count} read correctly.", { right: count(right), count: count(data.truth.length) }));
    const room = fitted(canvas);
    if (room !== null) paintMatrix(room, confusionOf(data, shown), data.labels);
  }

  byId("run-map-in").addEventListener("click", () => map?.zoomIn());
  byId("run-map-out").addEventListener("click", () => map?.zoomOut());
  byId("run-map-all").addEventListener("click", () => map?.showAll());
  for (const button of document.querySelectorAll("#run-map-body [data-film]")) {
    button.addEventListener("click", async () => {
      const { saveRunFilm } = await import("./film.js");
      await saveRunFilm(button, { timeline, name: `run-${record.id}-${button.dataset.film}` });
    });
  }
  new ResizeObserver(paintConfusion).observe(byId("run-confusion"));
  onThemeChange(paintConfusion);

  return { show };
}

/** The counts of each answer (column) to the images of each label (row). */
export function confusionOf({ labels, truth }, { said }) {
  const counts = labels.map(() => labels.map(() => 0));
  truth.forEach((label, i) => (counts[label][said[i]] += 1));
  return counts;
}

/** Paints a confusion matrix: darker for a larger share of the row, with numbers where there is room. */
function paintMatrix({ pen, width }, counts, labels) {
  const theme = readTheme();
  const isNamed = labels.length <= MOST_NAMED;
  const margin = isNamed ? 26 : 1;
  const cell = (width - margin) / labels.length;
  pen.fillStyle = theme.sheet;
  pen.fillRect(0, 0, width, width);
  pen.font = `${theme["chart-type"]} ${theme.font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const middle = (index) => margin + (index + 0.5) * cell;
  counts.forEach((row, truth) => {
    const sum = row.reduce((total, n) => total + n, 0);
    if (isNamed) {
      pen.fillStyle = theme.soft;
      pen.fillText(labels[truth], margin / 2, middle(truth), margin);
      pen.fillText(labels[truth], middle(truth), margin / 2, cell);
    }
    row.forEach((n, said) => {
      const share = n / (sum || 1);
      const [x, y] = [margin + said * cell, margin + truth * cell];
      pen.globalAlpha = Math.sqrt(share);
      pen.fillStyle = truth === said ? theme.validation : theme.accent;
      pen.fillRect(x, y, cell - (isNamed ? 1 : 0), cell - (isNamed ? 1 : 0));
      pen.globalAlpha = 1;
      if (n === 0 || cell < LEAST_NUMBER) return;
      pen.fillStyle = share > 0.4 ? theme.sheet : theme.ink;
      pen.fillText(String(n), middle(said), middle(truth), cell);
    });
  });
  pen.strokeStyle = theme.line;
  pen.strokeRect(margin - 0.5, margin - 0.5, width - margin, width - margin);
}
