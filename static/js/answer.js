// The answer beside the pad: glyph, sentence, the picture that the network saw, and the bars.

import { clearBars, ensureBars, showBars } from "./bars.js";
import { byId, element, setText } from "./dom.js";
import { percent } from "./format.js";
import { clearPicture, paintPicture } from "./picture.js";
import { invitation, judge, sentence } from "./verdict.js";

const MODELS_PAGE = "/models";

/** Binds the answer area of the page; `labels` are those of the model in use. */
export function createAnswer(labels) {
  const glyph = byId("answer-glyph");
  const words = byId("answer-sentence");
  const detail = byId("answer-detail");
  const bars = byId("bars");
  const pictures = [byId("seen"), byId("seen-large")];
  const spoken = byId("spoken");
  let inUse = labels;

  ensureBars(bars, inUse);
  setText(words, invitation(inUse));
  bindLarge();

  /** Says what to draw, with nothing read. */
  function showBlank() {
    showGlyph("");
    setText(words, invitation(inUse));
    setText(detail, "with a mouse, a finger or a pen");
    clearBars(bars);
    pictures.forEach(clearPicture);
    setText(spoken, "");
  }

  /** Shows an answer of /predict; `final` ones, of a pen that is up, are spoken to those who listen. */
  function show(answer, milliseconds, final) {
    if (answer.input) pictures.forEach((canvas) => paintPicture(canvas, answer.input));
    if (answer.input) setText(byId("seen-size"), sizeText(answer.input));
    if (answer.blank) {
      showBlankAnswer();
      return;
    }
    const verdict = judge(answer.probabilities);
    const parts = sentence(verdict);
    showGlyph(verdict.label);
    words.replaceChildren(...parts.map((part) => (Array.isArray(part) ? element("strong", {}, ...part) : part)));
    detail.replaceChildren(
      element("span", {}, `${percent(verdict.probability)} sure`),
      element("span", { class: "between" }, " · "),
      element(
        "span",
        {},
        `read in ${Math.max(1, Math.round(milliseconds))} ms by `,
        element("a", { href: MODELS_PAGE, title: answer.model }, answer.model),
      ),
    );
    showBars(bars, answer.probabilities, verdict.label);
    if (final) setText(spoken, `${parts.flat().join("")} ${percent(verdict.probability)} sure.`);
  }

  function showBlankAnswer() {
    showGlyph("");
    setText(words, invitation(inUse));
    setText(detail, "There is too little ink to read yet.");
    clearBars(bars);
  }

  /** Says why there is no answer. */
  function showRefusal(message) {
    showGlyph("");
    setText(words, "That could not be read.");
    setText(detail, message);
    clearBars(bars);
    setText(spoken, `That could not be read. ${message}`);
  }

  function showGlyph(label) {
    setText(glyph, label);
    glyph.toggleAttribute("data-empty", label === "");
    const length = [...label].length;
    glyph.dataset.length = length > 3 ? "many" : String(length);
  }

  function useLabels(next) {
    inUse = next;
    ensureBars(bars, inUse);
  }

  return { show, showBlank, showRefusal, useLabels };
}

const sizeText = (rows) => `${rows[0].length} × ${rows.length} pixels, each from 0 (paper) to 1 (ink).`;

function bindLarge() {
  const dialog = byId("seen-dialog");
  byId("seen-open").addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
