// Recent drawings, as thumbnails under the pad, stored in this browser.

import { t } from "../i18n/translate.js";
import { byId, element, setText } from "../lib/dom.js";
import { forGood, keep, recall } from "../lib/storage.js";
import { onThemeChange } from "../lib/theme.js";
import { EMPTY, ofPicture, pack, unpacked } from "./drawing.js";
import { paint } from "./render.js";

const NAME = "digitpad.past";
const MOST = 16; // drawings
const MOST_LENGTH = 2_000_000; // characters of all; browsers store about five million
const SIDE = 96; // pixels of a thumbnail: 48 on a screen with double density
const WORDS = t("Cleared drawings appear here (in this browser only).");

/** The list with a new drawing in front, without duplicates, limited in number and length. */
export function remembered(list, packed, most = MOST, mostLength = MOST_LENGTH) {
  const text = JSON.stringify(packed);
  const all = [packed, ...list.filter((item) => JSON.stringify(item) !== text)].slice(0, most);
  let length = 0;
  return all.filter((item) => (length += JSON.stringify(item).length) <= mostLength);
}

/** The drawing stored as `packed`; null if it cannot be read. */
export async function unpack(packed) {
  const found = unpacked(packed);
  if (found === null) return null;
  if (!found.picture) return { ...EMPTY, strokes: found.strokes };
  try {
    const { fromUrl } = await import("./image-file.js");
    return ofPicture(await fromUrl(found.picture));
  } catch {
    return null;
  }
}

/** Binds the strip; `onChoose(drawing)` gets a chosen one. */
export function createPast({ onChoose }) {
  const strip = byId("past-list");
  const note = byId("past-note");
  const forgetButton = byId("past-forget");
  let forgotten = null; // the removed list, until a new drawing is stored

  const stored = () => {
    const list = recall(forGood, NAME);
    return Array.isArray(list) ? list.filter((item) => unpacked(item) !== null) : [];
  };

  function write(list) {
    for (let rest = list; ; rest = rest.slice(0, -1)) {
      if (keep(forGood, NAME, rest.length > 0 ? rest : null)) return render(rest);
      if (rest.length === 0) return render([], t("This browser cannot save drawings: its storage is full or turned off."));
    }
  }

  function remember(drawing) {
    forgotten = null;
    write(remembered(stored(), pack(drawing)));
  }

  function render(list, words) {
    strip.replaceChildren(...list.map((packed, i) => element("li", {}, thumbnail(packed, i))));
    const undo = forgotten !== null;
    setText(note, words ?? (undo ? t("Deleted.") : list.length > 0 ? "" : WORDS));
    setText(forgetButton, undo ? t("Restore them") : t("Delete these"));
    forgetButton.hidden = list.length === 0 && !undo;
  }

  function thumbnail(packed, index) {
    const canvas = element("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
    const label = t("Restore drawing {number}", { number: index + 1 });
    const button = element("button", { type: "button", class: "thumbnail", "aria-label": label, title: label }, canvas);
    const ready = unpack(packed);
    ready.then((drawing) => drawing && paint(canvas, drawing));
    button.addEventListener("click", async () => {
      const drawing = await ready;
      if (drawing) onChoose(drawing);
    });
    return button;
  }

  forgetButton.addEventListener("click", () => {
    const back = forgotten;
    forgotten = back === null ? stored() : null;
    write(back ?? []);
    if (forgetButton.hidden) strip.focus();
  });
  onThemeChange(() => render(stored()));
  window.addEventListener("storage", (event) => {
    if (event.key === NAME) render(stored());
  });
  render(stored());

  return { remember };
}
