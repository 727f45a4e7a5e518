// Says on every page that the server is away, asks until it is back, and says that, too.

import { t } from "../i18n/translate.js";
import { byId, setMessage } from "../lib/dom.js";
import { AWAY, BACK } from "./client.js";
import { countdown, pauseSeconds } from "./retry.js";

const PROBE = "/health";
const PROBE_MS = 15_000; // between two looks of a page that nobody does anything on
const WELCOME_MS = 4000; // for which the page says that the server is back

/**
 * Runs the note of the page. It hears of the server's absence from calls that failed (`AWAY` on the window), and looks
 * by itself now and then while somebody looks at the page. `BACK` tells all that show what the server knows to ask anew. A page that
 * says it in a place of its own has an element with `data-says-away`, and needs no second one.
 */
export function watchServer() {
  const note = byId("server-away");
  const quiet = document.querySelector("[data-says-away]") !== null;
  let away = false;
  let endPause = null;
  let timer = 0;

  const say = (text) => setMessage(note, quiet ? "" : text);

  async function isThere() {
    try {
      await fetch(PROBE, { headers: { accept: "application/json" } }); // whatever it answers, it is there
      return true;
    } catch {
      return false;
    }
  }

  async function look() {
    if (document.visibilityState === "visible" && !away && !(await isThere())) lost();
  }

  function lost() {
    if (away) return;
    away = true;
    clearTimeout(timer);
    say(t("The server is not responding. This page continues by itself when it is back."));
    ask(0);
  }

  function ask(attempt) {
    endPause = countdown(pauseSeconds(attempt), () => {}, async () => {
      endPause = null;
      if (await isThere()) found();
      else ask(attempt + 1);
    });
  }

  function found() {
    away = false;
    say(t("The server is back."));
    timer = setTimeout(() => say(""), WELCOME_MS);
    window.dispatchEvent(new Event(BACK));
  }

  window.addEventListener(AWAY, lost);
  window.addEventListener("online", () => endPause?.(true));
  document.addEventListener("visibilitychange", look);
  setInterval(look, PROBE_MS);
}
