// The log of a run, a line for each event.

import { count, locale, loss, percent } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { byId, element, setText } from "../lib/dom.js";

const MOST_LINES = 400; // older ones are in the table of epochs and in the API
const CLOCK = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });

/** An event as a sentence. */
export function eventText({ type, data }) {
  switch (type) {
    case "queued":
      return t("Queued.");
    case "started":
      return data.parameters ? t("Started: {count} parameters.", { count: count(data.parameters) }) : t("Started.");
    case "epoch":
      return epochText(data);
    case "paused":
      return t("Paused.");
    case "resumed":
      return t("Resumed.");
    case "evaluated":
      return t("Tested: accuracy {accuracy}, loss {loss}.", { accuracy: percent(data.test_accuracy, 2), loss: loss(data.test_loss) });
    case "model_saved":
      return t("Saved as the model “{model}”.", { model: data.model });
    case "succeeded":
      return t("Done.");
    case "failed":
      return t("Failed: {error}", { error: data.error ?? "" });
    case "cancelled":
      return data.not_kept ? t("Cancelled; its model was not saved: {why}", { why: data.not_kept }) : t("Cancelled.");
    default:
      return type;
  }
}

function epochText(data) {
  const { epoch, epochs, train_loss: trained, val_loss: validated, val_accuracy: accuracy } = data;
  const words = [t("Epoch {epoch} of {epochs}: training loss {loss}", { epoch, epochs: epochs ?? "?", loss: loss(trained) })];
  if (typeof validated === "number") words.push(t("validation loss {loss}, accuracy {accuracy}", { loss: loss(validated), accuracy: percent(accuracy, 2) }));
  if (typeof data.seconds === "number") words.push(t("{seconds} s", { seconds: data.seconds.toFixed(2) }));
  return words.join(" · ");
}

/** Runs the log of the page; `show(record)` appends new events. */
export function createEventLog() {
  const place = byId("event-log");
  const frame = place.parentElement;
  let run = null;
  let last = 0;

  return function show({ id, events }) {
    if (id !== run || (events.at(-1)?.seq ?? 0) < last) {
      [run, last] = [id, 0];
      place.replaceChildren();
    }
    const fresh = events.slice(-MOST_LINES).filter(({ seq }) => seq > last);
    setText(byId("event-log-empty"), events.length === 0 ? t("Nothing has happened yet.") : "");
    if (fresh.length === 0) return;
    last = fresh.at(-1).seq;
    const atEnd = frame.scrollHeight - frame.scrollTop - frame.clientHeight < 8;
    place.append(...fresh.map(line));
    while (place.children.length > MOST_LINES) place.firstElementChild.remove();
    if (atEnd) frame.scrollTop = frame.scrollHeight;
  };
}

function line(event) {
  const when = new Date(event.time);
  const clock = Number.isNaN(when.getTime()) ? "" : CLOCK.format(when);
  return element("li", { "data-type": event.type }, element("time", { datetime: event.time }, clock), " ", eventText(event));
}
