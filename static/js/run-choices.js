// What can be asked of a run in the state that it is in. Nothing here touches the page.

import { epochsDone, hasEnded } from "./run-record.js";
import { couldUseStrokes } from "./run-words.js";
import { t } from "./words.js";

/**
 * The text of each button that makes sense for `record`, null for the others. `asking` is what was asked for and not
 * answered yet: "pause", "resume", "cancel" or null. `busy` tells which buttons wait for a wish that is on its way.
 */
export function choices(record, asking = null) {
  const { state, model, checkpoint, reason } = record;
  const ended = hasEnded(record);
  const failed = state === "failed";
  const isPersonal = !canKeepModel(record);
  const canGoOn = ended && checkpoint !== null && reason !== "diverged" && !isPersonal; // which would diverge again, bit for bit
  const hasModel = ended && model !== null;
  return {
    pause: ended ? null : pauseText(record, asking),
    cancel: ended ? null : isCancelling(record, asking) ? t("Cancelling …") : t("Cancel"),
    again: ended ? t("Run again") : null,
    goOn: canGoOn && failed ? t("Go on from its last checkpoint") : null,
    further: canGoOn && !failed ? t("Train further") : null,
    fineTune: hasModel ? t("Fine-tune this model") : null,
    useModel: hasModel,
    makeDefault: hasModel,
    seeMine: hasModel && isPersonal,
    strokes: couldUseStrokes(record),
    busy: {
      pause: asking !== null || isCancelling(record, asking) || (state !== "paused" && record.pauseRequested),
      cancel: asking !== null || isCancelling(record, asking),
    },
  };
}

/** Whether its model can be kept before the end; one that is made somebody's own is first compared with that it began from. */
export const canKeepModel = ({ config }) => !config?.personal;

const isCancelling = ({ cancelRequested }, asking) => cancelRequested || asking === "cancel";

function pauseText({ state, pauseRequested }, asking) {
  if (state === "paused") return asking === "resume" ? t("Resuming …") : t("Resume");
  return pauseRequested || asking === "pause" ? t("Pausing …") : t("Pause");
}

/** How many epochs more to offer: those that are left or, where all are done, as many again. */
export function epochsToOffer({ state, config, epochs }) {
  const first = epochs.find(({ epoch }) => epoch > 0)?.epoch ?? 1; // not 1 where it went on after another run
  const left = config.epochs - epochsDone({ epochs });
  return state === "cancelled" && left > 0 ? left : config.epochs - first + 1;
}
