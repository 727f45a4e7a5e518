// The page of one run.

import { get, remove } from "./api.js";
import { configItems } from "./config-list.js";
import { confirmed } from "./dialog.js";
import { byId, pageData, setText } from "./dom.js";
import { awayText, untilAnswered } from "./patience.js";
import { explain } from "./refusals.js";
import { hasEnded } from "./run-record.js";
import { createRunView } from "./run-view.js";
import { t } from "./words.js";

const DASHBOARD = "/train";

async function startRunPage(id) {
  const deletion = byId("delete");
  const offerDeletion = (run) => {
    deletion.hidden = !hasEnded(run);
  };
  let datasets = [];
  const view = createRunView({
    onState: (run) => {
      offerDeletion(run);
      showConfig(run.config, datasets);
    },
    onStarted: (run) => location.assign(`${DASHBOARD}?run=${run.id}`),
  });

  deletion.addEventListener("click", async () => {
    const sure = await confirmed({
      title: t("Delete run {id}?", { id }),
      text: t("Its curves and numbers are gone then. A model that it made stays."),
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
    const run = await untilAnswered(() => get(`/api/runs/${id}`), (seconds) => setText(text, awayText(seconds)));
    byId("stage-empty").hidden = true;
    view.show(run);
    offerDeletion(run);
    showConfig(run.config, []);
    ({ datasets } = await get("/api/datasets"));
    view.knowDatasets(datasets);
    showConfig(run.config, datasets);
  } catch (error) {
    setText(text, explain(error));
  }
}

function showConfig(config, datasets) {
  byId("config").hidden = false;
  byId("config-list").replaceChildren(...configItems(config, datasets));
  setText(byId("config-json"), JSON.stringify(config, null, 2));
}

startRunPage(pageData().run);
