// Downloads of generated files.

import { element } from "./dom.js";

export function saveFile(blob, filename) {
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: filename }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000); // some browsers read it only after the click
}

export const saveText = (text, filename, type = "text/csv") => saveFile(new Blob([text], { type }), filename);
