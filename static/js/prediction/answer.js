// The answer beside the pad: glyph, sentence, the network's input image, and the bars.

import { asSentence, percent } from "../i18n/format.js";
import { t, tParts } from "../i18n/translate.js";
import { clearPicture, paintRows } from "../images/bitmap.js";
import { openPicture } from "../images/zoom-dialog.js";
import { byId, element, setText } from "../lib/dom.js";
import { clearBars, ensureBars, showBars } from "./bars.js";
import { describe, invitation, isKnown, partsOf, readAs } from "./describe.js";

/**
 * Binds the answer area of the page; `labels` are the model's. `onParts(parts, selected)` is called with the
 * separately read parts of a drawing and the selected one, `onReadAsOne(wanted)` by the button that joins the parts, or
 * divides them again, of an answer with `as_one`. `modelsPage` is the link of the model's name, if there is such a page.
 */
export function createAnswer(labels, { onParts, onReadAsOne = null, modelsPage = null }) {
  const head = byId("answer-head");
  const glyph = byId("answer-glyph");
  const parts = byId("answer-parts");
  const words = byId("answer-sentence");
  const detail = byId("answer-detail");
  const bars = byId("bars");
  const seen = byId("seen");
  const spoken = byId("spoken");
  let inUse = labels;
  let shown = null; // {answer, milliseconds}
  let selected = 0;

  ensureBars(bars, inUse);
  setText(words, invitation(inUse));
  byId("seen-open").addEventListener("click", () => {
    const input = part()?.input ?? shown?.answer.input;
    if (input) openLarge(input, t("What the network sees"));
  });

  const part = () => partsOf(shown?.answer ?? {})[selected];

  /** Shows what to draw, without an answer. */
  function showBlank() {
    forget();
    setText(words, invitation(inUse));
    setText(detail, t("with a mouse, a finger or a pen"));
    clearPicture(seen);
    setText(spoken, "");
  }

  /** Shows an answer of /predict; `final` ones, after the pen is lifted, are announced by screen readers. */
  function show(answer, milliseconds, final) {
    if (answer.blank) return showBlankAnswer(answer);
    if (partsOf(answer).length !== partsOf(shown?.answer ?? {}).length) selected = 0;
    shown = { answer, milliseconds };
    const { spoken: said } = render();
    if (final) setText(spoken, said);
  }

  function render() {
    const { answer, milliseconds } = shown;
    const found = partsOf(answer);
    const view = describe(answer, inUse, selected);
    head.toggleAttribute("data-several", found.length > 0);
    head.toggleAttribute("data-unknown", !view.known);
    head.removeAttribute("data-refused");
    showGlyph(view.glyph);
    showParts(found);
    words.replaceChildren(...view.sentence.map((text) => (Array.isArray(text) ? element("strong", {}, ...text) : text)));
    detail.replaceChildren(...view.facts.map((fact) => element("span", {}, fact)), ...(answer.as_one ? [" ", joinButton(false)] : []), between(), timing(milliseconds, answer.model, modelsPage));
    const of = part() ?? answer;
    showBars(bars, of.probabilities, view.winner);
    const input = of.input ?? answer.input;
    if (input) paintRows(seen, input);
    onParts(found, selected);
    return view;
  }

  function showParts(found) {
    parts.hidden = found.length === 0;
    glyph.hidden = found.length > 0;
    setLength(parts, Math.max(0, ...found.map((one) => [...readAs(one)].length)));
    if (parts.querySelectorAll(".part").length !== found.length) {
      const join = found.length > 0 && onReadAsOne !== null ? [joinButton(true)] : [];
      parts.replaceChildren(...found.map((_, i) => partButton(i)), ...join);
    }
    found.forEach((one, i) => {
      const button = parts.children[i];
      const probability = one.probabilities[one.label] ?? Math.max(...Object.values(one.probabilities));
      const sureness = isKnown(one) ? percent(probability) : t("unclear");
      setText(button.querySelector(".part-label"), readAs(one));
      setText(button.querySelector(".part-sure"), sureness);
      button.setAttribute("aria-pressed", String(i === selected));
      const name = isKnown(one)
        ? t("Part {number}: {label}, {percent} sure. Show its bars", { number: i + 1, label: one.label, percent: sureness })
        : t("Part {number}: unclear. Show its bars", { number: i + 1 });
      button.setAttribute("aria-label", name);
    });
  }

  /** The button that has the parts read as one digit, or apart again. */
  function joinButton(wanted) {
    const words = wanted ? t("Read as one") : t("Read as several");
    const button = element("button", { type: "button", class: "inline-action join", id: "read-as-one" }, words);
    button.addEventListener("click", () => onReadAsOne(wanted));
    return button;
  }

  function partButton(index) {
    const button = element(
      "button",
      { type: "button", class: "part" },
      element("span", { class: "part-label" }),
      element("span", { class: "part-sure" }),
    );
    button.addEventListener("click", () => {
      selected = index;
      render();
    });
    return button;
  }

  function showBlankAnswer(answer) {
    forget();
    if (answer.input) paintRows(seen, answer.input);
    setText(words, invitation(inUse));
    setText(detail, t("Too little ink to read yet."));
  }

  /** Shows why there is no answer; `isForbidden` if the server would read no drawing of this page. */
  function showRefusal(message, { isForbidden = false } = {}) {
    const title = isForbidden ? t("The server takes no requests from this page.") : t("That could not be read.");
    forget();
    head.setAttribute("data-refused", ""); // the words may need all the room
    setText(words, title);
    setText(detail, asSentence(message));
    clearPicture(seen);
    setText(spoken, `${title} ${message}`);
  }

  /** Shows that the answer is taking long; the previous one stays meanwhile. */
  function showWaiting() {
    if (shown === null) setText(words, t("Reading …"));
    setText(detail, t("Waiting for the server to read it."));
  }

  function forget() {
    shown = null;
    selected = 0;
    head.removeAttribute("data-several");
    head.removeAttribute("data-unknown");
    head.removeAttribute("data-refused");
    showGlyph("");
    showParts([]);
    clearBars(bars);
    onParts([], 0);
  }

  function showGlyph(label) {
    setText(glyph, label);
    glyph.toggleAttribute("data-empty", label === "");
    setLength(glyph, [...label].length);
  }

  function useLabels(next) {
    inUse = next;
    ensureBars(bars, inUse);
    forget();
  }

  function openLarge(rows, title) {
    const text = t("{width} × {height} pixels, each from 0 (paper) to 1 (ink).", { width: rows[0].length, height: rows.length });
    openPicture({ paint: (canvas) => paintRows(canvas, rows), title, text });
  }

  return { show, showBlank, showRefusal, showWaiting, useLabels, openLarge };
}

function setLength(node, length) {
  node.dataset.length = length > 3 ? "many" : String(length);
}

const between = () => element("span", { class: "between" }, " · ");

const timing = (milliseconds, model, page) =>
  element(
    "span",
    {},
    ...tParts("read in {milliseconds} ms by {model}", {
      milliseconds: Math.max(1, Math.round(milliseconds)),
      model: page === null ? model : element("a", { href: `${page}#${encodeURIComponent(model)}`, title: model }, model),
    }),
  );
