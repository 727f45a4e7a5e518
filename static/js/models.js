// The models that are kept: what each is, and what can be done with it.

import { explain, get, post, remove } from "./api.js";
import { confirmed } from "./dialog.js";
import { byId, element, setText } from "./dom.js";
import { ago, bytes, count, moment, percent } from "./format.js";
import { awayText, untilAnswered } from "./patience.js";

const MOST_LABELS = 12;

function startModelsPage() {
  const place = byId("models-list");

  async function refresh() {
    try {
      const answer = await untilAnswered(() => get("/api/models"), (seconds) => {
        place.replaceChildren(element("p", { class: "soft models-wait", role: "status" }, awayText(seconds)));
      });
      place.replaceChildren(answer.models.length === 0 ? emptyState() : cards(answer, act));
    } catch (error) {
      place.replaceChildren();
      setText(byId("models-error"), explain(error));
    }
    place.removeAttribute("aria-busy");
  }

  /** Does something to a model, and shows the list anew. */
  async function act(task, done) {
    setText(byId("models-error"), "");
    try {
      await task();
      setText(byId("models-spoken"), done);
    } catch (error) {
      setText(byId("models-error"), explain(error));
    }
    await refresh();
  }

  refresh();
}

const emptyState = () =>
  element(
    "div",
    { class: "card blank-slate" },
    element("h2", {}, "No models yet"),
    element("p", { class: "soft" }, "A network that you train is kept here when it is done."),
    element("p", {}, element("a", { class: "button accent", href: "/train" }, "Train a network")),
  );

const cards = ({ models, default: chosen }, act) =>
  element("ul", { class: "model-list" }, ...models.map((model) => card(model, model.name === chosen, act)));

const address = ({ name }) => `/api/models/${encodeURIComponent(name)}`;

function card(model, isDefault, act) {
  return element(
    "li",
    { class: "card model", "data-model": model.name },
    element(
      "div",
      { class: "model-head" },
      element("h2", {}, model.name),
      isDefault ? element("span", { class: "badge" }, "default") : null,
      model.shipped ? element("span", { class: "badge quiet-badge" }, "comes with digitpad") : null,
    ),
    model.available ? facts(model) : element("p", { class: "model-reason" }, `It cannot be used: ${model.reason}`),
    actions(model, isDefault, act),
  );
}

function facts(model) {
  const { test_accuracy: test, val_accuracy: validation } = model.metrics ?? {};
  const [accuracy, pictures] = test === undefined && validation !== undefined ? [validation, "validation"] : [test, "test"];
  return element(
    "div",
    { class: "model-facts" },
    element("p", { class: "model-accuracy" }, element("strong", {}, percent(accuracy, 2)), ` of the ${pictures} pictures`),
    element(
      "dl",
      {},
      ...fact("Network", model.network),
      ...fact("Size", `${count(model.parameters)} parameters, ${bytes(model.bytes)}`),
      ...fact("Labels", labelsText(model.labels)),
      ...fact("Data set", model.dataset),
      ...fact("Recipe", model.recipe),
      ...fact("Created", whenAndWhere(model)),
    ),
  );
}

const fact = (term, value) => (value ? [element("div", {}, element("dt", {}, term), element("dd", {}, value))] : []);

const labelsText = (labels) =>
  labels.length <= MOST_LABELS ? labels.join(" ") : `${labels.slice(0, MOST_LABELS).join(" ")} and ${labels.length - MOST_LABELS} more`;

function whenAndWhere({ created, run }) {
  if (!created) return null;
  const time = element("time", { datetime: created, title: moment(created) }, ago(created));
  return run ? element("span", {}, time, " by ", element("a", { href: `/runs/${run}` }, `run ${run}`)) : time;
}

function actions(model, isDefault, act) {
  const row = element("div", { class: "model-actions" });
  const others = element("div", { class: "model-others" });
  if (model.available) {
    row.append(
      element("a", { class: "button", href: `/?model=${encodeURIComponent(model.name)}` }, "Use on the pad"),
      element("a", { class: "button", href: `/train?start=${encodeURIComponent(model.name)}` }, "Fine-tune"),
    );
    if (!isDefault) others.append(button("Make default", () => act(() => post(`${address(model)}/default`), `${model.name} is the default now.`)));
    others.append(element("a", { class: "quiet", href: `${address(model)}/download?format=safetensors`, download: true }, "Download"));
  }
  if (!model.shipped) others.append(button("Delete", () => deleteModel(model, act)));
  row.append(others);
  return row;
}

function button(text, action) {
  const node = element("button", { class: "quiet", type: "button" }, text);
  node.addEventListener("click", action);
  return node;
}

async function deleteModel(model, act) {
  const sure = await confirmed({
    title: `Delete ${model.name}?`,
    text: "What it has learned is gone then, and can only be trained again.",
    action: "Delete",
  });
  if (sure) await act(() => remove(address(model)), `${model.name} is deleted.`);
}

startModelsPage();
