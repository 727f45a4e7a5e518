// The user's own drawings of one set: listed, relabelled, deleted and restored.

import { call, explain, get, post, remove } from "../../api/client.js";
import { moment } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";

const PAGE = 200;

/** `again()` reloads the set. */
export function createOwn(page, { again }) {
  let next = null;

  async function load(set, label, before) {
    const query = new URLSearchParams({ set, limit: PAGE, pixels: true });
    if (label !== null) query.set("label", label);
    if (before !== null) query.set("before", before);
    const answer = await get(`/api/drawings?${query}`);
    next = answer.next;
    return answer;
  }

  /** `{pictures, total, counts, more}` of a set and a label (null: all labels). */
  async function fetch(set, label) {
    const answer = await load(set, label, null);
    const counts = answer.sets.find(({ name }) => name === set)?.labels ?? {};
    const total = label === null ? Object.values(counts).reduce((sum, one) => sum + one, 0) : (counts[label] ?? 0);
    const damaged = answer.damaged.filter((one) => one.set === set).length;
    if (damaged > 0) page.complain(damaged === 1 ? t("One damaged file of this data set was skipped.") : t("{count} damaged files of this data set were skipped.", { count: damaged }));
    return { pictures: answer.drawings, total, counts, more: next !== null };
  }

  /** `{pictures, more}`: the next drawings, and whether more follow. */
  async function more({ set, label }) {
    if (next === null) return { pictures: [], more: false };
    const { drawings } = await load(set.slice(set.indexOf(":") + 1), label, next);
    return { pictures: drawings, more: next !== null };
  }

  async function changed(text, ...actions) {
    await page.refresh();
    await again();
    page.say(text, ...actions);
  }

  async function relabel(drawing, label) {
    try {
      const now = await call("PATCH", `/api/drawings/${drawing.id}`, { body: { label } });
      if (now.label === drawing.label) return;
      await changed(t("Changed to {label}.", { label: now.label }), [t("Undo"), () => attempt(() => relabel(now, drawing.label))]);
    } catch (failure) {
      throw new Error(explain(failure), { cause: failure });
    }
  }

  const removeDrawing = (drawing) =>
    attempt(async () => {
      await remove(`/api/drawings/${drawing.id}`);
      await changed(t("A drawing of {label} was deleted.", { label: drawing.label }), [t("Undo"), () => restore(drawing)]);
    });

  const restore = ({ label, strokes, set }) =>
    attempt(async () => {
      await post("/api/drawings", { label, strokes, set });
      await changed(t("The drawing is back."));
    });

  async function attempt(task) {
    page.complain("");
    try {
      await task();
    } catch (failure) {
      page.complain(explain(failure));
    }
  }

  const textOf = ({ created }) =>
    created === undefined ? t("28 × 28 pixels, as a network sees it.") : t("As a network sees it; drawn {time}.", { time: moment(created) });

  return { fetch, more, relabel, remove: removeDrawing, textOf };
}
