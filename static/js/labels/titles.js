// Titles of recipes and data sets, including the user's.

import { t } from "../i18n/translate.js";
import { nameIn } from "./names.js";

const TERM = /^\s*(?:([\d.]+)\s*\*)?\s*(.*?)\s*$/s;

const CUSTOM = "custom"; // the recipe of a config without one

/** A recipe's title; its name if the server does not know it, null for no recipe. */
export const recipeTitle = (name) => (name && name !== CUSTOM ? nameIn("recipes", name) : null);

/** A data set's title; "MNIST + 0.5 × Strokes" for several in one, "mnist + 0.5*strokes". */
export const datasetTitle = (name) => (/[+*]/.test(name) ? name.split("+").map(termTitle).join(" + ") : setTitle(name));

const setTitle = (name) => (ownName(name) === null && !isImported(name) ? nameIn("datasets", name) : titleOf({ name }));

function termTitle(term) {
  const [, weight, name] = TERM.exec(term);
  return weight === undefined ? setTitle(name) : `${weight} × ${setTitle(name)}`;
}

const OWN = "drawings:";

/** The drawing set's name in a data set's name, or null for another kind. */
export const ownName = (dataset) => (dataset.startsWith(OWN) ? dataset.slice(OWN.length) : null);

/** The data set of a drawing set. */
export const datasetOf = (set) => OWN + set;

const IMPORTED = "images:";

/** True for a data set of imported images. */
export const isImported = (dataset) => dataset.startsWith(IMPORTED);

/** A data set's title in the page's language. */
export function titleOf({ name, title }) {
  if (isImported(name)) return t("Your images: {name}", { name: name.slice(IMPORTED.length) });
  return ownName(name) === null ? title : t("Your drawings: {name}", { name: ownName(name) });
}
