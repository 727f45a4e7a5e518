// Makes a model the default, with a confirmation if it is less accurate than its parent.

import { explain, post, Refused } from "../api/client.js";
import { t } from "../i18n/translate.js";
import { confirmed } from "../lib/dialog.js";

/** Returns true if it is the default now, false if the user declined. Throws as `post`. */
export async function chooseDefault(name) {
  const address = `/api/models/${encodeURIComponent(name)}/default`;
  try {
    await post(address);
    return true;
  } catch (error) {
    if (!(error instanceof Refused && error.answer?.code === "accuracy_dropped")) throw error;
    const sure = await confirmed({ title: t("Make {name} the default anyway?", { name }), text: explain(error), action: t("Make default") });
    if (!sure) return false;
    await post(`${address}?force=true`);
    return true;
  }
}
