// The page of a stored model's evaluation on any data set with its labels.

import { explain, get } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { createEvaluation } from "../../evaluation/evaluation.js";
import { t } from "../../i18n/translate.js";
import { titleOf } from "../../labels/titles.js";
import { byId, element, pageData, setMessage } from "../../lib/dom.js";
import { evidenceTables } from "../../models/measurements.js";

async function startEvaluationPage({ model, labels, dataset, evidence }) {
  const select = byId("judge-dataset");
  const note = byId("judge-model-note");
  const evaluation = createEvaluation();

  const tables = evidenceTables(evidence);
  byId("judge-evidence").hidden = tables.length === 0;
  byId("judge-evidence-tables").replaceChildren(...tables);

  const evaluateOn = (name) =>
    evaluation.evaluate({ key: `model ${model} ${name}`, path: `/api/models/${encodeURIComponent(model)}/judgement?dataset=${encodeURIComponent(name)}`, dataset: name });

  try {
    const { datasets } = await retryWhileAway(() => get("/api/datasets"), (seconds) => setMessage(note, awayText(seconds)));
    const requested = new URLSearchParams(location.search).get("dataset");
    for (const one of datasets.filter(({ name, state }) => state === "unread" && [requested, dataset].includes(name))) {
      const { datasets: [line] } = await get(`/api/datasets?name=${encodeURIComponent(one.name)}`).catch(() => ({ datasets: [one] }));
      Object.assign(one, line);
    }
    setMessage(note, "");
    const fitting = datasets.filter((one) => one.labels.length === labels.length && one.labels.every((label, i) => label === labels[i]));
    const chosen = [requested, dataset].find((name) => fitting.some((one) => one.name === name)) ?? fitting[0]?.name;
    if (chosen === undefined) return refuse(t("No data set has the labels of this model, so it cannot be tested here."));
    select.replaceChildren(...fitting.map(({ name, title }) => element("option", { value: name }, titleOf({ name, title }))));
    select.value = chosen;
    select.disabled = false;
    evaluateOn(chosen);
  } catch (error) {
    refuse(explain(error));
  }

  function refuse(text) {
    setMessage(note, text);
    byId("judge").hidden = true;
  }

  select.addEventListener("change", () => {
    const url = new URL(location.href);
    url.searchParams.set("dataset", select.value);
    history.replaceState(null, "", url);
    evaluateOn(select.value);
  });
}

startEvaluationPage(pageData());
