// Buttons that save the positions of a player as an animated GIF, or as a zip of PNGs.

import { t } from "../../i18n/translate.js";
import { element } from "../../lib/dom.js";

/** The two buttons, for a player with `count()` positions, the canvas that it paints, and the film's `name()` and `caption()`. */
export function filmButtons({ title, play, count, canvas, name, caption }) {
  const words = { gif: t("Save as a film (GIF): {part}", { part: title }), png: t("Save as pictures (PNG): {part}", { part: title }) };
  return Object.entries(words).map(([kind, label]) => {
    const button = element("button", { type: "button", class: "quiet", "data-kind": kind, "aria-label": label }, kind.toUpperCase());
    button.addEventListener("click", async () => {
      const { saveFilm } = await import("../../runs/film.js");
      play.stop();
      await saveFilm(button, { name: name(), count: count(), at: play.at(), go: play.set, picture: () => canvas, caption });
    });
    return button;
  });
}
