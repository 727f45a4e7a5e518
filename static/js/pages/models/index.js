// The stored models: a card for each, with its actions.

import { BACK, explain, get, post, Refused, remove, ServerAway } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { withRoot } from "../../api/root.js";
import { ago, bytes, count, moment, percent } from "../../i18n/format.js";
import { t, tParts } from "../../i18n/translate.js";
import { metricName } from "../../labels/config-labels.js";
import { runName } from "../../labels/run-names.js";
import { datasetTitle, recipeTitle } from "../../labels/titles.js";
import { askText, confirmed } from "../../lib/dialog.js";
import { byId, element, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { evidenceTables, mineNote, mineSentence } from "../../models/measurements.js";
import { chooseDefault } from "../../models/set-default.js";

const MOST_LABELS = 12;
const MANY = 5; // models: fewer need no search
const accuracyOf = ({ metrics = {} }) => metrics.test_accuracy ?? metrics.val_accuracy ?? -1;
const ORDERS = {
  newest: (a, b) => (b.created ?? "").localeCompare(a.created ?? ""),
  name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
  best: (a, b) => accuracyOf(b) - accuracyOf(a),
};
const LONGEST_NAME = 64;

function startModelsPage() {
  const place = byId("models-list");
  const requests = createLatest();

  let answer = null;
  const runs = new Map(); // of the models' trainings, by number: what their names say

  const search = byId("models-search");
  const order = byId("models-order");
  for (const control of [search, order]) control.addEventListener("input", () => answer !== null && render());

  function render() {
    byId("models-bar").hidden = answer.models.length < MANY;
    if (answer.models.length === 0) return show(emptyState());
    const named = answer.models.map((model) => ({ ...model, title: runs.get(model.run) ?? null }));
    const words = search.value.trim().toLowerCase();
    const found = named.filter(({ name, title, network = "" }) => [name, title ?? "", network].some((text) => text.toLowerCase().includes(words)));
    if (found.length === 0) return show(element("p", { class: "soft" }, t("No model has this in its name.")));
    show(cards({ models: found.sort((a, b) => (b.name === answer.default) - (a.name === answer.default) || ORDERS[order.value](a, b)), default: answer.default }, act));
  }

  /** Names the models of trainings by what differs from their recipe: "Quick · Adam 0.001". */
  async function nameByRuns() {
    const wanted = answer.models.map(({ run }) => run).filter((run) => run && !runs.has(run));
    if (wanted.length === 0) return;
    try {
      const [{ runs: rows }, { recipes }] = await Promise.all([get("/api/runs?limit=200"), get("/api/recipes")]);
      for (const { id, config } of rows) runs.set(id, runName(config, recipes.find(({ name }) => name === config.recipe)?.config));
      for (const run of wanted) if (!runs.has(run)) runs.set(run, null); // older, or deleted
    } catch {
      // the names of the models are enough
    }
  }

  /** Replaces the cards; unfolded parts stay open, and the focus stays in place. */
  function show(cardsOrNone) {
    const unfolded = new Set([...place.querySelectorAll("details[open] > summary")].map(nameOf));
    const focused = place.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    place.replaceChildren(cardsOrNone);
    for (const summary of place.querySelectorAll("details > summary")) summary.parentElement.open = unfolded.has(nameOf(summary));
    if (focused !== null) [...place.querySelectorAll("a, button, summary, h2")].find((node) => nameOf(node) === focused)?.focus({ preventScroll: true });
  }

  async function refresh() {
    const signal = requests.begin();
    try {
      const found = await retryWhileAway(() => get("/api/models"), (seconds) => {
        if (!signal.aborted) place.replaceChildren(element("p", { class: "soft models-wait", role: "status" }, awayText(seconds)));
      });
      if (!signal.aborted) {
        answer = found;
        await nameByRuns();
        render();
        place.removeAttribute("aria-busy"); // what is hidden takes no focus
        showAddressed();
      }
    } catch (error) {
      place.replaceChildren();
      setText(byId("models-error"), explain(error));
    }
    place.removeAttribute("aria-busy");
  }

  /** Goes to the model in the address, once. */
  function showAddressed() {
    const name = decodeURIComponent(location.hash.slice(1));
    const card = name === "" ? undefined : [...place.querySelectorAll("[data-model]")].find(({ dataset }) => dataset.model === name);
    if (card === undefined) return;
    history.replaceState(null, "", location.pathname + location.search);
    card.scrollIntoView({ block: "center" });
    card.querySelector("h2").focus({ preventScroll: true });
  }

  /** Runs an action on a model, reloads the list and shows a message; `focus()` is the model to focus. */
  async function act(task, done, focus = () => null) {
    setText(byId("models-error"), "");
    try {
      await task();
      setText(byId("models-spoken"), typeof done === "function" ? done() : done);
    } catch (error) {
      setText(byId("models-error"), explain(error));
    }
    await refresh();
    const focused = focus();
    const card = [...place.querySelectorAll("[data-model]")].find(({ dataset }) => dataset.model === focused);
    (card?.querySelector("h2") ?? byId("models-title")).focus();
  }

  byId("import-open").addEventListener("click", () => byId("import-file").click());
  byId("import-file").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file === undefined) return;
    byId("import-open").disabled = true;
    let name = null;
    await act(
      async () => {
        ({ name } = await sent(file));
      },
      t("Model imported."),
      () => name,
    );
    byId("import-open").disabled = false;
  });

  window.addEventListener(BACK, refresh);
  refresh();
}

