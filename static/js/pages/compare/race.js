// The words of a race: its title, the time that is left for all of it, and its winner. Nothing here touches the page.

import { percent, roughly } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { hasEnded } from "../../runs/run-state.js";
import { KINDS } from "../train/sweep-values.js";

const TAG = /^race: (\w+) #\d+$/;

/** True if `lines` are runs of one race. */
export const isRace = (lines) => lines.length > 1 && (lines[0].row.race ?? null) !== null && lines.every(({ row }) => row.race === lines[0].row.race);

/** "5 optimizers", from the tag of a race; else the tag. */
export function raceTitle(tag, lines) {
  const kind = TAG.exec(tag)?.[1];
  return isRace(lines) && Object.hasOwn(KINDS, kind ?? "") ? t("{count} {kind}", { count: lines.length, kind: KINDS[kind].name() }) : tag;
}

/** "RMSProp won: 97.13 %", once all runs have ended; "" before, and if none was measured. */
export function verdict(lines) {
  if (!isRace(lines) || lines.some(({ row, gone }) => !gone && !hasEnded(row))) return "";
  const measured = lines.filter(({ row }) => row.state === "succeeded" && Number.isFinite(row.test_accuracy));
  if (measured.length === 0) return "";
  const accuracy = percent(Math.max(...measured.map(({ row }) => row.test_accuracy)), 2);
  const first = measured.filter(({ row }) => percent(row.test_accuracy, 2) === accuracy).map(({ name }) => name.replace(/^#\d+ /, ""));
  return first.length === 1 ? t("{name} won: {accuracy} of the test images", { name: first[0], accuracy }) : t("A tie between {names}: {accuracy} of the test images", { names: first.join(", "), accuracy });
}

/** "about 1 min left for all": from the seconds of the epochs so far, with the mean of all for runs without any; "" if unknown. */
export function timeLeft(lines) {
  const active = lines.filter(({ row, gone }) => !gone && ["queued", "running"].includes(row.state));
  const speeds = lines.filter(({ points }) => points.length > 0).map(({ points }) => points.at(-1).elapsed / points.length);
  if (!isRace(lines) || active.length === 0 || speeds.length === 0) return "";
  const mean = speeds.reduce((sum, speed) => sum + speed, 0) / speeds.length;
  const seconds = active.reduce((sum, { row, points }) => {
    const done = points.at(-1);
    return sum + (row.config.epochs - (done?.epoch ?? 0)) * (done === undefined ? mean : done.elapsed / points.length);
  }, 0);
  return t("about {time} left for all", { time: roughly(Math.max(1, Math.round(seconds))) });
}
