// A set for a whole class to see: how to join, the counts of the labels, and drawings that fly in.

import { BACK, explain, get, post } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { canTrain, followSets, isMissing } from "../../data/follow-sets.js";
import { count } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { datasetOf } from "../../labels/titles.js";
import { byId, element, setMessage, setText } from "../../lib/dom.js";
import { throttled } from "../../lib/latest.js";
import { KINDS } from "../train/sweep-values.js";
import { invitationTo } from "./invitation.js";
import { createNewest } from "./newest.js";

const INVITATION_MS = 5000; // between two looks at the invitation, which another window may end
const DRAWINGS_MS = 300; // between two looks at the drawings
const PAGE = 40; // drawings
const MOST = 200; // drawings that are fetched at once
const LONG_LABEL = 3; // characters

const { set } = byId("projector-drawings").dataset;

/** Runs a task, whose failure is shown in a node until one succeeds. */
async function attempt(node, task) {
  try {
    await task();
    setText(node, "");
  } catch (failure) {
    setText(node, explain(failure));
  }
}

function startInvitation() {
  const invitation = invitationTo(set);
  const button = byId("projector-invite");

  function show({ expires, made }) {
    const [, host, code] = /^\w+:\/\/(.*\/)(.*)$/.exec(made?.address ?? "") ?? [];
    byId("projector-code").hidden = made === null;
    byId("projector-qr").hidden = !made?.qr;
    if (made?.qr) byId("projector-qr").src = made.qr;
    setText(byId("projector-host"), host ?? "");
    setText(byId("projector-number"), code ?? "");
    button.hidden = made !== null;
    button.disabled = false;
    setText(button, expires === null ? t("Make an invitation") : t("Make a new invitation"));
    const words = expires === null ? t("There is no invitation.") : made === null ? t("There is an invitation, whose address is shown only where it was made. A new one ends it.") : "";
    setMessage(byId("projector-invitation"), words);
  }

  const after = (ask) => attempt(byId("projector-join-error"), async () => show(await ask()));
  button.addEventListener("click", () => after(invitation.make));
  setInterval(() => document.hidden || after(invitation.find), INVITATION_MS);
  after(invitation.find);
}

function startDrawings() {
  const place = byId("projector-drawings");
  const cards = new Map(); // by label
  const seen = new Set(); // the ids of drawings
  let latest = {}; // the counts by label
  let isFirst = true;

  function showLabels({ declared, labels }) {
    for (const label of new Set([...declared, ...Object.keys(labels)])) {
      if (!cards.has(label)) {
        const name = element("strong", { class: "projector-name", "data-long": [...label].length > LONG_LABEL }, label);
        const number = element("span", { class: "projector-count" });
        const newest = element("ul", { class: "projector-newest", "aria-hidden": "true" });
        byId("projector-labels").append(element("li", { class: "projector-label", "data-label": label }, element("div", { class: "projector-row" }, name, number, newest)));
        cards.set(label, { number, ...createNewest(newest) });
      }
      setText(cards.get(label).number, count(labels[label] ?? 0));
    }
  }

  /** The drawings that were not seen before, the oldest first. */
  async function findNew() {
    const found = [];
    for (let before = null; found.length < MOST; ) {
      const query = new URLSearchParams({ set, limit: PAGE });
      if (before !== null) query.set("before", before);
      const { drawings, next } = await get(`/api/drawings?${query}`);
      const unseen = drawings.filter(({ id }) => !seen.has(id));
      found.push(...unseen);
      if (unseen.length < drawings.length || next === null) break;
      before = next;
    }
    return found.reverse();
  }

  const showNew = throttled(
    () =>
      attempt(byId("projector-error"), async () => {
        const found = await findNew();
        for (const drawing of found) {
          seen.add(drawing.id);
          cards.get(drawing.label)?.add(drawing, { flying: !isFirst });
        }
        isFirst = false;
        place.removeAttribute("aria-busy");
      }),
    DRAWINGS_MS,
  );

  function hear(details) {
    const { labels } = details;
    const isLess = Object.entries(latest).some(([label, number]) => (labels[label] ?? 0) < number);
    latest = labels;
    if (isLess) {
      // some were deleted or have another label now
      seen.clear();
      for (const card of cards.values()) card.clear();
      isFirst = true;
    }
    showLabels(details);
    for (const id of ["projector-train", "projector-race"]) byId(id).hidden = !canTrain(details);
    setText(byId("projector-total"), isMissing(details) ? t("There is no such data set") : details.count === 1 ? t("1 drawing") : t("{count} drawings", { count: count(details.count) }));
    showNew();
  }

  window.addEventListener(BACK, showNew);
  followSets({ set, onSets: (sets) => sets.forEach(hear) });
}

function startRace() {
  const button = byId("projector-race");
  button.addEventListener("click", async () => {
    button.disabled = true;
    await attempt(byId("projector-error"), async () => {
      const config = { recipe: "quick", overrides: { dataset: datasetOf(set) } };
      const { tag } = await post("/api/races", { config, vary: "optimizer", values: KINDS.optimizer.values() });
      location.assign(withRoot(`/compare?tag=${encodeURIComponent(tag)}`));
    });
    button.disabled = false;
  });
}

byId("projector-full").hidden = !document.fullscreenEnabled;
byId("projector-full").addEventListener("click", () => document.documentElement.requestFullscreen());
startInvitation();
startDrawings();
startRace();
