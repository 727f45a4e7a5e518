// A slider over the moments of a run, with Play and Latest: the parts `NAME-epoch`, `-epoch-value`, `-play` and `-follow` of the page.

import { t } from "../i18n/translate.js";
import { byId, setText } from "../lib/dom.js";
import { epochText, keyOf, whenText } from "./moments.js";

const FRAME = 350; // ms of a moment while the film plays

/** `onChange(position, isLatest)` is called with the chosen position, or null if there is none; it may return a promise that Play waits for. */
export function createTimeline(name, onChange) {
  const slider = byId(`${name}-epoch`);
  const output = byId(`${name}-epoch-value`);
  const follow = byId(`${name}-follow`);
  const play = byId(`${name}-play`);
  let positions = [];
  let total = 0;
  let chosen = null; // the key of the chosen position; null follows the newest
  let film = 0; // the number of the film that plays; 0 for none
  let films = 0;

  function at() {
    const index = chosen === null ? -1 : positions.findIndex((position) => keyOf(position) === chosen);
    return index < 0 ? positions.length - 1 : index;
  }

  /** Takes the positions, in order, and the number of epochs of the run. */
  function show(next, epochs) {
    [positions, total] = [next, epochs];
    return render();
  }

  function render() {
    const index = at();
    const position = positions[index] ?? null;
    slider.min = "0";
    slider.max = String(Math.max(0, positions.length - 1));
    slider.value = String(Math.max(0, index));
    slider.disabled = play.disabled = positions.length < 2;
    follow.disabled = chosen === null;
    setText(output, position === null ? "–" : t("{epoch} of {epochs}", { epoch: epochText(position), epochs: total }));
    const spoken = position === null ? "" : position.batch > 0 ? whenText(position) : t("epoch {epoch} of {epochs}", { epoch: position.epoch, epochs: total });
    slider.setAttribute("aria-valuetext", spoken);
    return onChange(position, chosen === null);
  }

  /** Shows the position with this index; the last one is the newest. */
  function go(index) {
    chosen = index >= positions.length - 1 ? null : keyOf(positions[index]);
    return render();
  }

  /** Lets the moments go by, from the first again if the last is shown. */
  async function start() {
    films += 1;
    const mine = films;
    film = mine;
    setText(play, t("Pause"));
    for (let index = chosen === null ? 0 : at(); film === mine; index += 1) {
      const shown = new Promise((resolve) => setTimeout(resolve, FRAME));
      await go(index);
      if (index >= positions.length - 1) return stop();
      await shown;
    }
    return undefined;
  }

  function stop() {
    film = 0;
    setText(play, t("Play"));
  }

  function reset() {
    stop();
    chosen = null;
  }

  play.addEventListener("click", () => (film === 0 ? start() : stop()));
  slider.addEventListener("input", () => {
    stop();
    go(Number(slider.value));
  });
  follow.addEventListener("click", () => {
    reset();
    render();
    slider.focus();
  });

  return { show, go, stop, reset, render, at, count: () => positions.length, caption: () => (positions.length === 0 ? "" : t("epoch {epoch} of {epochs}", { epoch: epochText(positions[at()]), epochs: total })) };
}
