// The dialog that invites others to draw into one set.

import { explain } from "../../api/client.js";
import { projectorOf } from "../../data/dataset-list.js";
import { moment } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { byId, setText } from "../../lib/dom.js";
import { invitationTo } from "./invitation.js";

const UNREACHED = 409;

/** Returns `open(set)`, which shows the dialog with the invitation to a set. */
export function createInvite() {
  const dialog = byId("invite-dialog");
  const address = byId("invite-address");
  let invitation = null;

  /** Shows what the server and this browser know of the invitation, or nothing yet. */
  function show({ expires, made }) {
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

  /** Shows what a task finds out of `invitation`, unless the dialog is about another one meanwhile. */
  async function attempt(task, words = null) {
    const asked = invitation;
    try {
      const found = await task(asked);
      if (invitation !== asked) return;
      show(found);
      if (words !== null) setText(byId("invite-until"), words);
    } catch (failure) {
      if (invitation !== asked) return;
      setText(byId("invite-error"), explain(failure));
      if (failure.status === UNREACHED) byId("invite-make").hidden = true; // by other machines: an invitation would be of no use
    }
  }

  byId("invite-make").addEventListener("click", () => attempt(({ make }) => make()));
  byId("invite-end").addEventListener("click", () => attempt(({ end }) => end(), t("The invitation has ended.")));
  byId("invite-copy").addEventListener("click", async () => {
    address.select();
    try {
      await navigator.clipboard.writeText(address.value);
      setText(byId("invite-until"), t("Copied."));
    } catch {
      setText(byId("invite-until"), t("Press Ctrl+C to copy it.")); // browsers have no clipboard on plain HTTP
    }
  });

  return function open(set) {
    invitation = invitationTo(set);
    show({ expires: null, made: null });
    setText(byId("invite-title"), t("Invite to draw “{name}”", { name: set }));
    byId("invite-projector").href = projectorOf(set);
    dialog.showModal();
    return attempt(({ find }) => find());
  };
}
