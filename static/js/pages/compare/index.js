// The comparison of runs, given in the address: their lines in one chart, and a table of differences.

import { explain, get, post } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { createChart } from "../../charts/chart.js";
import { styleAt } from "../../charts/series-style.js";
import { t } from "../../i18n/translate.js";
import { lineNames } from "../../labels/run-names.js";
import { confirmed } from "../../lib/dialog.js";
import { byId, setMessage, setText } from "../../lib/dom.js";
import { saveText } from "../../lib/save-file.js";
import { comparisonCsv } from "../../runs/csv.js";
import { createRunsList } from "../../runs/list/list.js";
import { METRICS, axisTitle } from "../../runs/metrics.js";
import { hasEnded } from "../../runs/run-state.js";
import { differing } from "../../labels/config-diff.js";
import { isRace, raceTitle, timeLeft, verdict } from "./race.js";
import { createStore } from "./store.js";
import { createCompareTable, metricOptions } from "./table.js";

const MOST_RUNS = 40; // of a chart; more could not be distinguished
const PAGE = 200;
const TABLE_MS = 200; // between updates of the table
const WHOLE_NUMBER = /^[1-9]\d{0,9}$/;

function startComparison() {
  const query = new URLSearchParams(location.search);
  const tag = query.get("tag");
  const ids = [...new Set((query.get("runs") ?? "").split(",").map((text) => text.trim()).filter((text) => WHOLE_NUMBER.test(text)))].map(Number);
  const controls = { metric: byId("compare-metric"), smoothing: byId("compare-smoothing") };
  const chart = createChart(byId("compare-chart"), { onZoom: setZoom });
  const whole = byId("compare-whole");
  const table = createCompareTable({ onToggle: toggle, onDrop: drop });
  const store = createStore((kind) => (kind === "rows" ? arrange() : render()));
  const hidden = new Set();
  let order = []; // the runs' numbers in the order of their styles
  let lines = [];
  let differences = [];
  let tableTimer = 0;
  let zoom = null; // [from, to] of the horizontal axis

  const measure = byId("paths-start");
  measure.addEventListener("click", async () => {
    measure.disabled = true;
    const { mountPaths } = await import("./paths.js");
    measure.hidden = await mountPaths(lines[0].row.race, lines);
    measure.disabled = false;
    if (measure.hidden) byId("paths-body").querySelector("canvas").focus();
  });

  controls.metric.replaceChildren(...metricOptions());
  const metric = query.get("metric");
  if (metric in METRICS) controls.metric.value = metric;

  /** Updates the lines and differences after runs were added, removed or changed. */
  function arrange() {
    const all = store.all();
    for (const { id } of all) if (!order.includes(id)) order.push(id);
    const sorted = [...all].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
    differences = differing(sorted.map(({ row }) => row.config));
    const names = lineNames(sorted.map(({ row }) => row), differences);
    lines = sorted.map((run, i) => ({ ...run, points: run.points, name: names[i], style: styleAt(order.indexOf(run.id)), isShown: !hidden.has(run.id) }));
    renderState(all);
    render();
  }

  function render() {
    const scale = document.querySelector("input[name=compare-scale]:checked").value;
    const axis = document.querySelector("input[name=compare-axis]:checked").value;
    const active = lines.filter(({ row, gone }) => !gone && !hasEnded(row));
    const lastX = Math.max(0, ...active.map(({ row, points }) => (points.length > 0 ? Math.min(row.config.epochs, points.at(-1).epoch * 4) : 0)));
    const metric = METRICS[controls.metric.value];
    chart.show({
      lines: lines.map(({ id, name, style, isShown, points }) => ({ id, name, style, isShown, x: points.map((point) => point[axis]), y: points.map((point) => point[controls.metric.value]) })),
      axis,
      lastX: axis === "epoch" ? lastX : 0,
      yTitle: axisTitle(metric),
      format: metric.format,
      order: metric.format.order,
      isLog: scale === "log",
      weight: Number(controls.smoothing.value),
      zoom,
      isNamed: true,
      empty: emptyText(lines),
    });
    whole.hidden = zoom === null;
    if (tableTimer === 0) tableTimer = setTimeout(showTable, TABLE_MS);
    setText(byId("compare-smoothing-value"), Number(controls.smoothing.value).toFixed(2));
    const empty = lines.every(({ points }) => points.length === 0);
    for (const id of ["compare-png", "compare-csv"]) byId(id).disabled = empty;
  }

  function showTable() {
    tableTimer = table.isPressed() ? setTimeout(showTable, TABLE_MS) : 0; // a button must stay while it is pressed
    if (tableTimer !== 0) return;
    table.show(lines, differences);
  }

  function renderState(all) {
    const working = all.filter(({ row, gone }) => !gone && !hasEnded(row));
    const running = working.filter(({ row }) => row.state === "running").length;
    const count = all.length === 0 ? "" : countText(all.length, working.length, running);
    setText(byId("compare-count"), [count, timeLeft(lines)].filter(Boolean).join(" · "));
    if (tag !== null) setText(byId("compare-title"), raceTitle(tag, lines));
    setMessage(byId("compare-verdict"), verdict(lines));
    byId("compare-paths").hidden = !isRace(lines) || working.length > 0;
    byId("compare-stop").hidden = !isRace(lines) || working.length === 0;
    setMessage(byId("compare-away"), all.some(({ lost }) => lost) ? t("Connection lost; the lines continue when the server is back.") : "");
    const missing = all.filter(({ gone }) => gone).map(({ id }) => `#${id}`);
    setMessage(byId("compare-gone"), missing.length > 0 ? t("Deleted: {runs}. The lines drawn so far stay.", { runs: missing.join(", ") }) : "");
  }

  function toggle(id) {
    if (hidden.has(id)) hidden.delete(id);
    else hidden.add(id);
    arrange();
  }

  /** Shows a part of the horizontal axis, or all of it for null. */
  function setZoom(range) {
    zoom = range;
    render();
  }

  /** Removes a run from the comparison and its address; the run itself stays. */
  function drop(id) {
    store.drop(id);
    hidden.delete(id);
    const url = new URL(location.href);
    url.searchParams.delete("tag");
    url.searchParams.set("runs", store.all().map((run) => run.id).join(","));
    history.replaceState(null, "", url);
    byId("compare-title").focus();
  }

  for (const control of document.querySelectorAll("#compare-controls input, #compare-controls select")) control.addEventListener("input", render);
  for (const choice of document.querySelectorAll("input[name=compare-axis]")) choice.addEventListener("input", () => setZoom(null));
  whole.addEventListener("click", () => {
    setZoom(null);
    byId("compare-chart").focus();
  });
  controls.metric.addEventListener("input", () => {
    const url = new URL(location.href);
    url.searchParams.set("metric", controls.metric.value);
    history.replaceState(null, "", url);
  });
  byId("compare-stop").addEventListener("click", async () => {
    const isSure = await confirmed({
      title: t("Stop all trainings of this race?"),
      text: t("Each ends where it is, and its curve stays."),
      action: t("Stop all"),
    });
    if (!isSure) return;
    const working = store.all().filter(({ row, gone }) => !gone && !hasEnded(row));
    const answers = await Promise.allSettled(working.map(({ id }) => post(`/api/runs/${id}/cancel`)));
    const refused = answers.find(({ status }) => status === "rejected");
    setMessage(byId("compare-note"), refused === undefined ? "" : explain(refused.reason));
  });
  byId("compare-png").addEventListener("click", () => chart.savePng(METRICS[controls.metric.value].title(), `${fileName(lines)}.png`));
  byId("compare-csv").addEventListener("click", () => saveText(comparisonCsv(lines), `${fileName(lines)}.csv`));

  async function load() {
    const note = byId("compare-note");
    const wait = (seconds) => setMessage(note, awayText(seconds));
    try {
      const rows = tag !== null ? await taggedRuns(tag, wait) : await namedRuns(ids, wait);
      setMessage(note, noteText(rows));
      order = rows.slice(0, MOST_RUNS).map(({ id }) => id);
      rows.slice(0, MOST_RUNS).forEach(store.add);
      if (rows.length === 0) arrange();
      return order;
    } catch (error) {
      setMessage(note, explain(error));
      arrange();
      return [];
    }
  }

  function noteText(rows) {
    if (rows.length > MOST_RUNS) return t("Showing the first {most} of {count} runs.", { most: MOST_RUNS, count: rows.length });
    if (tag !== null && rows.length === 0) return t("No run has the tag “{tag}”.", { tag });
    const missing = ids.filter((id) => !rows.some((row) => row.id === id));
    return tag === null && missing.length > 0 ? t("There is no run {runs}.", { runs: missing.join(", ") }) : "";
  }

  setText(byId("compare-title"), tag === null ? t("Compare runs") : tag);
  load().then((chosen) => {
    const list = createRunsList({ chosen });
    byId("compare-choose").open = chosen.length === 0;
    list.refresh();
    for (const name of ["datasets", "recipes"]) get(`/api/${name}`).then(list.know, () => {}); // names stay short without them
  });
}

