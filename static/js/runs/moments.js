// The moments of a run that a slider goes over: those kept within the first epoch, then its epochs. Nothing here touches the page.

import { t } from "../i18n/translate.js";

/**
 * The positions, in order, from the `epochs` of the log and the `kept` moments of the server. Each is
 * `{epoch, batch, batches, kept, data}`: finished epochs and further batches, whether the weights were kept, and the epoch's event or null.
 */
export function positionsOf(epochs, kept) {
  const isKept = new Set(kept.map(keyOf));
  const ends = epochs.map((data) => ({ epoch: data.epoch, batch: 0, batches: 0, kept: isKept.has(keyOf({ epoch: data.epoch, batch: 0 })), data }));
  const known = new Set(ends.map(keyOf));
  const within = kept.filter((moment) => moment.epoch === 0 && !known.has(keyOf(moment))).map((moment) => ({ ...moment, kept: true, data: null }));
  return [...within, ...ends].sort((a, b) => a.epoch - b.epoch || a.batch - b.batch);
}

/** The name of a moment among those of a run. */
export const keyOf = ({ epoch, batch }) => `${epoch}/${batch}`;

/** "3", or "0.17" within the first epoch: the number of epochs done. */
export const epochText = ({ epoch, batch, batches }) => (batch === 0 ? String(epoch) : String(epoch + Number((batch / batches).toPrecision(2))));

/** "after batch 104 of 600". */
export function whenText(position) {
  if (position.batch > 0) return t("after batch {batch} of {batches}", position);
  return position.epoch === 0 ? t("before the first step") : t("after epoch {epoch}", { epoch: position.epoch });
}
