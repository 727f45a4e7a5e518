// Makes a model the default; where the server says that it forgot too much, the person is asked.

import { explain, post, Refused } from "../api/client.js";
import { t } from "../i18n/translate.js";
import { confirmed } from "../lib/dialog.js";

/** Whether it is the default now; false where the person would rather keep the other. Throws what `post` throws. */
export async function chooseDefault(name) {
  const address = `/api/models/${encodeURIComponent(name)}/default`;
  try {
    await post(address);
    return true;
  } catch (error) {
    if (!(error instanceof Refused && error.answer?.code === "accuracy_dropped")) throw error; // a damaged model, for one, cannot be forced
    const sure = await confirmed({ title: t("Make {name} the default anyway?", { name }), text: explain(error), action: t("Make default") });
    if (!sure) return false;
    await post(`${address}?force=true`);
    return true;
  }
}
