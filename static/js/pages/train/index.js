// The training dashboard.

import { explain, get } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { t } from "../../i18n/translate.js";
import { byId, pageData, setText } from "../../lib/dom.js";
import { createRunsList } from "../../runs/list/list.js";
import { hasEnded } from "../../runs/run-state.js";
import { createRunView } from "../../runs/view.js";
import { startSetup } from "./setup.js";

const WIDE = "(min-width: 900px)";

function startDashboard() {
  const list = createRunsList();
  const view = createRunView({ onState: changed, onStarted: watch });
  const query = new URLSearchParams(location.search);
  let setup = null;

  /** Reloads the models to start from, after a run has ended. */
  async function changed(record) {
    list.refresh();
    if (!hasEnded(record) || setup === null) return;
    try {
      setup.knowModels((await get("/api/models")).models);
    } catch {
      // the list of models stays as it was
    }
  }

  /** Shows a new run, and puts it into the address. */
  function watch(run) {
    const url = new URL(location.href);
    url.searchParams.set("run", run.id);
    history.replaceState(null, "", url);
    showRun(run);
    list.refresh();
    byId("run-title").focus({ preventScroll: true });
    byId("run").firstElementChild.scrollIntoView({ block: matchMedia(WIDE).matches ? "nearest" : "start" });
  }

  function showRun(run) {
    byId("stage-empty").hidden = true;
    view.show(run);
  }

  async function takeUp(id) {
    const [title, text] = byId("stage-empty").children;
    setText(title, t("Run {number}", { number: id }));
    setText(text, t("Loading the run …"));
    try {
      const run = await retryWhileAway(() => get(`/api/runs/${encodeURIComponent(id)}`), (seconds) => setText(text, awayText(seconds)));
      showRun(run);
    } catch (error) {
      byId("run").hidden = true;
      byId("stage-empty").hidden = false;
      setText(title, t("That run cannot be shown"));
      setText(text, explain(error));
    }
  }

  const id = query.get("run") ?? pageData().run;
  if (id !== null) takeUp(id);
  list.refresh();
  startSetup({ onStarted: watch }).then((ready) => {
    setup = ready;
    if (setup === null) return;
    list.know({ datasets: setup.datasets, recipes: setup.recipes });
    view.knowDatasets(setup.datasets);
  });
}

startDashboard();
