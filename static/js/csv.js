// The numbers of every epoch as a file.

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
  const lines = epochs.map((epoch) => COLUMNS.map((name) => epoch[name] ?? "").join(","));
  return [COLUMNS.join(","), ...lines, ""].join("\r\n");
}

/** Hands a text to the person as a file. */
export function saveText(text, filename, type = "text/csv") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
  URL.revokeObjectURL(url);
}
