// The contents of a data set: the class balance, and its pictures page by page.

import { explain, get, post, Refused, remove } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { addressOf, isEmptySet, projectorOf } from "../../data/dataset-list.js";
import { count, sentences } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { isImported, ownName, titleOf } from "../../labels/titles.js";
import { confirmed } from "../../lib/dialog.js";
import { byId, element, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { createOwn } from "./drawings.js";
import { createGrid, createLarge, showBalance } from "./grid.js";

const PAGE = 120;

const GROUPINGS = { style: t("Style"), writer: t("Writer"), source: t("Data set") };

/** Creates the view. Returns `{show, hear}`: `show` shows an address, `hear` takes a set that has changed. */
export function createBrowse(page) {
  const balance = byId("balance").parentElement;
  let place = null;
  let pictures = [];
  const requests = createLatest();
  let current = null; // the signal of the latest request

  const grid = createGrid({ onOpen: (at) => open(at) });
  const own = createOwn(page, { again: () => show(place) });
  const open = createLarge({
    pictures: () => pictures,
    titleOf: ({ label, index }, at) => (index === undefined ? t("{label}: drawing {number}", { label, number: at + 1 }) : t("{label}: image {number}", { label, number: index })),
    textOf: (picture) => picture.group ?? own.textOf(picture),
    onRelabel: own.relabel,
    onDelete: own.remove,
  });
  const pager = {
    "first-page": () => 0,
    "previous-page": () => place.offset - PAGE,
    "next-page": () => place.offset + PAGE,
    "last-page": () => (pages() - 1) * PAGE,
    "random-page": () => ((place.offset / PAGE + 1 + Math.floor(Math.random() * (pages() - 1))) % pages()) * PAGE,
  };
  const number = byId("page-number");
  let total = 0;
  let grown = false; // more than the first drawings are shown
  let shownCounts = "";

  for (const [id, offset] of Object.entries(pager)) {
    byId(id).addEventListener("click", () => go({ offset: Math.max(0, offset()) }));
  }
  number.addEventListener("change", () => {
    const page = Math.min(pages(), Math.max(1, Math.trunc(number.valueAsNumber) || 1));
    number.value = page;
    go({ offset: (page - 1) * PAGE });
  });
  for (const input of byId("browse").querySelectorAll("input[type=radio]")) {
    input.addEventListener("change", () => go({ [input.name]: input.value, group: null, offset: 0, ...(input.name === "view" ? { label: null } : {}) }));
  }
  byId("more-drawings").addEventListener("click", async ({ currentTarget: button }) => {
    button.disabled = true;
    const signal = current;
    try {
      const answer = await own.more(place);
      if (signal.aborted) return;
      grown = true;
      pictures = [...pictures, ...answer.pictures];
      grid.show(pictures);
      setText(byId("grid-line"), line(answer));
      button.hidden = !answer.more;
    } catch (failure) {
      page.complain(explain(failure));
    } finally {
      button.disabled = false;
    }
  });

  byId("group").addEventListener("change", ({ target }) => go({ group: target.value || null, offset: 0 }));

  const pages = () => Math.max(1, Math.ceil(total / PAGE));
  const go = (change) => page.go({ ...place, ...change });
  const choose = (label) => go({ label, group: null, offset: 0 });

  async function show(next) {
    place = next;
    const signal = (current = requests.begin());
    const find = () => page.datasets().find(({ name }) => name === place.set);
    let info = find();
    if (info === undefined) return showUnknown();
    const set = ownName(place.set);
    const drawn = set !== null && place.view === "drawn";
    setText(byId("browse-title"), titleOf(info));
    setText(byId("browse-text"), description(info, set));
    byId("browse-actions").replaceChildren(...actions(info, set));
    if (isImported(info.name) || set !== null) byId("browse-actions").append(deleteButton(info));
    byId("views").hidden = set === null;
    byId("splits").hidden = drawn;
    byId("browse").querySelector(`[name=view][value=${place.view}]`).checked = true;
    byId("browse").querySelector(`[name=split][value=${place.split}]`).checked = true;
    if (pictures.length === 0) setText(byId("grid-line"), t("Loading the images …"));
    const answer = await (drawn ? fetchDrawn(set) : fetchRendered());
    if (signal.aborted || answer === null) return;
    if (info.state === "unread") {
      await page.refresh(); // it has been read meanwhile
      if (signal.aborted) return;
      info = find() ?? info;
      setText(byId("browse-text"), description(info, set));
    }
    ({ pictures, total } = answer);
    grown = false;
    shownCounts = JSON.stringify(answer.counts);
    byId("known-labels").replaceChildren(...info.labels.map((label) => element("option", { value: label })));
    balance.hidden = Object.keys(answer.counts).length === 0;
    showBalance(answer.counts, place.label, choose);
    showGroups(answer.grouping ?? null, answer.groups);
    setText(byId("grid-line"), line(answer));
    if (pictures.length > 0) grid.show(pictures);
    else grid.showNothing(element("p", {}, isEmptySet(info) ? t("There are no drawings yet. Draw the first.") : t("There are no images with this label here.")));
    byId("pager").hidden = drawn || total <= PAGE;
    number.value = Math.floor(place.offset / PAGE) + 1;
    number.max = pages();
    setText(byId("page-count"), t("of {count}", { count: count(pages()) }));
    byId("more-drawings").hidden = !answer.more;
    byId("first-page").disabled = byId("previous-page").disabled = place.offset === 0;
    byId("next-page").disabled = byId("last-page").disabled = place.offset + PAGE >= total;
  }

  async function fetchRendered() {
    const query = new URLSearchParams({ split: place.split, offset: place.offset, limit: PAGE });
    if (place.label !== null) query.set("label", place.label);
    if (place.group !== null) query.set("group", place.group);
    try {
      const answer = await page.ask(() => get(`/api/datasets/${encodeURIComponent(place.set)}/digits?${query}`));
      return { pictures: answer.digits, total: answer.total, counts: answer.counts, grouping: answer.grouped_by, groups: answer.groups, more: false };
    } catch (failure) {
      if (!(failure instanceof Refused) || failure.status !== 409) throw failure;
      showMissing(explain(failure));
      return null;
    }
  }

  /** Offers the styles, writers or sources of the images; `groups` are their numbers. */
  function showGroups(grouping, groups) {
    byId("groups").hidden = grouping === null;
    if (grouping === null) return;
    setText(byId("groups-name"), GROUPINGS[grouping]);
    const options = Object.entries(groups).map(([name, number]) => element("option", { value: name }, t("{name} ({count})", { name: grouping === "source" ? titleOf({ name, title: name }) : name, count: count(number) })));
    byId("group").replaceChildren(element("option", { value: "" }, t("all")), ...options);
    byId("group").value = place.group ?? "";
  }

  const fetchDrawn = (set) => page.ask(() => own.fetch(set, place.label));

  function line({ more }) {
    const of = place.label === null ? t("all labels") : t("only {label}", { label: place.label });
    if (total === 0) return of;
    const last = more ? pictures.length : Math.min(place.offset + pictures.length, total);
    return t("{from} to {to} of {total}, {of}", { from: count(place.offset + 1), to: count(last), total: count(total), of });
  }

  function deleteButton(info) {
    const button = element("button", { class: "button", type: "button" }, t("Delete this data set"));
    button.addEventListener("click", () => deleteSet(info));
    return button;
  }

  async function deleteSet(info) {
    const set = ownName(info.name);
    const text = set === null ? t("Its images are deleted from this server. Models that were trained on it stay.") : t("All its drawings are deleted from this server. Models that were trained on them stay.");
    const sure = await confirmed({ title: t("Delete “{name}”?", { name: titleOf(info) }), text, action: t("Delete") });
    if (!sure) return;
    page.complain("");
    try {
      if (set === null) await remove(`/api/datasets/${encodeURIComponent(info.name)}`);
      else await remove(`/api/drawings/sets/${encodeURIComponent(set)}?drawings=true`);
      await page.refresh();
      const next = set === null ? "import" : "make";
      await page.go({ kind: next }, { replace: true });
      byId(`${next}-title`).focus();
      page.say(t("The data set “{name}” was deleted.", { name: titleOf(info) }));
    } catch (failure) {
      page.complain(explain(failure));
    }
  }

  /** Shows that the set is not on this machine yet, or has too few drawings. */
  function showMissing(message) {
    const info = page.datasets().find(({ name }) => name === place.set);
    const parts = [element("p", {}, message)];
    if (info.state === "download" || info.state === "generate") {
      setText(parts[0], sentences(t("{name} is not on this machine yet.", { name: info.title }), info.note));
      const button = element("button", { class: "button accent", type: "button" }, info.state === "download" ? t("Download it now") : t("Draw it now"));
      button.addEventListener("click", () => fetchSet(button));
      parts.push(button);
    }
    pictures = [];
    setText(byId("grid-line"), "");
    byId("pager").hidden = byId("more-drawings").hidden = byId("groups").hidden = true;
    balance.hidden = byId("splits").hidden = true;
    for (const action of byId("browse-actions").children) action.classList.remove("accent");
    grid.showNothing(...parts);
  }

  async function fetchSet(button) {
    button.disabled = true;
    setText(button, t("Working …"));
    page.complain("");
    try {
      await post(`/api/datasets/${encodeURIComponent(place.set)}/fetch`);
      await page.refresh();
      await show(place);
    } catch (failure) {
      page.complain(explain(failure));
      button.disabled = false;
      setText(button, t("Try again"));
    }
  }

  function showUnknown() {
    setText(byId("browse-title"), t("There is no such data set"));
    setText(byId("browse-text"), t("Choose another from the list, or make a new one."));
    byId("browse-actions").replaceChildren();
    balance.hidden = byId("views").hidden = byId("splits").hidden = byId("pager").hidden = byId("more-drawings").hidden = byId("groups").hidden = true;
    setText(byId("grid-line"), "");
    grid.showNothing(element("a", { class: "button accent", href: withRoot("/data?make") }, t("Make a new data set")));
  }

  /** Shows the drawings of a set that has changed on the server, unless somebody is looking at one of them or at older ones. */
  async function hear({ name, labels }) {
    if (ownName(place?.set ?? "") !== name || place.view !== "drawn" || byId("zoom-dialog").open) return;
    if (grown || JSON.stringify(labels) === shownCounts) return;
    await show(place);
  }

  return { show, hear };
}

const FILES = /^(images|folder|npz|csv):/; // whose note says how they were read

const description = (info, set) => sentences(purpose(info, set), info.state === "ready" && !FILES.test(info.name) ? "" : info.note);

const purpose = (info, set) =>
  set === null ? info.description : t("Saved as strokes. For training, each is redrawn many times with different pens and slight distortions.");

function actions(info, set) {
  const train = element("a", { class: info.state === "too-few" ? "button" : "button accent", href: withRoot(`/train?dataset=${encodeURIComponent(info.name)}`) }, t("Train on these"));
  if (set === null) return info.state === "damaged" ? [] : [train];
  const draw = element("a", { class: info.state === "too-few" ? "button accent" : "button", href: addressOf({ kind: "draw", set, labels: info.labels }) }, t("Draw more"));
  const mine = element("a", { class: "button", href: withRoot(`/mine?set=${encodeURIComponent(set)}`) }, t("Make it mine"));
  const save = (format, words) => element("a", { class: "button", href: withRoot(`/api/drawings/export?format=${format}&set=${encodeURIComponent(set)}`), download: true }, words);
  const invite = element("button", { class: "button", type: "button", "data-invite": set }, t("Invite"));
  const projector = element("a", { class: "button", href: projectorOf(set) }, t("Show on the projector"));
  const challenge = element("a", { class: "button", href: withRoot("/challenge#sides") }, t("Two sides, one clock"));
  return [...(info.state === "too-few" ? [] : [train]), draw, invite, projector, challenge, mine, save("png", t("Images (PNG)")), save("json", t("Strokes (JSON)"))];
}
