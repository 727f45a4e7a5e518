// The setup of a training: a recipe, a data set, the settings, their cost, and the start button.

import { BACK, explain, get, post } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { withRoot } from "../../api/root.js";
import { count, epochsText, roughly, clauses, sentences } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { titleOf, datasetTitle } from "../../labels/titles.js";
import { byId, element, setText } from "../../lib/dom.js";
import { fieldError, setupLine, completeConfig } from "./config.js";
import { setupFrom, setupParameters } from "./config-url.js";
import { createEstimator } from "./estimate.js";
import { createSettingsForm } from "./form.js";
import { createStartChoice } from "./initial-weights.js";
import { aboutRecipe, recipeList } from "./recipe-list.js";
import { createSweep } from "./sweep.js";

const KEPT_IN_ADDRESS = ["run"];
const PLAIN = new Set(["run", "recipe", "dataset", "layers", "optimizer", "batch_size", "epochs"]); // not behind "More settings"
const UNFIT = 422; // the status of an invalid setup

/** Loads the options and runs the form; `onStarted(run)` is called with a new run. */
export async function startSetup({ onStarted }) {
  const form = byId("setup");
  const start = byId("start");
  const alert = byId("form-error");
  const wait = byId("recipes-wait");
  const dataset = byId("dataset");
  const startFrom = byId("start-from");
  let known;
  try {
    const load = () => Promise.all(["recipes", "datasets", "models", "schema"].map((name) => get(`/api/${name}`)));
    known = await retryWhileAway(load, (seconds) => setText(wait, awayText(seconds)));
  } catch (failure) {
    setText(wait, explain(failure));
    byId("recipes").removeAttribute("aria-busy");
    return null;
  }
  const [{ recipes }, { datasets }, { models }, schema] = known;
  byId("recipes").removeAttribute("aria-busy");
  if (recipes.length === 0) {
    setText(wait, t("The server has no recipes."));
    return null;
  }

  let recipe = recipes[0];
  let config = recipe.config;
  let refused = null; // {path, message}: the server's error of the current setup
  let reading = null; // a promise while the server is asked for the line of a set
  const unreadable = new Set(); // the names of sets that it has refused
  let unstartable = null; // the config that the server has just refused to start; an estimate would not show why
  const settings = createSettingsForm({ schema, onConfig: take, onText: review });
  const startChoice = createStartChoice(startFrom, models);
  const reviewSweep = createSweep({ range: schema.sweep[0], current: ({ go }) => (settings.review(refused, { go }) ? null : currentConfig()) });
  const askCost = createEstimator({ onAnswer: showCost, onRefused: refuse, onAway: () => showCost(null) });

  byId("recipes").replaceChildren(...recipeList(recipes));
  dataset.replaceChildren(...datasets.map(({ name, title }) => element("option", { value: name }, titleOf({ name, title }))));
  dataset.disabled = false;

  const chosenSet = () => datasets.find(({ name }) => name === config.dataset);
  const isRead = () => !["unread", undefined].includes(chosenSet()?.state);
  const labels = () => chosenSet()?.labels?.length || undefined;
  const currentConfig = () => completeConfig(recipe, config, labels());

  /** Shows a setup, based on a recipe, in the whole form. */
  function put(next, nextRecipe) {
    recipe = nextRecipe;
    config = next;
    form.querySelector(`input[name=recipe][value="${CSS.escape(recipe.name)}"]`).checked = true;
    showRecipe();
    if (![...dataset.options].some(({ value }) => value === config.dataset)) dataset.append(element("option", { value: config.dataset }, datasetTitle(config.dataset))); // several in one, or one that the server alone knows
    dataset.value = config.dataset;
    settings.fill(config, recipe.config);
    settings.knowLabels(labels() ?? null, currentConfig());
    startFrom.value = config.start?.model ?? "";
    refused = null;
    review();
  }

  const showRecipe = () => byId("recipe-about").replaceChildren(...aboutRecipe(recipe, completeConfig(recipe, recipe.config, labels())));

  /** Takes a changed config from the fields. */
  function take(next) {
    config = next;
    refused = null;
    setText(alert, "");
    review();
    writeAddress();
  }

  /** Updates the notes, the errors, the line of the settings and the cost. */
  function review() {
    const model = startChoice.review(chosenSet());
    settings.lockNetwork(model !== null);
    setText(byId("dataset-note"), datasetNote(chosenSet()));
    setText(byId("hidden-layers-note"), model === null ? t("neurons of each layer, such as “128, 64”; empty for none") : t("the network is the model’s and cannot be changed"));
    const shown = model === null ? setupLine(currentConfig()) : `${t("the network of “{model}”", { model: model.name })} · ${epochsText(config.epochs)}`;
    settings.setLine(shown);
    if (!start.hasAttribute("data-busy")) setText(start, model === null ? t("Start training") : t("Start fine-tuning"));
    byId("reset-settings").disabled = setupParameters(recipe, currentConfig()).every(([key]) => ["recipe", "dataset"].includes(key));
    byId("see-augmentation").href = withRoot(`/augmentation?${new URLSearchParams({ recipe: recipe.name, augmentation: JSON.stringify(config.augmentation ?? null) })}`);
    const wrong = settings.review(refused);
    reviewSweep();
    const ready = isRead() || unreadable.has(config.dataset);
    if (!ready && reading === null) reading = read(config.dataset);
    if (wrong) return;
    setText(byId("cost-note"), t("Calculating …"));
    if (ready) askCost(currentConfig());
  }

  /** Asks for a set's labels and sizes, which may have to be read. */
  async function read(name) {
    try {
      const answer = await retryWhileAway(() => get(`/api/datasets?name=${encodeURIComponent(name)}`), () => {});
      const place = datasets.findIndex((one) => one.name === name);
      datasets.splice(place < 0 ? datasets.length : place, 1, { ...answer.datasets[0], name });
    } catch (failure) {
      unreadable.add(name);
      if (config.dataset === name) refused = { path: "dataset", message: explain(failure) };
    }
    reading = null;
    settings.knowLabels(labels() ?? null, currentConfig());
    showRecipe();
    review();
  }

  function showCost(estimate) {
    if (config !== unstartable) refused = null;
    settings.review(refused);
    setText(byId("cost-parameters"), count(estimate?.parameters));
    setText(byId("cost-time"), roughly(estimate?.seconds ?? undefined));
    setText(byId("cost-note"), costNote(estimate));
    settings.showOutline(config.start ? null : estimate?.layers);
  }

  function refuse(failure) {
    refused = fieldError(failure);
    settings.review(refused);
    if (!settings.hasPlace(refused.path)) setText(alert, failure.message);
    settings.showOutline(null);
    for (const id of ["cost-parameters", "cost-time"]) setText(byId(id), "–");
    setText(byId("cost-note"), t("It cannot start with these settings."));
  }

  function writeAddress() {
    const url = new URL(location.href);
    const kept = KEPT_IN_ADDRESS.filter((key) => url.searchParams.has(key)).map((key) => [key, url.searchParams.get(key)]);
    url.search = new URLSearchParams([...setupParameters(recipe, currentConfig()), ...kept]);
    history.replaceState(null, "", url);
  }

  window.addEventListener(BACK, review); // for messages that the server was needed for

  form.addEventListener("input", ({ target }) => {
    setText(alert, "");
    if (target.name === "recipe") {
      const { start: from } = config;
      const next = recipes.find(({ name }) => name === target.value);
      put(from ? { ...next.config, start: from } : next.config, next);
    } else if (target === dataset) {
      unreadable.delete(dataset.value);
      config = { ...config, dataset: dataset.value };
      showRecipe();
      settings.knowLabels(labels() ?? null, currentConfig());
      take(currentConfig());
      return;
    }
    writeAddress();
  });
  startFrom.addEventListener("input", () => {
    const { start: _, ...others } = config;
    const next = startFrom.value === "" ? others : { ...others, start: { model: startFrom.value } };
    settings.knowLabels(labels() ?? null, next);
    take(next);
  });
  byId("reset-settings").addEventListener("click", () => {
    put({ ...recipe.config, dataset: config.dataset }, recipe);
    writeAddress();
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (start.disabled) return;
    if (settings.review(refused, { go: true })) {
      setText(alert, t("One of the settings is not valid yet."));
      return;
    }
    await submit();
  });

  async function submit() {
    start.disabled = true;
    start.toggleAttribute("data-busy", true);
    setText(start, t("Starting …"));
    setText(alert, "");
    await reading;
    const submitted = config;
    unstartable = null;
    try {
      onStarted(await post("/api/runs", currentConfig()));
    } catch (failure) {
      const error = fieldError(failure);
      if (config === submitted && settings.hasPlace(error.path)) {
        refused = error;
        unstartable = submitted;
        settings.review(refused, { go: true });
      }
      if (config === submitted || failure.status !== UNFIT) setText(alert, explain(failure)); // else the setup has changed meanwhile
    }
    start.disabled = false;
    start.removeAttribute("data-busy");
    setText(start, config.start ? t("Start fine-tuning") : t("Start training"));
  }

  /** Shows the setup of the address, or the first recipe, with a message about unusable parameters. */
  function begin() {
    const query = new URLSearchParams(location.search);
    const names = new Set(schema.groups.flatMap(({ fields }) => fields.map(({ name }) => name)).filter((name) => !name.includes(".")));
    const requested = setupFrom(query, recipes, names);
    const problems = [...requested.problems];
    const from = query.get("start");
    const model = from === null ? null : startChoice.choose(from);
    if (from !== null && model === null) problems.push(t("There is no usable model named “{name}”; new weights are chosen instead.", { name: from.slice(0, 64) }));
    put(model === null ? requested.config : fromModel(requested, model), model === null ? requested.recipe : recipeOf(requested, model));
    const watching = query.has("run"); // the setup is for the next run, and stays folded
    const asksMore = requested.asks && [...query.keys()].some((key) => !["recipe", "dataset"].includes(key));
    if (!watching && (from !== null || asksMore)) byId("settings").open = true; // settings opened meanwhile stay open
    if ([...query.keys()].some((key) => !PLAIN.has(key.split(".")[0]))) byId("settings-more").open = true;
    if (model !== null && !watching) startFrom.focus({ preventScroll: true });
    setText(alert, sentences(...problems));
    if (requested.asks) form.querySelector("input[name=recipe]:checked").closest("label").scrollIntoView({ block: "nearest", inline: "nearest" });
    start.disabled = false;
  }

  /** The setup to fine-tune a model: with its own recipe and data set, unless the address names others. */
  const recipeOf = (requested, model) => (requested.asks ? requested.recipe : (recipes.find(({ name }) => name === model.recipe) ?? requested.recipe));

  function fromModel(requested, model) {
    const base = requested.asks ? requested.config : recipeOf(requested, model).config;
    const own = !requested.asks && datasets.some(({ name }) => name === model.dataset) ? { dataset: model.dataset } : {};
    return { ...base, ...own, start: { model: model.name } };
  }

  begin();

  /** Updates the models to start from. */
  function knowModels(listed) {
    startChoice.knowModels(listed);
    review();
  }

  return { datasets, recipes, knowModels };
}

function datasetNote(dataset) {
  if (dataset === undefined || dataset.state === "unread") return dataset?.note ?? "";
  const values = { train: count(dataset.train), test: count(dataset.test) };
  const size = t("{train} training and {test} test images.", values);
  return sentences(size, dataset.note);
}

/** "300 batches an epoch; timed on this machine." */
function costNote(estimate) {
  if (estimate === null) return t("No estimate at the moment.");
  const batches = estimate.batches === 1 ? t("1 batch per epoch") : t("{count} batches per epoch", { count: count(estimate.batches) });
  return typeof estimate.seconds === "number" ? clauses(batches, t("timed on this machine")) : batches;
}
