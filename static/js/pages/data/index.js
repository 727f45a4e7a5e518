// The data page: the list of sets, the contents of one, a new set, the pad to draw it, and the import of files.

import { BACK, explain, get } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { withRoot } from "../../api/root.js";
import { addressOf, setLinks, placeOf } from "../../data/dataset-list.js";
import { datasetOf } from "../../labels/titles.js";
import { byId, say, setText } from "../../lib/dom.js";
import { createBrowse } from "./browse.js";
import { createDraw } from "./draw.js";
import { createImport } from "./import.js";
import { createMake } from "./new-set.js";

const SECTIONS = ["browse", "make", "import", "draw"];

function startDataPage() {
  const note = byId("data-note");
  const error = byId("data-error");
  const list = byId("sets");
  let datasets = null;

  const page = {
    datasets: () => datasets,
    /** Shows a message; `actions` are [label, callback]. */
    say: (text, ...actions) => say(note, text, ...actions),
    complain: (text) => setText(error, text),
    /** Retries until the server answers, with a message meanwhile. */
    async ask(load) {
      let waited = false;
      const answer = await retryWhileAway(load, (seconds) => {
        waited = true;
        setText(note, awayText(seconds));
      });
      if (waited) setText(note, "");
      return answer;
    },
    /** Reloads the list of sets. */
    async refresh() {
      ({ datasets } = await page.ask(() => get("/api/datasets")));
      markSets();
    },
    go(place, { replace = false } = {}) {
      window.history[replace ? "replaceState" : "pushState"](null, "", addressOf(place));
      return show();
    },
  };

  const views = { browse: createBrowse(page), make: createMake(page), import: createImport(page), draw: createDraw(page) };

  window.addEventListener(BACK, () => page.refresh());

  function markSets() {
    const { kind, set } = placeOf(location.search);
    const current = kind === "browse" ? (set ?? datasets[0]?.name) : kind === "draw" ? datasetOf(set) : null;
    list.replaceChildren(...setLinks(datasets, current));
    list.removeAttribute("aria-busy");
    const marked = list.querySelector("[aria-current]"); // on a phone the list scrolls sideways
    if (marked !== null && list.scrollWidth > list.clientWidth) list.scrollLeft = marked.offsetLeft - list.offsetLeft;
  }

  /** Shows the view of the address. */
  async function show() {
    setText(error, "");
    setText(note, "");
    const place = placeOf(location.search);
    byId("stage").parentElement.dataset.view = place.kind;
    for (const name of SECTIONS) byId(name).hidden = name !== place.kind;
    try {
      if (datasets === null) await page.refresh();
      else markSets();
      await views[place.kind](place.kind === "browse" && place.set === null ? { ...place, set: datasets[0].name } : place);
    } catch (failure) {
      setText(error, explain(failure));
    }
  }

  byId("stage").parentElement.addEventListener("click", (event) => {
    const link = event.target.closest(`a[href^='${withRoot("/data?")}']`);
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    page.go(placeOf(new URL(link.href).search)).then(() => {
      if (![document.body, link].includes(document.activeElement)) return; // the focus has moved meanwhile
      document.querySelector(".data-stage section:not([hidden]) h2")?.focus();
    });
  });
  window.addEventListener("popstate", show);

  show();
}

startDataPage();
