// The setup in the page's address, for sharing: the differences from the recipe, key by key.

import { t } from "../../i18n/translate.js";

const OTHERS = new Set(["run", "start", "token"]); // parameters that are no settings
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Search parameters as [key, text] for a config and its recipe's. */
export function setupParameters(recipe, config) {
  const changed = Object.keys({ ...recipe.config, ...config }).filter(
    (key) => !["recipe", "start", "network"].includes(key) && !same(config[key], recipe.config[key]),
  );
  const pairs = changed.map((key) => [key, written(config[key] ?? null)]);
  if (!same(config.network.layers, recipe.config.network.layers)) pairs.push(["layers", JSON.stringify(config.network.layers)]);
  if (!same(config.network.generator, recipe.config.network.generator)) pairs.push(["generator", written(config.network.generator)]);
  const start = config.start?.model ? [["start", config.start.model]] : [];
  return [["recipe", recipe.name], ...pairs, ...start];
}

const written = (value) => (typeof value === "string" && !isJson(value) ? value : JSON.stringify(value));

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const read = (text) => (isJson(text) ? JSON.parse(text) : text);

/**
 * Parses an address: `{recipe, config, problems, asks}`. `known` are the names of a config's fields. Unusable values are
 * replaced by the recipe's, with a message in `problems`; values out of range are kept, for the form to report.
 */
export function setupFrom(query, recipes, known) {
  const problems = [];
  const name = query.get("recipe");
  let recipe = recipes.find((one) => one.name === name);
  if (name !== null && recipe === undefined) problems.push(t("There is no recipe named “{name}”.", { name: name.slice(0, 64) }));
  recipe = recipe ?? recipes[0];
  let { config } = recipe;
  let asks = name !== null;
  for (const [key, text] of query) {
    if (key === "recipe" || OTHERS.has(key)) continue;
    const value = read(text);
    if (key === "layers" && isLayers(value)) config = { ...config, network: { ...config.network, layers: value } };
    else if (key === "generator" && typeof value === "string") config = { ...config, network: { ...config.network, generator: value } };
    else if (known.has(key) && fits(value, key, config)) config = { ...config, [key]: value };
    else {
      if (key === "layers" || known.has(key)) problems.push(t("The value of {name} in the address cannot be used: {value}", { name: key, value: text.slice(0, 60) }));
      continue;
    }
    asks = true;
  }
  return { recipe, config, problems, asks };
}

const isTable = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isLayers = (value) => Array.isArray(value) && value.length > 0 && value.length <= 200 && value.every((layer) => isTable(layer) && typeof layer.type === "string");

/** Whether the form can show a value: a table with a type for a spec, no table for a number. */
function fits(value, key, config) {
  if (["optimizer", "schedule"].includes(key)) return isTable(value) && typeof value.type === "string";
  if (key === "loss") return typeof value === "string" || (isTable(value) && typeof value.type === "string");
  if (["augmentation", "distillation"].includes(key)) return value === null || isTable(value);
  if (Array.isArray(value)) return false;
  return !isTable(value) && !(isTable(config[key]) && value !== null);
}
