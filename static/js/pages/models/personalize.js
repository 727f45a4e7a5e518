// Make it mine: fine-tunes a model on the user's own drawings, and shows the result.

import { explain, get, post } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { withRoot } from "../../api/root.js";
import { addressOf } from "../../data/dataset-list.js";
import { followSets } from "../../data/follow-sets.js";
import { t } from "../../i18n/translate.js";
import { createBitmap, fromBase64 } from "../../images/bitmap.js";
import { byId, element, setText } from "../../lib/dom.js";
import { createLatest, throttled } from "../../lib/latest.js";
import { mineNote, mineSentence, mineTable } from "../../models/measurements.js";
import { chooseDefault } from "../../models/set-default.js";
import { forgetEvents, fractionDone, hasEnded, recordOf, withMessage } from "../../runs/run-state.js";
import { followRun } from "../../runs/stream.js";
import { progressLine } from "../../runs/text.js";

const NEW_SET = "mine";
const THUMBNAILS = 24; // the newest drawings
const CHANGES_MS = 1000;

function startMinePage() {
  const choices = { model: byId("mine-model"), set: byId("mine-set") };
  const start = byId("mine-start");
  let labels = new Map(); // by model
  let sets = [];
  const requests = createLatest();
  const looks = createLatest(); // at the drawings of a set
  let record = null;
  let stop = null;

  const query = () => new URLSearchParams(location.search);

  function remember(values) {
    const next = query();
    for (const [key, value] of Object.entries(values)) {
      if (value === null) next.delete(key);
      else next.set(key, value);
    }
    history.replaceState(null, "", `?${next}`);
  }

  const untilAnswered = (load) => retryWhileAway(load, (seconds) => setText(byId("mine-error"), awayText(seconds)));

  async function begin() {
    const listed = await untilAnswered(() => get("/api/models"));
    setText(byId("mine-error"), "");
    const usable = listed.models.filter(({ available }) => available);
    labels = new Map(usable.map((model) => [model.name, model.labels]));
    const requested = query().get("model");
    const chosen = labels.has(requested) ? requested : listed.default;
    choices.model.replaceChildren(...usable.map(({ name }) => element("option", { value: name, selected: name === chosen }, name)));
    choices.model.disabled = usable.length === 0;
    await showSets();
    const run = Number(query().get("run"));
    if (Number.isInteger(run) && run > 0) await follow(run);
  }

  async function showSets() {
    const signal = requests.begin();
    const model = choices.model.value;
    start.disabled = true;
    sets = [];
    if (model === "") return setText(byId("mine-count"), t("There is no usable model."));
    try {
      const answer = await untilAnswered(() => get(`/api/models/${encodeURIComponent(model)}/personalize`));
      if (signal.aborted) return;
      setText(byId("mine-error"), "");
      ({ sets } = answer);
      const requested = choices.set.disabled ? query().get("set") : choices.set.value;
      const able = sets.filter(({ problem }) => problem === null).map(({ set }) => set);
      const chosen = sets.some(({ set }) => set === requested) ? requested : able.includes(NEW_SET) ? NEW_SET : able[0];
      choices.set.replaceChildren(...sets.map(({ set }) => element("option", { value: set, selected: set === chosen }, set)));
      choices.set.disabled = sets.length === 0;
      showCount();
    } catch (error) {
      if (signal.aborted) return;
      choices.set.replaceChildren();
      choices.set.disabled = true;
      setText(byId("mine-count"), "");
      setText(byId("mine-error"), explain(error));
    } finally {
      byId("mine-form").removeAttribute("aria-busy");
    }
  }

  function showCount() {
    const ready = sets.find(({ set }) => set === choices.set.value);
    const set = ready?.set ?? NEW_SET;
    byId("mine-draw").href = addressOf({ kind: "draw", set, labels: labels.get(choices.model.value) ?? [] });
    setText(byId("mine-count"), countText(ready));
    start.disabled = ready === undefined || ready.problem !== null || isRunning();
    const isEnough = ready !== undefined && ready.needed === 0;
    start.classList.toggle("accent", isEnough);
    byId("mine-draw").classList.toggle("accent", !isEnough);
    showDrawings(ready?.set ?? null);
  }

  async function showDrawings(set) {
    const signal = looks.begin();
    const list = byId("mine-drawings");
    if (set === null) return list.replaceChildren();
    try {
      const { drawings } = await get(`/api/drawings?limit=${THUMBNAILS}&pixels=true&set=${encodeURIComponent(set)}`, { signal });
      if (signal.aborted) return;
      list.replaceChildren(...drawings.map(({ label, pixels }) => element("li", {}, createBitmap(fromBase64(pixels)), element("span", { class: "visually-hidden" }, label))));
    } catch (error) {
      if (!signal.aborted) setText(byId("mine-error"), explain(error));
    }
  }

  const isRunning = () => record !== null && !hasEnded(record);

  byId("mine-form").addEventListener("change", ({ target }) => {
    remember({ [target.name]: target.value });
    if (target === choices.model) showSets();
    else showCount();
  });

  byId("mine-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (start.disabled) return;
    start.disabled = true;
    setText(byId("mine-error"), "");
    byId("mine-result").hidden = true;
    try {
      const run = await post(`/api/models/${encodeURIComponent(choices.model.value)}/personalize`, { set: choices.set.value });
      remember({ model: choices.model.value, set: choices.set.value, run: run.id });
      await follow(run.id);
      byId("mine-run-title").focus();
    } catch (error) {
      setText(byId("mine-error"), explain(error));
      showCount();
    }
  });

  async function follow(id) {
    stop?.();
    try {
      record = recordOf(await untilAnswered(() => get(`/api/runs/${id}`)));
    } catch (error) {
      remember({ run: null });
      setText(byId("mine-error"), explain(error));
      return;
    }
    byId("mine-run").hidden = false;
    byId("mine-run-link").href = withRoot(`/runs/${id}`);
    showProgress();
    stop = followRun(id, {
      onMessage: (message) => {
        record = withMessage(record, message);
        showProgress();
      },
      onReset: () => {
        record = forgetEvents(record);
      },
      onLost: (seconds) => setText(byId("mine-line"), awayText(seconds)),
      onDone: finish,
      onGone: () => {
        record = null;
        byId("mine-run").hidden = true;
        remember({ run: null });
        setText(byId("mine-error"), t("This run no longer exists."));
        showCount();
      },
    });
  }

  function showProgress() {
    const bar = byId("mine-progress");
    const done = Math.round(100 * (fractionDone(record) ?? 0));
    bar.setAttribute("aria-valuenow", String(done));
    bar.dataset.state = record.state;
    bar.querySelector(".progress-fill").style.width = `${done}%`;
    setText(byId("mine-line"), record.state === "failed" && record.error ? explain(new Error(record.error)) : progressLine(record));
  }

  async function finish() {
    showCount();
    if (record.state !== "succeeded" || !record.model) return;
    let card;
    try {
      card = await untilAnswered(() => get(`/api/models/${encodeURIComponent(record.model)}`));
    } catch (error) {
      return setText(byId("mine-error"), explain(error));
    }
    if (!card.mine) return;
    setText(byId("mine-result-title"), card.name);
    setText(byId("mine-sentence"), mineSentence(card.mine));
    byId("mine-table").replaceChildren(mineTable(card.mine));
    setText(byId("mine-note"), mineNote(card.mine));
    byId("mine-use").href = withRoot(`/?model=${encodeURIComponent(card.name)}`);
    byId("mine-judge").href = withRoot(`/models/${encodeURIComponent(card.name)}/judge`);
    byId("mine-default").dataset.model = card.name;
    byId("mine-run").hidden = true;
    byId("mine-result").hidden = false;
    byId("mine-result-title").focus();
  }

  byId("mine-default").addEventListener("click", async ({ currentTarget: button }) => {
    const { model: name } = button.dataset;
    setText(byId("mine-default-error"), "");
    try {
      if (await chooseDefault(name)) setText(byId("mine-default-done"), t("{name} is now the default.", { name }));
    } catch (error) {
      setText(byId("mine-default-error"), explain(error));
    }
  });

  let isFirst = true;
  followSets({
    onSets() {
      if (!isFirst && !isRunning()) showChanges();
      isFirst = false;
    },
  });
  const showChanges = throttled(showSets, CHANGES_MS);

  begin().catch((error) => setText(byId("mine-error"), explain(error)));
}

function countText(ready) {
  if (ready === undefined) return t("You have no drawings yet. Draw some of each label first.");
  const { set, drawings, needed, unknown } = ready;
  if (unknown.length > 0) {
    const named = unknown.slice(0, 8).join(" ");
    return t("“{set}” also has {labels}, which this model does not know. Train a network on the set instead, or move these to a separate set.", { set, labels: named });
  }
  if (needed > 0 && drawings === 1) return t("1 drawing; {needed} more are needed.", { needed });
  if (needed > 0) return t("{drawings} drawings; {needed} more are needed.", { drawings, needed });
  return t("{drawings} drawings: enough to start. More will make it better.", { drawings });
}

startMinePage();
