// What the server refuses, on pages that have to stay light: errors.js is fetched when the first is said.

import { ServerAway, explain as plain } from "./client.js";

const PATIENCE = 3000; // ms after which the server's own words have to do

let coming = null; // the function of errors.js

const load = async () => (await import("./errors.js")).explain;

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
