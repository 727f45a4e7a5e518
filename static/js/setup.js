// The form on the left of the dashboard: a recipe, a data set, the settings, and the button that starts.

import { explain, get, post } from "./api.js";
import { byId, element, setText } from "./dom.js";
import { percent } from "./format.js";
import { configLine, optimizerName } from "./network.js";
import { awayText, untilAnswered } from "./patience.js";
import { OPTIMIZERS, configFrom, fieldErrors, fieldsOf, offeredLearningRate, overridesFrom, validationChoices } from "./settings.js";
import { createStartChoice } from "./start-choice.js";

const FIELDS = ["start-from", "dataset", "validation", "batch-size", "hidden-layers", "optimizer", "learning-rate", "epochs", "seed"];

const HIDDEN_NOTE = "neurons of each layer, as in “128, 64”; empty for none";

const STATE_NOTES = {
  ready: "",
  download: "It is downloaded when the training starts.",
  generate: "It is drawn when the training starts.",
};

/**
 * Fetches recipes, data sets and models and runs the form; `onStarted(run)` hears of a run that was made. `startFrom` is
 * the name of a model that is to be fine-tuned, or null.
 */
export async function startSetup({ onStarted, startFrom }) {
  const form = byId("setup");
  const inputs = Object.fromEntries(FIELDS.map((name) => [name, byId(name)]));
  const start = byId("start");
  const error = byId("form-error");
  const wait = byId("recipes-wait");
  let recipe = null;
  let handWritten = false; // the learning rate was typed, and is not to be replaced by an offer

  let recipes;
  let datasets;
  let models;
  try {
    const load = () => Promise.all([get("/api/recipes"), get("/api/datasets"), get("/api/models")]);
    const [first, second, third] = await untilAnswered(load, (seconds) => setText(wait, awayText(seconds)));
    [recipes, datasets, models] = [first.recipes, second.datasets, third.models];
  } catch (failure) {
    setText(wait, explain(failure));
    byId("recipes").removeAttribute("aria-busy");
    return null;
  }

  byId("recipes").replaceChildren(...recipes.map(recipeCard));
  byId("recipes").removeAttribute("aria-busy");
  inputs.dataset.replaceChildren(...datasets.map(({ name, title }) => element("option", { value: name }, title)));
  inputs.dataset.disabled = false;
  inputs.optimizer.replaceChildren(...OPTIMIZERS.map((type) => element("option", { value: type }, optimizerName(type))));

  const startChoice = createStartChoice(inputs["start-from"], models);

  const fields = () => Object.fromEntries(FIELDS.map((name) => [name, inputs[name].value]));
  const dataset = () => datasets.find(({ name }) => name === inputs.dataset.value);
  const labels = () => dataset()?.labels?.length;

  /** Fills the form in with a recipe's settings; the fields named in `keep` stay as they are. */
  function choose(name, keep) {
    recipe = recipes.find((one) => one.name === name);
    const own = fieldsOf(recipe.config);
    offer(inputs.validation, validationChoices(recipe.config.validation ?? null));
    if (!OPTIMIZERS.includes(own.optimizer)) offer(inputs.optimizer, [...OPTIMIZERS, own.optimizer].map((type) => [type, optimizerName(type)]));
    for (const field of FIELDS) if (!keep.includes(field)) inputs[field].value = own[field];
    handWritten = false;
    byId("recipe-source").replaceChildren(...sourceLine(recipe));
    review();
  }

  /** Brings notes, errors and the network's line up to date with what the fields hold. */
  function review() {
    const values = fields();
    const errors = fieldErrors(values);
    for (const name of FIELDS) {
      const place = byId(`${name}-error`);
      if (place === null) continue;
      setText(place, errors[name] ?? "");
      if (errors[name]) inputs[name].setAttribute("aria-invalid", "true");
      else inputs[name].removeAttribute("aria-invalid");
    }
    setText(byId("dataset-note"), datasetNote(dataset()));
    const model = startChoice.review(dataset());
    inputs["hidden-layers"].disabled = model !== null;
    setText(byId("hidden-layers-note"), model === null ? HIDDEN_NOTE : "the network is the model’s, and stays as it is");
    if (model !== null) setText(byId("network-line"), `${model.network} · ${optimizerName(values.optimizer)}`);
    else if (!errors["hidden-layers"]) {
      const wanted = configFrom({ ...fieldsOf(recipe.config), ...pick(values, ["hidden-layers", "optimizer"]) }, recipe.config, labels());
      setText(byId("network-line"), configLine(wanted));
    }
    if (!start.hasAttribute("data-busy")) setText(start, startText(model));
    const own = fieldsOf(recipe.config);
    byId("reset-settings").disabled = FIELDS.every((name) => name === "dataset" || values[name] === own[name]);
    return errors;
  }

  form.addEventListener("input", (event) => {
    if (recipe === null) return;
    const { target } = event;
    setText(error, "");
    if (target.name === "recipe") return choose(target.value, ["start-from"]);
    if (target === inputs["learning-rate"]) handWritten = true;
    if (target === inputs.optimizer && !handWritten) {
      inputs["learning-rate"].value = offeredLearningRate(recipe.config, target.value);
    }
    review();
  });

  byId("reset-settings").addEventListener("click", () => choose(recipe.name, ["dataset"]));

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (start.disabled) return;
    const wrong = Object.keys(review())[0];
    if (wrong !== undefined) {
      byId("settings").open = true;
      inputs[wrong].focus();
      setText(error, "One of the settings is not right yet.");
      return;
    }
    await submit({ recipe: recipe.name, overrides: overridesFrom(fields(), recipe.config, labels()) });
  });

  async function submit(body) {
    start.disabled = true;
    start.toggleAttribute("data-busy", true);
    setText(start, "Starting …");
    setText(error, "");
    try {
      onStarted(await post("/api/runs", body));
    } catch (failure) {
      setText(error, explain(failure));
    }
    start.disabled = false;
    start.removeAttribute("data-busy");
    review();
  }

  /** Makes the form ready to fine-tune a model, with the recipe and the data set that it was trained by, if they are there. */
  function startFromModel(name) {
    const model = startChoice.choose(name);
    byId("settings").open = true;
    if (model === null) {
      setText(error, `There is no usable model named “${name.slice(0, 64)}”; new weights are chosen instead.`);
      return;
    }
    const card = [...form.querySelectorAll("input[name=recipe]")].find(({ value }) => value === model.recipe);
    if (card !== undefined) {
      card.checked = true;
      choose(card.value, ["start-from"]);
    }
    if (datasets.some((one) => one.name === model.dataset)) inputs.dataset.value = model.dataset;
    review();
    inputs["start-from"].focus();
  }

  if (recipes.length > 0) {
    const first = form.querySelector("input[name=recipe]");
    first.checked = true;
    choose(first.value, []);
    start.disabled = false;
    if (startFrom !== null) startFromModel(startFrom);
  } else {
    byId("recipes").replaceChildren(element("p", { class: "recipe-wait" }, "The server has no recipes."));
  }

  /** Offers newly fetched models to start from. */
  function knowModels(listed) {
    startChoice.knowModels(listed);
    if (recipe !== null) review();
  }

  return { datasets, knowModels };
}

