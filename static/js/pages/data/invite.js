// The dialog that invites others to draw into one set.

import { explain, get, post, remove } from "../../api/client.js";
import { moment } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { byId, setText } from "../../lib/dom.js";
import { forTab, keep, recall } from "../../lib/storage.js";

const NAME = "invitations"; // `{address, qr, expires}` by set: the server tells an address only once

/** Returns `open(set)`, which shows the dialog with the invitation to a set. */
export function createInvite() {
  const dialog = byId("invite-dialog");
  const address = byId("invite-address");
  let set = null;

  const known = () => recall(forTab, NAME) ?? {};
  const path = () => `/api/drawings/sets/${encodeURIComponent(set)}/invitation`;

  /** `expires` is null without an invitation; `made` is what this tab knows of it. */
  function show(expires, made = null) {
    byId("invite-shown").hidden = made === null;
    byId("invite-qr").hidden = !made?.qr;
    if (made?.qr) byId("invite-qr").src = made.qr;
    address.value = made?.address ?? "";
    byId("invite-end").hidden = expires === null;
    byId("invite-make").hidden = made !== null;
    setText(byId("invite-make"), expires === null ? t("Make an invitation") : t("Make a new invitation"));
    const until = expires === null ? "" : t("It ends by itself on {time}.", { time: moment(expires) });
    const elsewhere = expires !== null && made === null ? t("There is an invitation, whose address is shown only where it was made. A new one ends it.") : "";
    setText(byId("invite-until"), elsewhere || until);
    setText(byId("invite-error"), "");
  }

  function remember(made) {
    keep(forTab, NAME, { ...known(), [set]: made });
  }

  async function attempt(task) {
    try {
      await task();
    } catch (failure) {
      setText(byId("invite-error"), explain(failure));
    }
  }

  byId("invite-make").addEventListener("click", () =>
    attempt(async () => {
      const made = await post(path());
      remember(made);
      show(made.expires, made);
    }),
  );
  byId("invite-end").addEventListener("click", () =>
    attempt(async () => {
      await remove(path());
      remember(null);
      show(null);
      setText(byId("invite-until"), t("The invitation has ended."));
    }),
  );
  byId("invite-copy").addEventListener("click", async () => {
    address.select();
    try {
      await navigator.clipboard.writeText(address.value);
      setText(byId("invite-until"), t("Copied."));
    } catch {
      setText(byId("invite-until"), t("Press Ctrl+C to copy it.")); // browsers have no clipboard on plain HTTP
    }
  });

  return function open(name) {
    set = name;
    show(null);
    setText(byId("invite-title"), t("Invite to draw “{name}”", { name }));
    dialog.showModal();
    return attempt(async () => {
      const { expires } = await get(path());
      if (set !== name) return;
      const made = known()[name] ?? null;
      show(expires, made?.expires === expires ? made : null);
    });
  };
}
