// A banner on every page while the server is away, and shortly after it is back.

import { t } from "../i18n/translate.js";
import { byId, setMessage } from "../lib/dom.js";
import { AWAY, BACK } from "./client.js";
import { countdown, pauseSeconds } from "./retry.js";
import { withRoot } from "./root.js";

const PROBE = withRoot("/health");
const PROBE_MS = 15_000; // between probes of an idle page
const WELCOME_MS = 4000; // the time of the message that the server is back

/**
 * Runs the banner of the page. Failed calls report the server's absence (`AWAY` on the window), and visible pages probe
 * regularly. `BACK` lets all views reload. A page with its own message has an element with `data-says-away`.
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
      await fetch(PROBE, { headers: { accept: "application/json" } }); // any answer will do
      return true;
    } catch {
      return false;
    }
  }

  async function probe() {
    if (document.visibilityState === "visible" && !away && !(await isThere())) lost();
  }

  function lost() {
    if (away) return;
    away = true;
    clearTimeout(timer);
    say(t("The server is not responding. This page continues by itself when it is back."));
    retry(0);
  }

  function retry(attempt) {
    endPause = countdown(pauseSeconds(attempt), () => {}, async () => {
      endPause = null;
      if (await isThere()) found();
      else retry(attempt + 1);
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
  document.addEventListener("visibilitychange", probe);
  setInterval(probe, PROBE_MS);
}
