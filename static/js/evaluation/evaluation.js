// The evaluation of a network: confusion matrix, worst mistakes, labels, calibration, and the user's drawings.

import { explain, get, Refused } from "../api/client.js";
import { awayText, retryWhileAway } from "../api/retry.js";
import { count, loss, percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { tile } from "../images/tile.js";
import { byId, element, setMessage, setText } from "../lib/dom.js";
import { createMatrix } from "./confusion-matrix.js";
import { showLabels } from "./per-label.js";
import { showCalibration } from "./reliability-diagram.js";

const CELL_PAGE = 24;
const MISTAKES_FIRST = 12;

/**
 * Runs the section of the page. `show(record, hasEnded)` evaluates a run once it has ended and the section is visible;
 * `evaluate({key, path, dataset})` shows the API's evaluation under `path`, on that data set.
 */
export function createEvaluation() {
  const section = byId("judge");
  const matrix = createMatrix(showCell);
  let subject = null; // {key, path, dataset}
  let evaluation = null;
  let cell = null; // {truth, said, count, shown}
  let isVisible = false;

  new IntersectionObserver(
    (entries) => {
      isVisible = entries.at(-1).isIntersecting;
      if (isVisible) load();
    },
    { rootMargin: "200px" },
  ).observe(section);

  byId("judge-views").addEventListener("change", ({ target }) => {
    for (const view of section.querySelectorAll("[data-judge-view]")) view.hidden = view.dataset.judgeView !== target.value;
  });

  function show(record, hasEnded) {
    section.hidden = false;
    if (!hasEnded) return wait("", t("When training is done, you see here where it goes wrong: what it confuses, its worst mistakes, and whether to trust its confidence."));
    if (!record.model) return wait("", t("This run left no model, so there is nothing to evaluate."));
    evaluate({ key: `run ${record.id} ${record.model}`, path: `/api/runs/${record.id}/judgement`, dataset: record.config.dataset });
  }

  function wait(key, text) {
    if (subject?.key === key && byId("judge-state").textContent === text) return;
    subject = { key };
    evaluation = null;
    setState(text);
  }

  function evaluate(next) {
    if (subject?.key === next.key) return;
    section.hidden = false;
    subject = next;
    evaluation = null;
    setState("");
    if (isVisible) load();
  }

  function setState(text, isFailed = false) {
    setMessage(byId("judge-state"), text);
    byId("judge-again").hidden = !isFailed;
    byId("judge-body").hidden = evaluation === null;
  }

  async function load() {
    const request = subject;
    if (request?.path === undefined || request.sent) return;
    request.sent = true;
    setState(t("Testing it on every test image …"));
    section.setAttribute("aria-busy", "true");
    try {
      const found = await retryWhileAway(() => get(address(request, "")), (seconds) => request === subject && setState(awayText(seconds)));
      if (request !== subject) return;
      evaluation = found;
      render();
    } catch (error) {
      if (request !== subject) return;
      const text = error instanceof Refused && error.status === 409 ? t("It cannot be evaluated: {reason}", { reason: explain(error) }) : explain(error);
      setState(text, true);
    } finally {
      section.removeAttribute("aria-busy");
    }
  }

  byId("judge-again").addEventListener("click", () => {
    subject.sent = false;
    load();
  });

  function render() {
    setState("");
    const { labels, confusion, accuracy, count: images, loss: lossValue, split } = evaluation;
    const which = split === "test" ? t("test images") : t("training images");
    setText(byId("judge-summary"), t("It reads {accuracy} of {count} {which} correctly; loss {loss}.", { accuracy: percent(accuracy, 2), count: count(images), which, loss: loss(lossValue) }));
    setMessage(byId("judge-changed"), evaluation.changed ? t("The data set has changed since this model was trained. It is tested on the current images, and may have learned from some of them.") : "");
    matrix.show(labels, confusion);
    clearCell();
    showLabels(evaluation);
    showCalibration(evaluation.calibration);
    showMistakes();
    showYours();
  }

  // The images of a cell

  function clearCell() {
    cell = null;
    matrix.clearMark();
    setText(byId("judge-cell-title"), t("Images of a cell"));
    setText(byId("judge-cell-note"), t("Click a cell of the matrix to see its images."));
    byId("judge-cell-list").replaceChildren();
    byId("judge-cell-more").hidden = true;
  }

  function showCell({ truth, said, count: images }) {
    cell = { truth: evaluation.labels[truth], said: evaluation.labels[said], count: images, shown: 0 };
    setText(byId("judge-cell-title"), cellTitle(cell));
    byId("judge-cell-list").replaceChildren();
    byId("judge-cell-more").hidden = true;
    setText(byId("judge-cell-note"), images === 0 ? t("There are none.") : t("Loading …"));
    if (images > 0) moreOfCell();
  }

  async function moreOfCell() {
    const requested = cell;
    const more = byId("judge-cell-more");
    more.disabled = true;
    try {
      const query = { truth: requested.truth, said: requested.said, offset: requested.shown, limit: CELL_PAGE };
      const { total, digits } = await get(address(subject, "/cell", query));
      if (requested !== cell) return;
      requested.shown += digits.length;
      byId("judge-cell-list").append(...digits.map((digit) => digitTile(digit.label, digit)));
      setText(byId("judge-cell-note"), t("{shown} of {total}", { shown: count(requested.shown), total: count(total) }));
      more.hidden = requested.shown >= total || digits.length === 0;
    } catch (error) {
      if (requested !== cell) return;
      setText(byId("judge-cell-note"), explain(error));
      more.hidden = false;
    }
    more.disabled = false;
  }

  byId("judge-cell-more").addEventListener("click", moreOfCell);

  // The worst mistakes

  async function showMistakes() {
    const { mistakes, split } = evaluation;
    const list = byId("judge-mistakes");
    const more = byId("judge-mistakes-more");
    more.hidden = mistakes.length <= MISTAKES_FIRST;
    list.replaceChildren(...mistakes.slice(0, MISTAKES_FIRST).map((mistake) => digitTile(mistake.truth, { ...mistake, pixels: null })));
    setText(byId("judge-mistakes-note"), mistakes.length === 0 ? t("It made no mistakes at all.") : t("Worst first: true label → answer, and its confidence."));
    if (mistakes.length === 0) return;
    const requested = evaluation;
    try {
      const indices = mistakes.map(({ index }) => index).join(",");
      const path = `/api/datasets/${encodeURIComponent(subject.dataset)}/digits?split=${split}&indices=${indices}`;
      const { digits } = mistakes.every(({ pixels }) => pixels) ? { digits: mistakes } : await get(path);
      if (requested !== evaluation) return;
      const pixels = new Map(digits.map((digit) => [digit.index, digit.pixels]));
      const tiles = mistakes.map((mistake) => digitTile(mistake.truth, { ...mistake, pixels: pixels.get(mistake.index) ?? null }));
      list.replaceChildren(...tiles.slice(0, MISTAKES_FIRST));
      more.onclick = () => {
        more.hidden = true;
        list.append(...tiles.slice(MISTAKES_FIRST));
        tiles[MISTAKES_FIRST].querySelector("button").focus();
      };
    } catch (error) {
      if (requested === evaluation) setText(byId("judge-mistakes-note"), explain(error));
    }
  }

  // The user's drawings

  function showYours() {
    const { yours } = evaluation;
    const list = byId("judge-yours");
    byId("judge-yours-empty").hidden = yours !== null && yours.count > 0;
    list.replaceChildren();
    if (yours === null || yours.count === 0) return setText(byId("judge-yours-note"), "");
    const right = Math.round(yours.accuracy * yours.count);
    const one = right === 1 ? t("It reads your drawing correctly.") : t("It misreads your drawing.");
    setText(byId("judge-yours-note"), yours.count === 1 ? one : t("It reads {right} of your {count} drawings correctly: {accuracy}.", { right: count(right), count: count(yours.count), accuracy: percent(yours.accuracy) }));
    const wrongFirst = [...yours.drawings].sort((a, b) => Number(a.truth === a.said) - Number(b.truth === b.said));
    list.append(...wrongFirst.map((drawing) => digitTile(drawing.truth, drawing)));
  }

  return { show, evaluate };
}

function address({ path }, end, query = {}) {
  const [base, search = ""] = path.split("?");
  const parameters = new URLSearchParams(search);
  for (const [name, value] of Object.entries(query)) parameters.set(name, value);
  const text = parameters.toString();
  return `${base}${end}${text === "" ? "" : `?${text}`}`;
}

const cellTitle = ({ truth, said }) => (truth === said ? t("{truth}, read correctly", { truth }) : t("{truth} mistaken for {said}", { truth, said }));

/** A picture with its label, prediction and probability: "4 → 9" and "97.1 %"; a correct one has a tick. */
function digitTile(truth, { said, probability, pixels, index }) {
  const isRight = truth === said;
  const sure = percent(probability);
  const [title, text] = isRight ? [t("A {truth}, read correctly.", { truth }), t("{sure} sure of it.", { sure })] : [t("A {truth}, mistaken for a {said}.", { truth, said }), t("{sure} sure of the {said}.", { sure, said })];
  const place = index === undefined ? "" : ` ${t("Image {index}.", { index })}`;
  const lines = [element("strong", {}, isRight ? `${truth} ✓` : `${truth} → ${said}`), element("span", {}, sure)];
  return tile({ pixels, caption: lines, title, text: text + place, kind: isRight ? "right" : "wrong" });
}