const startText = (model) => (model === null ? "Start training" : "Start fine-tuning");

const pick = (table, names) => Object.fromEntries(names.map((name) => [name, table[name]]));

function offer(select, choices) {
  select.replaceChildren(...choices.map(([value, text]) => element("option", { value }, text)));
}

function datasetNote(dataset) {
  if (dataset === undefined) return "";
  const size = `${dataset.train.toLocaleString("en")} pictures to learn from, ${dataset.test.toLocaleString("en")} to test with.`;
  return [size, dataset.note || STATE_NOTES[dataset.state]].filter(Boolean).join(" ");
}

function sourceLine({ source, source_url: url }) {
  const name = url ? element("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, source) : source;
  return ["From ", name, "."];
}

const recipeCard = ({ name, title, summary, expected_accuracy: expected, config }) =>
  element(
    "label",
    { class: "recipe" },
    element("input", { type: "radio", name: "recipe", value: name }),
    element(
      "span",
      { class: "recipe-body" },
      element("span", { class: "recipe-name" }, title || name),
      element("span", { class: "recipe-summary" }, recipeSummary(summary, expected)),
      element("span", { class: "recipe-network" }, configLine(config)),
    ),
  );

/** The summary, with the accuracy to expect where it does not speak of one itself. */
const recipeSummary = (summary, expected) =>
  /%/.test(summary) || typeof expected !== "number" ? summary : `${summary} · ${percent(expected)}`;
