// Deletion of runs with undo: the request is sent after some seconds.

import { explain, remove } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { t } from "../../i18n/translate.js";
import { element, setText } from "../../lib/dom.js";

const SECONDS = 8; // to undo; paused while the notice has the pointer or the keyboard focus

/**
 * Shows notices on the page. `onHide()` is called to hide runs, `onBack(id)` to show them again, the first being `id`,
 * `onFail(id, text)` if the server did not delete one, `onGone(ids)` for those that it did.
 */
export function createUndo({ onHide, onBack, onFail, onGone }) {
  const pending = new Set(); // of {ids, notice, left, timer, since}
  const place = element("div", { class: "undo-notices", role: "status" });
  document.body.append(place);

  const isPending = (id) => [...pending].some(({ ids }) => ids.includes(id));

  /** Hides runs at once; sends the requests when the time is over, or the page is left. Returns the button to undo it. */
  function deleteRuns(wanted) {
    const ids = wanted.filter((id) => !isPending(id));
    if (ids.length === 0) return undefined;
    const undo = element("button", { class: "button", type: "button" }, t("Undo"));
    const words = ids.length === 1 ? t("Run {id} was deleted.", { id: ids[0] }) : t("{count} runs were deleted.", { count: ids.length });
    const notice = element("p", { class: "undo-notice" }, element("span", {}, words), undo);
    const one = { ids, notice, left: SECONDS * 1000, timer: 0, since: 0 };
    pending.add(one);
    undo.addEventListener("click", () => takeBack(one));
    notice.addEventListener("pointerenter", () => stop(one));
    notice.addEventListener("pointerleave", () => go(one));
    notice.addEventListener("focusin", () => notice.querySelector(":focus-visible") && stop(one));
    notice.addEventListener("focusout", () => go(one));
    place.append(notice);
    onHide();
    go(one);
    return undo;
  }

  function go(one) {
    if (!pending.has(one) || one.timer !== 0 || one.notice.matches(":hover, :has(:focus-visible)")) return;
    one.since = performance.now();
    one.timer = setTimeout(() => finish(one), one.left);
  }

  function stop(one) {
    if (one.timer === 0) return;
    clearTimeout(one.timer);
    one.timer = 0;
    one.left = Math.max(2000, one.left - (performance.now() - one.since));
  }

  function close(one) {
    clearTimeout(one.timer);
    pending.delete(one);
    one.notice.remove();
  }

  function takeBack(one) {
    if (!pending.has(one)) return;
    close(one);
    onBack(one.ids[0]);
  }

  async function finish(one) {
    const { notice, ids } = one;
    notice.lastElementChild.disabled = true;
    setText(notice.firstElementChild, ids.length === 1 ? t("Deleting run {id} …", { id: ids[0] }) : t("Deleting {count} runs …", { count: ids.length }));
    const gone = [];
    let failed = null;
    for (const id of ids) {
      try {
        await remove(`/api/runs/${id}`);
        gone.push(id);
      } catch (error) {
        if (error.status === 404) gone.push(id); // deleted elsewhere meanwhile
        else failed ??= [id, explain(error)];
      }
    }
    close(one);
    onGone(gone);
    if (failed !== null) onFail(...failed);
  }

  // The last event in which a page can send a request.
  window.addEventListener("pagehide", () => {
    for (const one of [...pending]) {
      for (const id of one.ids) fetch(withRoot(`/api/runs/${id}`), { method: "DELETE", keepalive: true, headers: { accept: "application/json" } }).catch(() => {});
      close(one);
    }
  });

  return { deleteRuns, isPending };
}
