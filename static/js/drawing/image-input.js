// Input of pictures: pasted, dropped, or chosen.

import { t } from "../i18n/translate.js";

const NO_PICTURE = t("There is no image in that. Copy an image, or choose a file.");

/**
 * `onFile(file)` gets a picture's file, `onNothing(message)` is called if there is none.
 * `target` has the attribute `data-drop` during a drag over the page.
 */
export function listenForPictures({ button, input, target, onFile, onNothing }) {
  let depth = 0; // of nested elements under the drag

  function take(files) {
    const list = [...files];
    const file = list.find(({ type }) => type.startsWith("image/")) ?? list[0];
    if (file === undefined) onNothing(NO_PICTURE);
    else onFile(file);
  }

  function dragging(change) {
    depth = change === 0 ? 0 : Math.max(0, depth + change);
    target.toggleAttribute("data-drop", depth > 0);
  }

  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files.length > 0) take(input.files);
    input.value = ""; // so that the same file can be chosen again
  });

  document.addEventListener("paste", (event) => {
    if (event.target.closest?.("input, textarea, dialog[open]")) return;
    event.preventDefault();
    take(event.clipboardData?.files ?? []);
  });

  document.addEventListener("dragenter", (event) => hasFile(event) && dragging(+1));
  document.addEventListener("dragleave", (event) => hasFile(event) && dragging(-1));
  // By default a file dropped beside the pad would replace the page.
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    dragging(0);
    take(event.dataTransfer?.files ?? []);
  });
}

const hasFile = ({ dataTransfer }) => dataTransfer?.types.includes("Files") ?? false;
