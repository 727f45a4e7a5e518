// "It was a …": stores the labelled strokes in the user's own set.

import { explain, get, post, remove } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { t } from "../../i18n/translate.js";
import { byId, element, say, setText } from "../../lib/dom.js";
import { judge, withArticle } from "../../prediction/describe.js";

const PURPOSE = t("Wrong? Tap what it was. It is saved, so you can teach a network your handwriting.");
const HANDS_DIFFER = t("Hands differ. Tap what it was: from a few of each, “Make it mine” learns your hand.");

/**
 * Binds the row of labels. `subject()` returns `{strokes, part}`, `part` being its index among several or null;
 * or `{refusal}`, the reason why there is nothing to store, "" for an empty pad. `enough` drawings teach a model.
 */
export function createTeach(labels, { subject, enough }) {
  const row = byId("teach-labels");
  const title = byId("teach-title");
  const note = byId("teach-note");
  const other = byId("teach-other");
  const input = byId("teach-other-label");
  let subjectText = null; // of the drawing that the row and the note are about
  let stored = null; // {id, label} of that drawing
  let working = false;

  const tell = (text, ...actions) => say(note, text, ...actions);

  /** Updates the row when the drawing or the selected part may have changed; the note of the same drawing stays. */
  function reset() {
    const found = subject();
    const text = textOf(found);
    setText(title, found.part ? t("Part {number} was", { number: found.part }) : t("It was"));
    if (text === subjectText) return;
    subjectText = text;
    stored = null;
    tell(found.refusal || PURPOSE);
    note.toggleAttribute("data-quiet", true);
    mark();
    for (const control of [...row.querySelectorAll("button"), ...other.elements]) {
      control.disabled = found.strokes === undefined;
    }
  }

  /** Explains that a drawing which is two labels at once, by these probabilities, is worth a label. */
  function explainDoubt(probabilities) {
    if (note.hasAttribute("data-quiet") && subject().strokes !== undefined) tell(judge(probabilities).second === null ? PURPOSE : HANDS_DIFFER);
  }

  function mark() {
    for (const button of row.querySelectorAll("[data-teach]")) {
      button.setAttribute("aria-pressed", String(button.dataset.teach === stored?.label));
    }
  }

  async function teach(label, found = subject(), before = stored) {
    if (found.strokes === undefined || working || stored?.label === label) return;
    working = true;
    row.setAttribute("aria-busy", "true");
    note.removeAttribute("data-quiet");
    try {
      const drawing = await post("/api/drawings", { label, strokes: found.strokes });
      if (textOf(subject()) === textOf(found)) stored = { id: drawing.id, label: drawing.label };
      if (before !== null) await remove(`/api/drawings/${before.id}`);
      await showProgress(drawing);
    } catch (error) {
      tell(t("It could not be saved. {reason} Nothing is lost.", { reason: explain(error) }), [t("Try again"), () => teach(label, found, before)]);
    } finally {
      working = false;
      row.removeAttribute("aria-busy");
      mark();
    }
  }

  /** Says how many drawings there are, and leads to where they are learned. */
  async function showProgress(drawing) {
    const { sets } = await get(`/api/drawings?limit=1&set=${encodeURIComponent(drawing.set)}`);
    const count = sets.find(({ name }) => name === drawing.set)?.count ?? 1;
    const values = { label: withArticle(drawing.label), count, enough };
    const isReady = count >= enough;
    const words = isReady
      ? t("Saved as {label}: {count} drawings, enough to teach it your hand.", values)
      : t("Saved as {label}. {count} of {enough} to teach it your hand.", values);
    const ring = element("span", { class: "teach-ring", "aria-hidden": "true" });
    ring.style.setProperty("--done", Math.min(1, count / enough));
    const mine = element("a", { class: isReady ? "button accent" : null, href: withRoot(`/mine?set=${encodeURIComponent(drawing.set)}`) }, t("Teach it your hand"), " →");
    tell(words, [t("Undo"), () => forget(drawing)]);
    note.prepend(ring);
    note.append(" ", mine);
  }

  const textOf = ({ strokes, refusal }) => JSON.stringify([strokes, refusal]);

  async function forget(drawing) {
    try {
      await remove(`/api/drawings/${drawing.id}`);
      if (stored?.id === drawing.id) stored = null;
      tell(t("Deleted."));
    } catch (error) {
      tell(t("It could not be deleted. {reason}", { reason: explain(error) }), [t("Try again"), () => forget(drawing)]);
    }
    mark();
  }

  function useLabels(next) {
    const more = element("button", { type: "button", class: "teach-label", id: "teach-more", "aria-label": t("It was something else"), "aria-expanded": "false", "aria-controls": "teach-other" }, "…");
    more.addEventListener("click", () => {
      other.hidden = !other.hidden;
      more.setAttribute("aria-expanded", String(!other.hidden));
      if (!other.hidden) input.focus();
    });
    row.replaceChildren(...next.map(labelButton), more);
    subjectText = null;
    reset();
  }

  function labelButton(label) {
    const attributes = { type: "button", class: "teach-label", "data-teach": label, "aria-pressed": "false", "aria-label": t("It was {label}", { label: withArticle(label) }) };
    const button = element("button", attributes, label);
    button.addEventListener("click", () => teach(label));
    return button;
  }

  other.addEventListener("submit", (event) => {
    event.preventDefault();
    const label = input.value.trim();
    if (label !== "") teach(label);
  });
  useLabels(labels);

  return { reset, useLabels, explainDoubt };
}
