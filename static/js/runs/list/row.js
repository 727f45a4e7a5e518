// A run's row in the list. Updates preserve its nodes, and so the focus and the selection.

import { withRoot } from "../../api/root.js";
import { ago, duration, moment, percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { runName } from "../../labels/run-names.js";
import { element, setText } from "../../lib/dom.js";
import { hasEnded } from "../run-state.js";
import { datasetTitle, stateWord } from "../text.js";
import { accuracyOf, secondsOf } from "./filter.js";

/** The headings of the columns, in order. */
export const headings = () => [t("Run"), t("Setup"), t("State"), t("Epochs"), t("Accuracy"), t("Time"), t("When")];

/** `{node, update(run, isChosen, {datasets, recipes})}`, with the callbacks `onChoose(id, on)`, `onTag(tag)`, `onEdit(run)` and `onDelete(id)`. */
export function createRow(first, { onChoose, onTag, onEdit, onDelete }) {
  const { id } = first;
  let run = first;
  let shown = "";
  const [, what, state, epochs, accuracy, time, when] = headings();
  const box = element("input", { type: "checkbox", "aria-label": t("Compare run {id}", { id }) });
  const name = element("span", { class: "run-what" });
  const data = element("span", { class: "run-data" });
  const tags = element("span", { class: "tags" });
  const note = element("span", { class: "run-note" });
  const chip = element("span", { class: "chip" });
  const cell = (heading, kind, ...children) => element("td", { role: "cell", class: `cell-${kind}`, "data-heading": heading }, ...children);
  const epochsCell = cell(epochs, "epochs");
  const accuracyCell = cell(accuracy, "accuracy");
  const timeCell = cell(time, "time");
  const date = element("time", {});
  const edit = element("button", { class: "quiet", type: "button", "aria-label": t("Tags and note of run {id}", { id }) }, t("Tag"));
  const deletion = element("button", { class: "quiet", type: "button", "aria-label": t("Delete run {id}", { id }) }, t("Delete"));
  const node = element(
    "tr",
    { role: "row", "data-run": id },
    cell(t("Compare"), "choice", element("label", { class: "choice" }, box)),
    cell(t("Run"), "run", element("a", { href: withRoot(`/runs/${id}`) }, t("Run {id}", { id }))),
    cell(what, "what", name, " ", data, tags, note),
    cell(state, "state", chip),
    epochsCell,
    accuracyCell,
    timeCell,
    cell(when, "when", date),
    cell(t("Change"), "actions", edit, deletion),
  );

  box.addEventListener("change", () => onChoose(id, box.checked));
  edit.addEventListener("click", () => onEdit(run));
  deletion.addEventListener("click", () => onDelete(id));
  tags.addEventListener("click", ({ target }) => {
    if (target.matches("button")) onTag(target.textContent);
  });

  function update(next, isChosen, { datasets, recipes }) {
    run = next;
    box.checked = isChosen;
    setText(date, ago(run.created));
    setText(timeCell, run.started === null ? "–" : duration(secondsOf(run)));
    const key = JSON.stringify([run, datasets.length, recipes.length]);
    if (key === shown) return;
    shown = key;
    const { config } = run;
    const recipe = recipes.find((one) => one.name === config.recipe)?.config;
    setText(name, runName(config, recipe) ?? t("custom settings"));
    name.title = config.recipe ?? "";
    setText(data, datasetTitle(config.dataset, datasets));
    chip.dataset.state = run.state;
    setText(chip, stateWord(run.state));
    setText(epochsCell, epochsText(run));
    setText(accuracyCell, percent(accuracyOf(run), 2));
    date.setAttribute("datetime", run.created);
    date.title = moment(run.created);
    setText(note, run.note ?? "");
    note.title = run.note ?? "";
    const names = run.tags ?? [];
    if (JSON.stringify([...tags.children].map(({ textContent }) => textContent)) !== JSON.stringify(names)) {
      tags.replaceChildren(...names.map((tag) => element("button", { class: "tag", type: "button", title: t("Show only runs with this tag") }, tag)));
    }
    deletion.disabled = !hasEnded(run);
    deletion.title = hasEnded(run) ? "" : t("It is still running: cancel it first.");
  }

  return { node, update };
}

function epochsText({ config, metrics, progress, state }) {
  const done = metrics?.epoch ?? (state === "succeeded" ? config.epochs : (progress?.epoch ?? 0));
  return done === config.epochs ? String(done) : t("{done} of {all}", { done, all: config.epochs });
}
