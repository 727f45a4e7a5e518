// Titles of a config's components, recipes and data sets, from the page's data.

import { language } from "../i18n/translate.js";

const tables = JSON.parse(document.getElementById("names")?.textContent ?? "{}");

/** The title of an id in a table such as "layers"; by default the id. */
export const nameIn = (table, id) => (has(table, id) ? tables[table][id] : id);

/** The metrics that a run's charts show: see app/runs/config/metrics.py. */
export const curves = tables.curves ?? [];

/** By kind of optimizer, the learning rate of a config that has none. */
export const learningRates = tables.learning_rates ?? {};

export const has = (table, id) => Object.hasOwn(tables[table] ?? {}, id);

/** A title in the middle of a line, in lower case in English. */
export const small = (text) => (language === "en" ? text.charAt(0).toLowerCase() + text.slice(1) : text);
