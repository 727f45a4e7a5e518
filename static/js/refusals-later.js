// What the server refuses, on pages that have to stay light: refusals.js and its words are fetched when the first is said.

import { ServerAway, get, explain as plain } from "./api.js";
import { addWords, language } from "./words.js";

const PATIENCE = 3000; // ms after which the server's own words have to do

let coming = null; // the function of refusals.js

async function load() {
  addWords(await get(`/language/${language}/refusals`)); // first, as a module may use them while it is loaded
  return (await import("./refusals.js")).explain;
}

/** Words for a person from what `call` threw: English ones of the server, where those of the page's language do not come. */
export async function explain(error) {
  if (error instanceof ServerAway && error.reason === null) return plain(error);
  const late = new Promise((_, reject) => setTimeout(reject, PATIENCE));
  coming ??= load();
  try {
    return (await Promise.race([coming, late]))(error);
  } catch {
    coming = null; // the next one tries again
    return plain(error);
  }
}
