// The recipes as cards: title, source, network, expected accuracy and time.

import { withRoot } from "../../api/root.js";
import { networkDiagram } from "../../charts/network-diagram.js";
import { percent, roughly } from "../../i18n/format.js";
import { t, tParts } from "../../i18n/translate.js";
import { configLine } from "../../labels/config-labels.js";
import { element } from "../../lib/dom.js";

/** A radio button in the form of a card, for a recipe from the server. */
export const recipeCard = (recipe) =>
  element(
    "label",
    { class: "recipe" },
    element("input", { type: "radio", name: "recipe", value: recipe.name, autocomplete: "off" }),
    element(
      "span",
      { class: "recipe-body" },
      element("span", { class: "recipe-head" }, element("span", { class: "recipe-name" }, recipe.title || recipe.name), " ", element("span", { class: "recipe-promise" }, promise(recipe))),
      networkDiagram(recipe.config.network.layers),
      element("span", { class: "visually-hidden" }, configLine(recipe.config)),
      element("span", { class: "recipe-summary" }, recipe.summary),
      element("span", { class: "recipe-from", title: recipe.source }, ...tParts("Source: {source}", { source: source(recipe) })),
      ...augmentationLink(recipe),
    ),
  );

/** "98.1 % · about 9 s": the expected accuracy, and the estimated time on this machine, as far as known. */
function promise({ expected_accuracy: accuracy, estimate }) {
  const parts = [];
  if (typeof accuracy === "number") parts.push(percent(accuracy));
  if (typeof estimate === "number") parts.push(t("about {time}", { time: roughly(estimate) }));
  return parts.join(" · ");
}

/** A link to the preview of a recipe's augmentation, if it has one. */
const augmentationLink = ({ name, config }) =>
  config.augmentation ? [element("span", { class: "recipe-from" }, element("a", { href: withRoot(`/augmentation?recipe=${encodeURIComponent(name)}`) }, t("See its augmentation")))] : [];

/** The source of a recipe, as a link if there is one. */
const source = ({ source: name, source_url: url }) =>
  url ? element("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, name) : name;
