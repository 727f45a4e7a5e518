// What the schema calls the parts of a config, recipes and data sets, as the server put it into the page.

import { language } from "../i18n/translate.js";

const tables = JSON.parse(document.getElementById("names")?.textContent ?? "{}");

/** The name of a thing in one of the tables, such as "layers"; what has none goes by its identifier. */
export const nameIn = (table, id) => (has(table, id) ? tables[table][id] : id);

export const has = (table, id) => Object.hasOwn(tables[table] ?? {}, id);

/** A name in the middle of a line: English writes small there what begins a label with a capital. */
export const small = (text) => (language === "en" ? text.charAt(0).toLowerCase() + text.slice(1) : text);
