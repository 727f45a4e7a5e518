// Deletion of runs with undo: the request is sent after some seconds.

import { explain, remove } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { t } from "../../i18n/translate.js";
import { element, setText } from "../../lib/dom.js";

const SECONDS = 8; // to undo; paused while the notice has the pointer or the keyboard focus

/**
 * Shows notices on the page. `onHide(id)` is called to hide a run, `onBack(id)` to show it again,
 * `onFail(id, text)` if the server did not delete it, `onGone(id)` if it did.
 */
export function createUndo({ onHide, onBack, onFail, onGone }) {
  const pending = new Map();
  const place = element("div", { class: "undo-notices", role: "status" });
  document.body.append(place);

  /** Hides the run at once; sends the request when the time is over, or the page is left. */
  function deleteRun(id) {
    if (pending.has(id)) return;
    const undo = element("button", { class: "button", type: "button" }, t("Undo"));
    const notice = element("p", { class: "undo-notice" }, element("span", {}, t("Run {id} was deleted.", { id })), undo);
    const one = { notice, left: SECONDS * 1000, timer: 0, since: 0 };
    pending.set(id, one);
    undo.addEventListener("click", () => takeBack(id));
    notice.addEventListener("pointerenter", () => stop(one));
    notice.addEventListener("pointerleave", () => go(id));
    notice.addEventListener("focusin", () => notice.querySelector(":focus-visible") && stop(one));
    notice.addEventListener("focusout", () => go(id));
    place.append(notice);
    onHide(id);
    go(id);
    return undo;
  }

  function go(id) {
    const one = pending.get(id);
    if (one === undefined || one.timer !== 0 || one.notice.matches(":hover, :has(:focus-visible)")) return;
    one.since = performance.now();
    one.timer = setTimeout(() => finish(id), one.left);
  }

  function stop(one) {
    if (one.timer === 0) return;
    clearTimeout(one.timer);
    one.timer = 0;
    one.left = Math.max(2000, one.left - (performance.now() - one.since));
  }

  function close(id) {
    const one = pending.get(id);
    if (one === undefined) return;
    clearTimeout(one.timer);
    pending.delete(id);
    one.notice.remove();
  }

  function takeBack(id) {
    close(id);
    onBack(id);
  }

  async function finish(id) {
    const { notice } = pending.get(id);
    notice.lastElementChild.disabled = true;
    setText(notice.firstElementChild, t("Deleting run {id} …", { id }));
    try {
      await remove(`/api/runs/${id}`);
      close(id);
      onGone(id);
    } catch (error) {
      close(id);
      if (error.status === 404) return onGone(id); // deleted elsewhere meanwhile
      onFail(id, explain(error));
    }
  }

  // The last event in which a page can send a request.
  window.addEventListener("pagehide", () => {
    for (const id of [...pending.keys()]) {
      fetch(withRoot(`/api/runs/${id}`), { method: "DELETE", keepalive: true, headers: { accept: "application/json" } }).catch(() => {});
      close(id);
    }
  });

  return { deleteRun, isPending: (id) => pending.has(id) };
}