/** The key of an element across a reload of the list: its model, its tag and its text. */
const nameOf = (node) => JSON.stringify([node.closest("[data-model]")?.dataset.model, node.tagName, node.textContent]);

/** Uploads a model, a zip or an ONNX file; resolves to its card. */
async function sent(file) {
  let response;
  try {
    response = await fetch(withRoot("/api/models"), { method: "POST", headers: { "content-type": /\.onnx$/i.test(file.name) ? "application/onnx" : "application/zip", accept: "application/json" }, body: file });
  } catch {
    throw new ServerAway();
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Refused(response.status, answer?.error ?? t("The server answered with status {status}.", { status: response.status }));
  return answer;
}

const emptyState = () =>
  element(
    "div",
    { class: "card blank-slate" },
    element("h2", {}, t("No models yet")),
    element("p", { class: "soft" }, t("Networks that you train appear here when they are done.")),
    element("p", {}, element("a", { class: "button accent", href: withRoot("/train") }, t("Train a network"))),
  );

const cards = ({ models, default: chosen }, act) =>
  element("ul", { class: "model-list" }, ...[...models].sort((a, b) => Boolean(a.for_teaching) - Boolean(b.for_teaching)).map((model) => card(model, model.name === chosen, act)));

const address = ({ name }) => `/api/models/${encodeURIComponent(name)}`;

function card(model, isDefault, act) {
  return element(
    "li",
    { class: "card model", "data-model": model.name },
    element(
      "div",
      { class: "model-head" },
      element("h2", { tabindex: "-1" }, model.name),
      isDefault ? element("span", { class: "badge" }, t("default")) : null,
      model.shipped ? element("span", { class: "badge quiet-badge" }, t("comes with digitpad")) : null,
      model.for_teaching ? element("span", { class: "badge quiet-badge" }, t("for teaching")) : null,
    ),
    model.title ? element("p", { class: "model-title" }, model.title) : null,
    model.for_teaching ? element("p", { class: "field-note" }, ...tParts("Small and simple on purpose: {page} starts with it.", { page: element("a", { href: withRoot("/learn/inside") }, t("Look inside")) })) : null,
    model.available ? facts(model) : element("p", { class: "model-reason" }, t("It cannot be used: {reason}", { reason: model.reason })),
    actions(model, isDefault, act),
  );
}

function facts(model) {
  return element(
    "div",
    { class: "model-facts" },
    element("p", { class: "model-accuracy" }, ...accuracy(model.metrics ?? {})),
    element(
      "dl",
      {},
      ...fact(t("Network"), model.network),
      ...fact(t("Size"), t("{parameters} parameters, {bytes}", { parameters: count(model.parameters), bytes: bytes(model.bytes) })),
      ...fact(t("Labels"), labelsText(model.labels)),
      ...fact(t("Data set"), titled(model.dataset, datasetTitle)),
      ...fact(t("Recipe"), titled(model.recipe, recipeTitle)),
      ...fact(t("Created"), whenAndWhere(model)),
    ),
    evidence(model),
    provenance(model),
  );
}

function accuracy({ test_accuracy: test, val_accuracy: validation }) {
  const number = (share) => element("strong", {}, percent(share, 2));
  if (test !== undefined) return tParts("{accuracy} of the test images", { accuracy: number(test) });
  if (validation !== undefined) return tParts("{accuracy} of the validation images", { accuracy: number(validation) });
  return [t("Its accuracy was not measured.")];
}

/** Its further evaluations: before and after personalization, and on images unlike MNIST. */
function evidence({ mine, sources = [], robustness = [], seeds = [] }) {
  const parts = [];
  if (mine) parts.push(element("p", {}, mineSentence(mine)), element("p", { class: "field-note" }, mineNote(mine)));
  const tables = evidenceTables({ mine, sources, robustness, seeds });
  if (tables.length > 0) parts.push(element("details", { class: "model-more" }, element("summary", {}, t("What was measured")), ...tables));
  return parts.length > 0 ? element("div", { class: "model-evidence" }, ...parts) : null;
}

/** Its origin in detail, folded. */
function provenance({ metrics = {}, seed, software = {} }) {
  const numbers = Object.entries(metrics).map(([name, value]) => [metricName(name), /accuracy/.test(name) ? percent(value, 2) : String(Number(value.toFixed(5)))]);
  const made = Object.entries(software).map(([name, version]) => `${name} ${version}`).join(", ");
  return element(
    "details",
    { class: "model-more" },
    element("summary", {}, t("Details")),
    element("dl", {}, ...numbers.flatMap(([name, value]) => fact(name, value)), ...fact(t("Random seed"), seed === undefined ? null : String(seed)), ...fact(t("Created by"), made)),
  );
}

const fact = (term, value) => (value ? [element("div", {}, element("dt", {}, term), element("dd", {}, value))] : []);

/** A title with the name as a tooltip. */
const titled = (name, titleOf) => (name ? element("span", { title: name }, titleOf(name)) : null);

const labelsText = (labels) =>
  labels.length <= MOST_LABELS ? labels.join(" ") : t("{labels} and {more} more", { labels: labels.slice(0, MOST_LABELS).join(" "), more: labels.length - MOST_LABELS });

function whenAndWhere({ created, run }) {
  if (!created) return null;
  const time = element("time", { datetime: created, title: moment(created) }, ago(created));
  if (!run) return time;
  return element("span", {}, ...tParts("{time} by {run}", { time, run: element("a", { href: withRoot(`/runs/${run}`) }, t("run {number}", { number: run })) }));
}

function actions(model, isDefault, act) {
  const row = element("div", { class: "model-actions" });
  const others = element("div", { class: "model-others" });
  if (model.available) {
    row.append(
      element("a", { class: "button strong", href: withRoot(`/?model=${encodeURIComponent(model.name)}`) }, t("Use on the pad")),
      element("a", { class: "button", href: withRoot(`/models/${encodeURIComponent(model.name)}/judge`) }, t("Evaluate")),
    );
    others.append(
      element("a", { class: "quiet", href: withRoot(`/models/${encodeURIComponent(model.name)}/map`) }, t("Map")),
      element("a", { class: "quiet", href: withRoot(`/train?start=${encodeURIComponent(model.name)}`) }, t("Fine-tune")),
      element("a", { class: "quiet", href: withRoot(`/mine?model=${encodeURIComponent(model.name)}`) }, t("Make it mine")),
    );
    if (!isDefault) {
      const choose = () => {
        let chosen = false;
        const task = async () => {
          chosen = await chooseDefault(model.name);
        };
        return act(task, () => (chosen ? t("{name} is now the default.", { name: model.name }) : ""), () => model.name);
      };
      others.append(button(t("Make default"), choose));
    }
    others.append(download(model, "zip", t("Download")));
    if (!model.shipped) others.append(button(t("Rename"), () => renameModel(model, act)));
  }
  if (!model.shipped) others.append(button(t("Delete"), () => deleteModel(model, act)));
  row.append(others);
  if (model.available) row.append(exports(model));
  return row;
}

const download = (model, format, words) =>
  element("a", { class: "quiet", href: withRoot(`${address(model)}/download?format=${format}`), download: true, title: DOWNLOADS[format] }, words);

const DOWNLOADS = {
  zip: t("The whole model as a zip, for “Import a model”"),
  html: t("A single page that draws and reads by itself, without a server"),
  js: t("A module that a page imports, without a server"),
  onnx: t("For ONNX Runtime and other programs"),
  keras: t("The weights for Keras, and a program that builds the model"),
  npz: t("The weights and the network's description, for plain NumPy"),
  safetensors: t("Only the weights, as safetensors"),
  card: t("Only the model card, as JSON"),
};

/** The export formats, folded. */
function exports(model) {
  const choices = [
    ["html", t("HTML")],
    ["js", t("JavaScript")],
    ["onnx", t("ONNX")],
    ["keras", t("Keras")],
    ["npz", t("NumPy")],
    ["safetensors", t("Weights")],
    ["card", t("Card")],
  ];
  const line = ([format, words]) => element("li", {}, download(model, format, words), element("span", { class: "soft" }, DOWNLOADS[format]));
  return element("details", { class: "model-more" }, element("summary", {}, t("Export")), element("ul", { class: "model-formats" }, ...choices.map(line)));
}

function button(text, action) {
  const node = element("button", { class: "quiet", type: "button" }, text);
  node.addEventListener("click", action);
  return node;
}

async function renameModel(model, act) {
  const name = await askText({
    title: t("Rename {name}", { name: model.name }),
    text: t("Lower-case letters a to z, digits, dots and dashes."),
    label: t("New name"),
    value: model.name,
    most: LONGEST_NAME,
    pattern: "[a-z0-9][a-z0-9._\\-]*",
    action: t("Rename"),
  });
  if (!name || name === model.name) return;
  let renamed = model.name;
  await act(
    async () => {
      ({ name: renamed } = await post(`${address(model)}/rename`, { name }));
    },
    t("Renamed {old} to {new}.", { old: model.name, new: name }),
    () => renamed,
  );
}

async function deleteModel(model, act) {
  const sure = await confirmed({
    title: t("Delete {name}?", { name: model.name }),
    text: t("What it has learned will be lost; you would have to train it again."),
    action: t("Delete"),
  });
  if (sure) await act(() => remove(address(model)), t("{name} was deleted.", { name: model.name }));
}

startModelsPage();
