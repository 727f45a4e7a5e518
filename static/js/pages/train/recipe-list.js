// The recipes: a line for each, in groups, and what is to be said of the chosen one.

import { withRoot } from "../../api/root.js";
import { networkDiagram } from "../../charts/network-diagram.js";
import { percent, roughly } from "../../i18n/format.js";
import { t, tParts } from "../../i18n/translate.js";
import { configLine } from "../../labels/config-labels.js";
import { element } from "../../lib/dom.js";

const GROUPS = { learn: t("Learn"), tutorials: t("Tutorials"), best: t("Best") };

/** The lines of all recipes, as radio buttons, with a heading for each group. */
export const recipeList = (recipes) =>
  Object.entries(GROUPS).map(([group, title]) =>
    element(
      "div",
      { class: "recipe-group", role: "group", "aria-label": title },
      element("span", { class: "recipe-group-title", "aria-hidden": "true" }, title),
      ...recipes.filter((recipe) => recipe.group === group).map(recipeLine),
    ),
  );

const recipeLine = (recipe) =>
  element(
    "label",
    { class: "recipe" },
    element("input", { type: "radio", name: "recipe", value: recipe.name, autocomplete: "off" }),
    element(
      "span",
      { class: "recipe-body" },
      element("span", { class: "recipe-name", title: recipe.title }, recipe.title || recipe.name),
      networkDiagram(recipe.config.network.layers),
      element("span", { class: "recipe-promise" }, element("span", {}, typeof recipe.expected_accuracy === "number" ? percent(recipe.expected_accuracy) : ""), " ", element("span", { class: "soft" }, typeof recipe.estimate === "number" ? roughly(recipe.estimate) : "")),
    ),
  );

/** What is to be said of a recipe: the network of its `config` for the labels at hand, its purpose and source, its augmentation. */
export const aboutRecipe = (recipe, config) => [
  networkDiagram(config.network.layers),
  element(
    "div",
    {},
    element("p", { class: "recipe-summary" }, element("strong", {}, recipe.title || recipe.name), " · ", recipe.summary),
    element("p", { class: "recipe-from" }, configLine(config)),
    element("p", { class: "recipe-from" }, ...tParts("Source: {source}", { source: source(recipe) }), ...augmentationLink(recipe)),
  ),
];

/** A link to the preview of a recipe's augmentation, if it has one. */
const augmentationLink = ({ name, config }) =>
  config.augmentation ? [" · ", element("a", { href: withRoot(`/augmentation?recipe=${encodeURIComponent(name)}`) }, t("See its augmentation"))] : [];

/** The source of a recipe, as a link if there is one. */
const source = ({ source: name, source_url: url }) =>
  url ? element("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, name) : name;
