// Deletes runs, with some seconds in which that can be undone: until then the server is not asked.

import { explain, remove } from "../../api/client.js";
import { t } from "../../i18n/translate.js";
import { element, setText } from "../../lib/dom.js";

const SECONDS = 8; // for which it can be undone; they stand still while the notice is pointed at, or focused by the keyboard

/**
 * Puts notices on the page. `onHide(id)` and `onBack(id)` hear that a run is to vanish or is there again,
 * `onFail(id, text)` that the server did not delete it, `onGone(id)` that it did.
 */
export function createUndo({ onHide, onBack, onFail, onGone }) {
  const pending = new Map();
  const place = element("div", { class: "undo-notices", role: "status" });
  document.body.append(place);

  /** The run vanishes at once; the server hears of it when the time is over, or the page is left. */
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
      if (error.status === 404) return onGone(id); // somebody else was quicker
      onFail(id, explain(error));
    }
  }

  // The last moment at which the browser still lets a page say something.
  window.addEventListener("pagehide", () => {
    for (const id of [...pending.keys()]) {
      fetch(`/api/runs/${id}`, { method: "DELETE", keepalive: true, headers: { accept: "application/json" } }).catch(() => {});
      close(id);
    }
  });

  return { deleteRun, isPending: (id) => pending.has(id) };
}
