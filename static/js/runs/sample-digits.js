// Twenty sample digits with the network's predictions after every epoch.

import { explain, get, Refused } from "../api/client.js";
import { percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { createBitmap, fromBase64, paintBytes } from "../images/bitmap.js";
import { byId, element, setText } from "../lib/dom.js";
import { rove } from "../lib/roving-focus.js";

const DIGITS = 20;

/** Runs the sample digits of the page. `open({paint, title, text})` enlarges a picture. */
export function createSampleDigits({ open }) {
  const place = byId("sheet");
  const refreshStops = rove(place);
  let run = null;
  let digits = null; // of the run: [{label, pixels}], once fetched
  let labels = null;
  let view = []; // {said, probability, wrong} of each digit
  let asking = false;

  place.replaceChildren(...Array.from({ length: DIGITS }, (_, i) => cell(i)));
  refreshStops();

  function cell(index) {
    const button = element(
      "button",
      { type: "button", class: "sheet-digit", disabled: true, "aria-label": t("A test image") },
      createBitmap(null, "picture"),
      element("span", { class: "sheet-said", "aria-hidden": "true" }, "–"),
    );
    button.addEventListener("click", () => openLarge(index));
    return element("li", {}, button);
  }

  /** Shows an epoch's predictions; `labelsKnown` are the data set's, or null. */
  function show(id, epoch, labelsKnown) {
    if (id !== run) {
      run = id;
      digits = null;
      labels = null;
      for (const [i, item] of [...place.children].entries()) item.replaceWith(cell(i));
      refreshStops();
    }
    labels = labels ?? labelsKnown;
    const said = epoch?.sheet ?? null;
    setText(byId("sheet-empty"), said === null ? t("Its answers appear here after the first epoch.") : "");
    if (said === null) {
      setText(byId("sheet-score"), "");
      return;
    }
    if (digits === null) ask();
    else put(said, epoch.epoch);
  }

  async function ask() {
    if (asking) return;
    asking = true;
    const id = run;
    try {
      const answer = await get(`/api/runs/${id}/sheet`);
      if (id === run) {
        digits = answer.digits;
        labels = answer.labels ?? labels;
        paint();
        onReady();
      }
    } catch (error) {
      // the server is away: the next epoch retries
      if (error instanceof Refused) setText(byId("sheet-empty"), explain(error));
    }
    asking = false;
  }

  let onReady = () => {};

  function paint() {
    for (const [i, { pixels }] of digits.entries()) paintBytes(canvasOf(i), fromBase64(pixels));
    for (const [i, item] of [...place.children].entries()) item.hidden = i >= digits.length;
  }

  const canvasOf = (index) => place.children[index].querySelector("canvas");

  function put({ said, probability }, epoch) {
    view = digits.map(({ label }, i) => {
      const name = String(labels?.[said[i]] ?? said[i]);
      return { label: String(label), said: name, probability: probability[i], wrong: name !== String(label), epoch };
    });
    for (const [i, digit] of view.entries()) {
      const button = place.children[i].firstElementChild;
      button.disabled = false;
      button.toggleAttribute("data-wrong", digit.wrong);
      setText(button.lastElementChild, digit.wrong ? `${digit.said} ✗` : digit.said);
      button.setAttribute("aria-label", sentence(digit));
    }
    const right = view.filter(({ wrong }) => !wrong).length;
    setText(byId("sheet-score"), t("{right} of {all} right", { right, all: view.length }));
  }

  function openLarge(index) {
    const bytes = fromBase64(digits[index].pixels);
    open({ paint: (canvas) => paintBytes(canvas, bytes), title: t("An image of “{label}”", { label: view[index].label }), text: sentence(view[index]) });
  }

  /** `onReady` is called when the pictures have loaded, to show the epoch again. */
  return { show, whenReady: (action) => (onReady = action) };
}

function sentence({ label, said, probability, wrong, epoch }) {
  const values = { label, said, sure: percent(probability), epoch };
  return wrong
    ? t("Epoch {epoch}: it mistakes this {label} for {said}, {sure} sure.", values)
    : t("Epoch {epoch}: it reads this {label} correctly, {sure} sure.", values);
}
