// The page of augmentation: settings as sliders, and pictures before and after.

import { explain, get } from "../api/client.js";
import { awayText, retryWhileAway } from "../api/retry.js";
import { withRoot } from "../api/root.js";
import { t } from "../i18n/translate.js";
import { createBitmap, fromBase64 } from "../images/bitmap.js";
import { titleOf } from "../labels/titles.js";
import { byId, element, setText } from "../lib/dom.js";
import { debounced } from "../lib/latest.js";

const PAUSE_MS = 150;
const PICTURES = 10;
const OWN = "drawings:";

/** A round step with about a hundred positions of a slider. */
export const stepOf = ({ minimum, maximum }) => {
  const range = maximum - minimum;
  return range > 100 ? 1 : range > 8 ? 0.1 : 0.01;
};

/** The values of an augmentation that are not the defaults; null if there are none. */
export function specOf(values, fields) {
  const changed = fields.filter(({ name, default: plain }) => values[name] !== plain);
  return changed.length === 0 ? null : Object.fromEntries(changed.map(({ name }) => [name, values[name]]));
}

/** The address of the training page with this augmentation. */
export const trainAddress = (recipe, spec) => withRoot(`/train?${new URLSearchParams({ recipe, augmentation: JSON.stringify(spec) })}`);

function startPage() {
  const form = byId("aug-form");
  const sliders = byId("aug-sliders");
  let recipes = [];
  let fields = [];
  const askSoon = debounced(show, PAUSE_MS);

  const recipe = () => recipes.find(({ name }) => name === form.elements.recipe.value);
  const values = () => Object.fromEntries(fields.map(({ name }) => [name, Number(form.elements[name].value)]));

  async function begin() {
    const load = () => Promise.all(["recipes", "schema", "datasets"].map((name) => get(`/api/${name}`)));
    const [listed, schema, sets] = await retryWhileAway(load, (seconds) => setText(byId("aug-note"), awayText(seconds)));
    recipes = listed.recipes;
    fields = schema.augmentation;
    sliders.replaceChildren(...fields.map(slider));
    const query = new URLSearchParams(location.search);
    const chosen = recipes.find(({ name }) => name === query.get("recipe")) ?? recipes.find(({ config }) => config.augmentation) ?? recipes[0];
    form.elements.recipe.replaceChildren(...recipes.map(({ name, title }) => element("option", { value: name, selected: name === chosen.name }, title || name)));
    const usable = sets.datasets.filter(({ name, state }) => state === "ready" || name.startsWith(OWN));
    const source = query.get("source") ?? chosen.config.dataset.split("+")[0].trim();
    form.elements.source.replaceChildren(...usable.map((info) => element("option", { value: info.name, selected: info.name === source }, titleOf(info))));
    for (const name of ["recipe", "source"]) form.elements[name].disabled = form.elements[name].length === 0;
    for (const name of ["seed", "epochs"]) if (/^\d{1,10}$/.test(query.get(name) ?? "")) form.elements[name].value = query.get(name);
    put(specFrom(query) ?? chosen.config.augmentation);
    form.removeAttribute("aria-busy");
  }

  /** The augmentation in the address; null if it is missing or invalid. */
  function specFrom(query) {
    try {
      const spec = JSON.parse(query.get("augmentation"));
      return typeof spec === "object" && !Array.isArray(spec) ? spec : null;
    } catch {
      return null;
    }
  }

  function slider({ name, title, explanation, minimum, maximum, ...field }) {
    const id = `aug-${name}`;
    const input = element("input", { id, name, type: "range", min: minimum, max: maximum, step: stepOf({ minimum, maximum }), value: field.default, "aria-describedby": `${id}-note` });
    return element(
      "div",
      { class: "aug-slider" },
      element("label", { for: id }, title),
      element("output", { for: id }, input.value),
      input,
      element("p", { class: "field-note", id: `${id}-note` }, explanation),
    );
  }

  /** Sets the sliders to an augmentation; null sets the defaults. */
  function put(spec) {
    for (const field of fields) {
      const given = spec?.[field.name];
      form.elements[field.name].value = typeof given === "number" ? given : field.default;
    }
    review();
  }

  function review() {
    for (const { name } of fields) setText(sliders.querySelector(`output[for="aug-${name}"]`), form.elements[name].value);
    const spec = specOf(values(), fields);
    byId("aug-use").href = trainAddress(recipe().name, spec);
    const { source, seed, epochs } = form.elements;
    const address = new URLSearchParams({ recipe: recipe().name, source: source.value, seed: seed.value, epochs: epochs.value, augmentation: JSON.stringify(spec) });
    history.replaceState(null, "", `?${address}`);
    askSoon(spec);
  }

  async function show(signal, spec) {
    if (!form.reportValidity()) return;
    const { source, seed, epochs } = form.elements;
    if (source.value === "") return setText(byId("aug-note"), t("There is no data set on this machine yet."));
    const from = source.value.startsWith(OWN) ? { set: source.value.slice(OWN.length) } : { dataset: source.value };
    const query = new URLSearchParams({ recipe: recipe().name, seed: seed.value, epochs: epochs.value, count: PICTURES, spec: JSON.stringify(spec), ...from });
    try {
      const answer = await retryWhileAway(() => get(`/api/augmentation?${query}`), (seconds) => !signal.aborted && setText(byId("aug-note"), awayText(seconds)));
      if (signal.aborted) return;
      setText(byId("aug-error"), "");
      setText(byId("aug-note"), spec === null ? t("Nothing is changed: every epoch has the original images.") : t("Left: original. Then: what {epochs} epochs would see.", { epochs: epochs.value }));
      byId("aug-rows").replaceChildren(...answer.digits.map(row));
    } catch (error) {
      if (signal.aborted) return;
      setText(byId("aug-note"), "");
      setText(byId("aug-error"), explain(error));
    }
  }

  form.addEventListener("input", ({ target }) => (target.name === "recipe" ? put(recipe().config.augmentation) : review()));
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("aug-reset").addEventListener("click", () => put(recipe().config.augmentation));
  byId("aug-none").addEventListener("click", () => put(null));

  begin().catch((error) => setText(byId("aug-error"), explain(error)));
}

function row({ label, before, after }) {
  const pictures = [before, ...after].map((pixels) => createBitmap(fromBase64(pixels)));
  const name = t("{label}: the original image, and {count} changed ones", { label, count: after.length });
  return element("li", { class: "aug-row" }, element("span", { "aria-hidden": "true" }, label), element("div", { class: "aug-images", role: "img", "aria-label": name }, ...pictures));
}

if (byId("aug-form") !== null) startPage();
