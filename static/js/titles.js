// What recipes and data sets are called, as the server put it into the page.

import { ownName, titleOf } from "./data-sets.js";
import { byId } from "./dom.js";

const TERM = /^\s*(?:([\d.]+)\s*\*)?\s*(.*?)\s*$/s;

const known = (kind) => JSON.parse(byId("titles")?.textContent ?? "{}")[kind] ?? {};

function titled(kind, name) {
  const titles = known(kind);
  return Object.hasOwn(titles, name) ? titles[name] : name;
}

/** A recipe's title; its name where it is none of the server's (any more), null for no recipe. */
export const recipeTitle = (name) => (name ? titled("recipes", name) : null);

/** A data set's title; "MNIST + 0.5 × Strokes" for several in one, "mnist + 0.5*strokes". */
export const datasetTitle = (name) => (/[+*]/.test(name) ? name.split("+").map(termTitle).join(" + ") : setTitle(name));

const setTitle = (name) => (ownName(name) === null ? titled("datasets", name) : titleOf({ name }));

function termTitle(term) {
  const [, weight, name] = TERM.exec(term);
  return weight === undefined ? setTitle(name) : `${weight} × ${setTitle(name)}`;
}
