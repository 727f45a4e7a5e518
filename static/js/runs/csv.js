// The numbers of every epoch as a file.

import { layerNames } from "./run-state.js";

const COLUMNS = [
  "epoch",
  "train_loss",
  "train_accuracy",
  "val_loss",
  "val_accuracy",
  "learning_rate",
  "seconds",
  "samples_per_second",
];

/** One line per epoch under a line of names; what is not known is left empty. */
export function toCsv(epochs) {
  const columns = [...COLUMNS.map((name) => [name, (epoch) => epoch[name]]), ...yoursColumns(epochs), ...layerColumns(epochs)];
  const lines = epochs.map((epoch) => columns.map(([, value]) => value(epoch) ?? "").join(","));
  return [columns.map(([name]) => quoted(name)).join(","), ...lines, ""].join("\r\n");
}

/** Of the user's own drawings, where any epoch was tried on them. */
function yoursColumns(epochs) {
  if (!epochs.some(({ yours }) => yours)) return [];
  return ["loss", "accuracy", "count"].map((name) => [`yours_${name}`, (epoch) => epoch.yours?.[name]]);
}

/** Of each layer, where the run keeps them. */
function layerColumns(epochs) {
  return layerNames({ epochs }).flatMap((name) =>
    ["gradient_norm", "weight_norm"].map((field) => [`${name} ${field}`, ({ layers }) => layers?.find((layer) => layer.name === name)?.[field]]),
  );
}

const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Hands a text to the person as a file. */
export function saveText(text, filename, type = "text/csv") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
  URL.revokeObjectURL(url);
}
