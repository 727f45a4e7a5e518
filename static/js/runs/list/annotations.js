// The dialog to edit the tags and the note of a run, which the server stores.

import { call, explain } from "../../api/client.js";
import { t } from "../../i18n/translate.js";
import { openForm } from "../../lib/dialog.js";
import { element, setText } from "../../lib/dom.js";
import { parseTags } from "./filter.js";

const LONGEST_NOTE = 2000; // the server's limit

/** Opens the dialog; resolves to the run from the server, or null if nothing was changed. */
export async function editAnnotations(run, knownTags) {
  const tags = element("input", { id: "remarks-tags", value: (run.tags ?? []).join(", "), autocomplete: "off", "aria-describedby": "remarks-tags-note", autofocus: true });
  const note = element("textarea", { id: "remarks-note", rows: 4, maxlength: LONGEST_NOTE });
  note.value = run.note ?? "";
  const error = element("p", { class: "field-error", role: "alert" });
  const save = element("button", { class: "button strong", value: "save" }, t("Save"));
  const { dialog, answered } = openForm({
    kind: "remarks",
    title: t("Run {id}: tags and note", { id: run.id }),
    fields: [
      element("div", { class: "field" }, element("label", { for: "remarks-tags" }, t("Tags")), tags, element("p", { class: "field-note", id: "remarks-tags-note" }, t("short words, separated by commas, to find runs again"))),
      knownTags.length === 0 ? null : suggestions(knownTags, tags),
      element("div", { class: "field" }, element("label", { for: "remarks-note" }, t("Note")), note),
      error,
    ],
    buttons: [save, element("button", { class: "button", value: "", formnovalidate: true }, t("Leave unchanged"))],
    layout: "reversed",
  });
  let changed = null;
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    if (event.submitter !== save) return;
    event.preventDefault();
    save.disabled = true;
    setText(error, "");
    try {
      changed = await call("PATCH", `/api/runs/${run.id}`, { body: { tags: parseTags(tags.value), note: note.value } });
      dialog.close();
    } catch (failure) {
      setText(error, explain(failure));
    }
    save.disabled = false;
  });
  await answered;
  return changed;
}

/** The tags of other runs, to be toggled. */
function suggestions(known, input) {
  const buttons = known.slice(0, 12).map((tag) => {
    const button = element("button", { class: "tag", type: "button" }, tag);
    const mark = () => button.setAttribute("aria-pressed", String(parseTags(input.value).includes(tag)));
    button.addEventListener("click", () => {
      const now = parseTags(input.value);
      input.value = (now.includes(tag) ? now.filter((one) => one !== tag) : [...now, tag]).join(", ");
      mark();
    });
    input.addEventListener("input", mark);
    mark();
    return button;
  });
  return element("div", { class: "tag-choice", role: "group", "aria-label": t("Tags of other runs") }, ...buttons);
}
