// What data sets are called, the user's own among them.

import { fromServer } from "./server-words.js";
import { t } from "./words.js";

const OWN = "drawings:";

/** The set's name in a data set's name, or null for one that is not the user's own. */
export const ownName = (dataset) => (dataset.startsWith(OWN) ? dataset.slice(OWN.length) : null);

/** The data set of a set of the user's own. */
export const datasetOf = (set) => OWN + set;

/** A data set's title in the page's language. */
export const titleOf = ({ name, title }) =>
  ownName(name) === null ? fromServer(title) : t("Your drawings: {name}", { name: ownName(name) });