function countText(all, working, running) {
  if (all === 1) return working === 0 ? t("1 run, done") : running === 1 ? t("1 run, training") : t("1 run, waiting");
  if (working === 0) return t("{count} runs, all done", { count: all });
  return t("{count} runs: {running} training, {waiting} waiting", { count: all, running, waiting: working - running });
}

function emptyText(lines) {
  if (lines.length === 0) return t("Choose runs below to see their curves here.");
  return lines.every(({ points }) => points.length === 0) ? t("The curves start after the first epoch.") : t("None of these runs has measured this.");
}

const fileName = (lines) => `compare-${lines.slice(0, 8).map(({ id }) => id).join("-")}`;

/** The existing runs with these numbers, in the order of the address. */
async function namedRuns(ids, wait) {
  const found = await Promise.all(
    ids.slice(0, MOST_RUNS).map((id) =>
      retryWhileAway(() => get(`/api/runs/${id}`), wait).catch((error) => {
        if (error.status === 404 || error.status === 422) return null;
        throw error;
      }),
    ),
  );
  return found.filter((row) => row !== null);
}

/** All runs with a tag, oldest first. */
async function taggedRuns(tag, wait) {
  const found = [];
  let before = "";
  for (;;) {
    const page = await retryWhileAway(() => get(`/api/runs?limit=${PAGE}${before}`), wait);
    found.push(...page.runs.filter(({ tags }) => (tags ?? []).includes(tag)));
    if (page.next === null) return found.reverse();
    before = `&before=${page.next}`;
  }
}

startComparison();
