// The table of differences and results of the compared runs, sortable by any column.

import { withRoot } from "../../api/root.js";
import { createSample } from "../../charts/series-style.js";
import { count, duration, loss, percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { settingName } from "../../labels/config-labels.js";
import { byId, element, setText } from "../../lib/dom.js";
import { METRICS } from "../../runs/metrics.js";
import { hasEnded } from "../../runs/run-state.js";
import { stateWord } from "../../runs/text.js";

/** The columns of results: `value` of a line is for sorting, `text` for display; `best` is the better end. */
const RESULTS = [
  { key: "state", name: () => t("state"), value: ({ row }) => row.state, text: (state) => stateWord(state) },
  { key: "epochs", name: () => t("epochs done"), value: ({ points }) => points.at(-1)?.epoch ?? 0, text: count },
  { key: "best", name: () => t("best validation accuracy"), value: ({ points }) => best(points, "val_accuracy"), text: (v) => percent(v, 2), best: "high" },
  { key: "train", name: () => t("last training loss"), value: ({ points }) => points.at(-1)?.train_loss, text: loss, best: "low" },
  { key: "val", name: () => t("last validation loss"), value: ({ points }) => points.at(-1)?.val_loss, text: loss, best: "low" },
  { key: "test", name: () => t("test accuracy"), value: ({ row }) => row.test_accuracy, text: (v) => percent(v, 2), best: "high" },
  { key: "time", name: () => t("training time"), value: ({ points }) => points.at(-1)?.elapsed, text: duration, best: "low" },
];

/** Binds the table; `show(lines, differences)`; `onToggle(id)` and `onDrop(id)` get a line to toggle or to remove. */
export function createCompareTable({ onToggle, onDrop }) {
  const place = byId("compare-table");
  let order = null; // {column, isDown}
  let lines = [];
  let differences = [];
  let shown = "";

  function show(nextLines, nextDifferences) {
    [lines, differences] = [nextLines, nextDifferences];
    place.hidden = lines.length === 0;
    const columns = columnsOf();
    const key = JSON.stringify([columns.map(({ name }) => name()), lines.map((line) => [line.id, line.isShown, line.gone, columns.map((column) => column.text(column.value(line)))]), order]);
    if (key === shown) return;
    shown = key;
    render(columns);
  }

  function columnsOf() {
    const settings = differences.map(({ path, values }) => ({
      key: `config.${path}`,
      name: () => settingName(path),
      value: (line) => values[lines.indexOf(line)],
      text: String,
      isSetting: true,
    }));
    return [...settings, ...RESULTS];
  }

  function render(columns) {
    const focused = focusKey();
    const sorted = [...lines];
    const by = columns.find(({ key }) => key === order?.column);
    if (by !== undefined) sorted.sort((a, b) => compared(by.value(a), by.value(b)) * (order.isDown ? -1 : 1));
    const winners = new Map(columns.filter(({ best: end }) => end).map((column) => [column.key, winner(column)]));
    const head = element(
      "tr",
      {},
      element("th", { scope: "col" }, t("Run")),
      ...columns.map((column) => heading(column)),
      element("th", { scope: "col" }, element("span", { class: "visually-hidden" }, t("Remove"))),
    );
    const rows = sorted.map((line) => rowOf(line, columns, winners));
    byId("compare-head").replaceChildren(head);
    byId("compare-rows").replaceChildren(...rows);
    setText(byId("compare-same"), sameText());
    if (focused !== null) place.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  const focusKey = () => (place.contains(document.activeElement) ? (document.activeElement.dataset.focus ?? null) : null);

  function sameText() {
    if (lines.length < 2) return "";
    return differences.length === 0 ? t("All settings of these runs are the same.") : t("All other settings are the same.");
  }

  function heading(column) {
    const isBy = order?.column === column.key;
    const button = element("button", { type: "button", "data-focus": `sort ${column.key}` }, column.name());
    button.addEventListener("click", () => {
      if (!isBy) order = { column: column.key, isDown: column.best === "high" };
      else if (order.isDown === (column.best === "high")) order = { column: column.key, isDown: !order.isDown };
      else order = null;
      redraw();
    });
    const sort = isBy ? (order.isDown ? "descending" : "ascending") : "none";
    return element("th", { scope: "col", "aria-sort": sort, class: column.isSetting ? "setting" : "result" }, button);
  }

  let redraw = () => {};

  function winner(column) {
    const values = lines.map((line) => column.value(line)).filter(Number.isFinite);
    if (values.length < 2 || lines.some(({ row, gone }) => !gone && !hasEnded(row))) return null;
    return column.best === "high" ? Math.max(...values) : Math.min(...values);
  }

  function rowOf(line, columns, winners) {
    const toggle = element("button", { type: "button", class: "line-toggle", "aria-pressed": String(line.isShown), "data-focus": `toggle ${line.id}`, title: line.isShown ? t("Hide its line") : t("Show its line") }, createSample(line.style), line.name);
    toggle.addEventListener("click", () => onToggle(line.id));
    const drop = element("button", { type: "button", class: "quiet", "aria-label": t("Remove run {id} from the comparison", { id: line.id }), "data-focus": `drop ${line.id}` }, "×");
    drop.addEventListener("click", () => onDrop(line.id));
    return element(
      "tr",
      { "data-line": line.id },
      element("th", { scope: "row" }, toggle, element("a", { href: withRoot(`/runs/${line.id}`), "data-focus": `open ${line.id}`, "aria-label": t("Open run {id}", { id: line.id }) }, t("open"))),
      ...columns.map((column) => {
        const value = column.value(line);
        const isBest = winners.get(column.key) === value && Number.isFinite(value);
        const text = column.text(value);
        return element("td", { class: column.isSetting ? "setting" : "result", "data-column": column.key }, ...(isBest ? [element("strong", { title: t("best") }, text), element("span", { class: "visually-hidden" }, ` ${t("best")}`)] : [text]));
      }),
      element("td", {}, drop),
    );
  }

  let pressed = false;
  place.addEventListener("pointerdown", () => (pressed = true));
  for (const kind of ["pointerup", "pointercancel"]) window.addEventListener(kind, () => (pressed = false));

  return {
    isPressed: () => pressed,
    show(nextLines, nextDifferences) {
      redraw = () => show(lines, differences);
      show(nextLines, nextDifferences);
    },
  };
}

function best(points, metric) {
  let found = NaN;
  for (const point of points) if (!(point[metric] <= found) && Number.isFinite(point[metric])) found = point[metric];
  return found;
}

/** Compares numbers by value, texts naturally; unknown values come last in ascending order. */
function compared(a, b) {
  const [left, right] = [number(a), number(b)];
  if (left !== null && right !== null) return left - right;
  if (left !== null || right !== null) return left !== null ? -1 : 1;
  return String(a ?? "").localeCompare(String(b ?? ""), undefined, { numeric: true });
}

function number(value) {
  if (value === null || value === undefined || value === "" || typeof value === "boolean") return null;
  return Number.isFinite(Number(value)) ? Number(value) : null;
}

/** The metrics as options of a select. */
export const metricOptions = () => Object.entries(METRICS).map(([value, { title }]) => element("option", { value }, title()));
