// What recipes and data sets are called, the user's own sets among them.

import { t } from "../i18n/translate.js";
import { nameIn } from "./names.js";

const TERM = /^\s*(?:([\d.]+)\s*\*)?\s*(.*?)\s*$/s;

const CUSTOM = "custom"; // the recipe of a config that comes from none

/** A recipe's title; its name where it is none of the server's (any more), null for no recipe. */
export const recipeTitle = (name) => (name && name !== CUSTOM ? nameIn("recipes", name) : null);

/** A data set's title; "MNIST + 0.5 × Strokes" for several in one, "mnist + 0.5*strokes". */
export const datasetTitle = (name) => (/[+*]/.test(name) ? name.split("+").map(termTitle).join(" + ") : setTitle(name));

const setTitle = (name) => (ownName(name) === null ? nameIn("datasets", name) : titleOf({ name }));

function termTitle(term) {
  const [, weight, name] = TERM.exec(term);
  return weight === undefined ? setTitle(name) : `${weight} × ${setTitle(name)}`;
}

const OWN = "drawings:";

/** The set's name in a data set's name, or null for one that is not the user's own. */
export const ownName = (dataset) => (dataset.startsWith(OWN) ? dataset.slice(OWN.length) : null);

/** The data set of a set of the user's own. */
export const datasetOf = (set) => OWN + set;

/** A data set's title in the page's language. */
export const titleOf = ({ name, title }) =>
  ownName(name) === null ? title : t("Your drawings: {name}", { name: ownName(name) });
