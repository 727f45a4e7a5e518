// The list of data sets, and the addresses of their views.

import { withRoot } from "../api/root.js";
import { count } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { ownName, titleOf } from "../labels/titles.js";
import { element } from "../lib/dom.js";

const MOST_LABELS = 12;

/** The view of an address: `{kind, ...}` with kind "make", "import", "draw" or "browse" (set null: the first one). */
export function placeOf(search) {
  const query = new URLSearchParams(search);
  if (query.has("make")) return { kind: "make" };
  if (query.has("import")) return { kind: "import" };
  if (query.has("draw")) return { kind: "draw", set: query.get("draw"), labels: [...new Set(query.getAll("label"))] };
  const split = query.get("split") === "test" ? "test" : "train";
  const offset = Math.max(0, Number.parseInt(query.get("offset") ?? "0", 10) || 0);
  return { kind: "browse", set: query.get("set"), view: query.get("view") === "rendered" ? "rendered" : "drawn", split, label: query.get("label"), group: query.get("group"), offset };
}

/** The address of a view. */
export function addressOf({ kind, set, labels = [], view = "drawn", split = "train", label = null, group = null, offset = 0 }) {
  if (kind === "make" || kind === "import") return withRoot(`/data?${kind}`);
  const query = new URLSearchParams();
  query.set(kind === "draw" ? "draw" : "set", set);
  if (kind === "draw") {
    for (const name of labels) query.append("label", name);
    return withRoot(`/data?${query}`);
  }
  if (view === "rendered") query.set("view", view);
  if (split === "test") query.set("split", split);
  if (label !== null) query.set("label", label);
  if (group !== null) query.set("group", group);
  if (offset > 0) query.set("offset", String(offset));
  return withRoot(`/data?${query}`);
}

/** The address of a drawing set's page for the projector. */
export const projectorOf = (set) => withRoot(`/data/projector?set=${encodeURIComponent(set)}`);

/** The links to the data sets, with `current` marked. */
export const setLinks = (datasets, current) =>
  datasets.map((dataset) =>
    element(
      "li",
      {},
      element(
        "a",
        { class: "set", href: hrefOf(dataset), "data-set": dataset.name, "aria-current": dataset.name === current ? "true" : null },
        element("span", { class: "set-name" }, titleOf(dataset)),
        element("span", { class: "set-size" }, sizeText(dataset)),
        element("span", { class: "set-labels" }, labelsText(dataset.labels)),
      ),
    ),
  );

/** True for a set whose labels were chosen, and which has no drawings yet. */
export const isEmptySet = ({ name, state, train, test }) => ownName(name) !== null && state === "too-few" && train + test === 0;

const hrefOf = (dataset) => addressOf(isEmptySet(dataset) ? { kind: "draw", set: ownName(dataset.name) } : { kind: "browse", set: dataset.name });

const sizeText = (dataset) => (isEmptySet(dataset) ? t("empty, draw the first") : sizeOf(dataset));

const sizeOf = ({ train, test, state }) =>
  state === "damaged" ? t("damaged") : state === "unread" ? t("not read yet") : state === "too-few" ? t("not enough to train on yet") : t("{train} training, {test} test", { train: count(train), test: count(test) });

const labelsText = (labels) => (labels.length <= MOST_LABELS ? labels.join(" ") : `${labels.slice(0, MOST_LABELS).join(" ")} …`);
