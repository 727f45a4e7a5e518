// The end of a game: every drawing, what it was taken for, and which ones to keep in one's own set.

import { explain, post, remove } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { isEmpty, lines } from "../../drawing/drawing.js";
import { paint } from "../../drawing/render.js";
import { t } from "../../i18n/translate.js";
import { byId, element, say, setText } from "../../lib/dom.js";
import { onThemeChange } from "../../lib/theme.js";
import { withArticle } from "../../prediction/describe.js";
import { gained, takenFor } from "./words.js";

const SIDE = 240; // pixels of a drawing

/** Binds the end of a game. Returns `show({title, text, results})`. */
export function createEnd() {
  const list = byId("end-drawings");
  const button = byId("keep");
  const note = byId("keep-note");
  let tiles = []; // {result, canvas, box}, box being null for an empty paper
  let isBusy = false;

  const chosen = () => tiles.filter(({ box }) => box?.checked && !box.disabled);

  function repaint() {
    for (const { canvas, result } of tiles) paint(canvas, result.drawing);
  }

  function showCount() {
    const number = chosen().length;
    setText(button, number === 1 ? t("Keep 1 drawing in my set") : t("Keep {count} drawings in my set", { count: number }));
    button.disabled = number === 0 || isBusy;
  }

  function tileOf(result) {
    const { label, side, drawing, answer, points, isRight, isMeant } = result;
    const canvas = element("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": t("The drawing") });
    const box = isEmpty(drawing) ? null : element("input", { type: "checkbox", checked: isMeant });
    box?.addEventListener("change", showCount);
    const node = element(
      "li",
      { class: "end-drawing", "data-right": isRight },
      canvas,
      element("p", { class: "end-asked" }, side === undefined ? "" : `${side}: `, t("Asked: {label}", { label: withArticle(label) })),
      element("p", {}, t("Taken for: {what}", { what: takenFor(answer) }), points > 0 && side === undefined ? ` (${gained(points)})` : ""),
      box === null ? null : element("label", { class: "end-choice" }, box, t("Keep as {label}", { label })),
    );
    return { result, canvas, box, node };
  }

  /** Stores the chosen drawings one after the other; those that were stored are not stored again. */
  async function keepChosen() {
    if (chosen().length === 0) return setText(note, "");
    isBusy = true;
    showCount();
    const stored = [];
    try {
      for (const { result, box } of chosen()) {
        setText(note, t("Saving …"));
        stored.push({ box, drawing: await post("/api/drawings", { label: result.label, strokes: lines(result.drawing) }) });
        box.disabled = true;
      }
      return sayStored(stored);
    } catch (error) {
      return say(note, t("Kept {count}; the others could not be saved. {reason}", { count: stored.length, reason: explain(error) }), [t("Try again"), keepChosen]);
    } finally {
      isBusy = false;
      showCount();
    }
  }

  function sayStored(stored) {
    const { set } = stored[0].drawing;
    say(note, t("Kept {count} in “{set}”.", { count: stored.length, set }), [t("Undo"), () => forget(stored)]);
    note.append(" ", element("a", { href: withRoot(`/data?set=${encodeURIComponent(`drawings:${set}`)}`) }, t("See the set")));
  }

  async function forget(stored) {
    try {
      while (stored.length > 0) {
        const { box, drawing } = stored.at(-1);
        await remove(`/api/drawings/${drawing.id}`);
        stored.pop();
        box.disabled = false;
      }
      say(note, t("Deleted."));
    } catch (error) {
      say(note, t("It could not be deleted. {reason}", { reason: explain(error) }), [t("Try again"), () => forget(stored)]);
    }
    showCount();
  }

  button.addEventListener("click", keepChosen);
  onThemeChange(repaint);

  return function show({ title, text, results }) {
    setText(byId("end-title"), title);
    setText(byId("end-text"), text);
    setText(note, "");
    tiles = results.map(tileOf);
    list.replaceChildren(...tiles.map(({ node }) => node));
    byId("end-keep").hidden = tiles.every(({ box }) => box === null);
    showCount();
    byId("end").hidden = false;
    repaint();
    byId("end-title").focus();
  };
}
