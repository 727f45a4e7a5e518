// The page of one run.

import { explain, get, remove } from "../api/client.js";
import { awayText, retryWhileAway } from "../api/retry.js";
import { withRoot } from "../api/root.js";
import { t } from "../i18n/translate.js";
import { confirmed } from "../lib/dialog.js";
import { byId, pageData, setText } from "../lib/dom.js";
import { hasEnded } from "../runs/run-state.js";
import { createRunView } from "../runs/view.js";

const DASHBOARD = withRoot("/train");

async function startRunPage(id) {
  const deletion = byId("delete");
  const offerDeletion = (run) => {
    deletion.hidden = !hasEnded(run);
  };
  const view = createRunView({
    onState: offerDeletion,
    onStarted: (run) => location.assign(`${DASHBOARD}?run=${run.id}`),
  });

  deletion.addEventListener("click", async () => {
    const sure = await confirmed({
      title: t("Delete run {id}?", { id }),
      text: t("Its curves and numbers will be lost. A model that it made stays."),
      action: t("Delete"),
    });
    if (!sure) return;
    try {
      await remove(`/api/runs/${id}`);
      location.assign(DASHBOARD);
    } catch (error) {
      setText(byId("delete-error"), explain(error));
    }
  });

  const text = byId("stage-text");
  try {
    const run = await retryWhileAway(() => get(`/api/runs/${id}`), (seconds) => setText(text, awayText(seconds)));
    byId("stage-empty").hidden = true;
    view.show(run);
    offerDeletion(run);
    const { datasets } = await get("/api/datasets");
    view.knowDatasets(datasets);
  } catch (error) {
    setText(text, explain(error));
  }
}

startRunPage(pageData().run);
