// The data page: the list of sets, the contents of one, a new set, the pad to draw it, and the import of files.

import { BACK, explain, get } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { withRoot } from "../../api/root.js";
import { addressOf, setLinks, placeOf } from "../../data/dataset-list.js";
import { followSets } from "../../data/follow-sets.js";
import { datasetOf, ownName } from "../../labels/titles.js";
import { byId, say, setText } from "../../lib/dom.js";
import { throttled } from "../../lib/latest.js";
import { createBrowse } from "./browse.js";
import { createDraw } from "./draw.js";
import { createImport } from "./import.js";
import { createInvite } from "./invite.js";
import { createMake } from "./new-set.js";

const CHANGES_MS = 1000;
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

  const draw = createDraw(page);
  const browse = createBrowse(page);
  const views = { browse: browse.show, make: createMake(page), import: createImport(page), draw: draw.show };

  const invite = createInvite();
  byId("invite").addEventListener("click", () => invite(placeOf(location.search).set));
  byId("browse-actions").addEventListener("click", ({ target }) => {
    if (target.dataset.invite !== undefined) invite(target.dataset.invite);
  });

  window.addEventListener(BACK, () => page.refresh());

  let sets = null; // as the server knows them
  followSets({
    onSets(found) {
      const before = sets;
      sets = found;
      for (const details of found) draw.hear(details);
      for (const { name } of before ?? []) if (!found.some((one) => one.name === name)) draw.hear({ name, count: 0, labels: {}, declared: [] });
      if (before !== null) showChanges();
    },
  });

  /** Brings the list of sets and the drawings of the shown one up to date, for the first change at once. */
  const showChanges = throttled(async () => {
    try {
      await page.refresh();
      const { kind, set } = placeOf(location.search);
      const name = kind === "browse" ? ownName(set ?? "") : null;
      const details = sets.find((one) => one.name === name);
      if (details !== undefined) await browse.hear(details);
    } catch (failure) {
      setText(error, explain(failure));
    }
  }, CHANGES_MS);

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
