// The import of data sets: files are brought, looked through by the server, and saved under a name.

import { call, explain, get, post, Refused, remove } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { chosenFiles, droppedFiles, groupsIn, inFolders, kindOf, nameFor } from "../../data/dropped-files.js";
import { bytes, count, sentences } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { createBitmap, fromBase64, paintBytes } from "../../images/bitmap.js";
import { datasetOf } from "../../labels/titles.js";
import { byId, element, say, setMessage, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { MOST_FILES, zip } from "../../lib/zip.js";

const NO_FOLDER = /^\.|[/\\]/; // a label that is no folder's name
const MOST_BYTES = 200 * 2 ** 20; // the server's limit

/** Creates the view, which takes files dropped anywhere on the page; returns the function that shows it. */
export function createImport(page) {
  const form = byId("import-groups");
  const name = byId("import-name");
  const requests = createLatest();
  let groups = []; // {label, files}: images that are not uploaded yet
  let upload = null; // the id of the upload that is shown

  const complain = (text, ...actions) => {
    say(byId("import-error"), text, ...actions);
    if (text) byId("import-error").scrollIntoView({ block: "nearest" });
  };

  function begin() {
    requests.drop();
    groups = [];
    showGroups();
    complain("");
    setText(byId("import-line"), "");
    byId("import-preview").hidden = true;
    byId("import-start").hidden = false;
  }

  /** Takes files, a promise of `[{path, file}]`; images of one label are for the group at `place`, or a new one. */
  async function take(found, place = null) {
    let files;
    try {
      files = await found;
    } catch {
      return complain(t("Some of the files cannot be read. Try again."));
    }
    if (upload !== null) leavePreview();
    complain("");
    const kind = kindOf(files);
    if (kind.kind === "none") return complain(t("There are no files in that. Choose images, a zip or a table."));
    if (kind.kind === "drawings") return importDrawings(kind.file);
    if (kind.kind === "file") return send(kind.file, nameFor(files));
    if (kind.kind === "folder" && (groups.length === 0 || groupsIn(files).length === 0)) return sendFiles(files, nameFor(files));
    if (place !== null && kind.kind === "images") groups[place].files.push(...kind.files);
    else groups.push(...(kind.kind === "images" ? [kind] : groupsIn(files)));
    showGroups();
    const inputs = [...byId("import-group-list").querySelectorAll("input")];
    (inputs.find(({ value }) => value === "") ?? inputs.at(-1)).focus();
  }

  function showGroups() {
    form.hidden = groups.length === 0;
    byId("import-group-list").replaceChildren(...groups.map(groupRow));
    setText(
      byId("import-groups-note"),
      groups.length === 1
        ? t("Now add the images of another label. If the names of the files begin with their labels, leave the label empty and continue.")
        : t("Add the images of another label, or continue."),
    );
  }

  function groupRow(group, place) {
    const id = `import-label-${place}`;
    const input = element("input", { id, value: group.label, type: "text", maxlength: 64, autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
    input.addEventListener("input", () => {
      group.label = input.value;
    });
    const drop = element("button", { class: "button", type: "button", "aria-label": t("Remove the images of label {number}", { number: place + 1 }) }, t("Remove"));
    drop.addEventListener("click", () => {
      groups.splice(place, 1);
      showGroups();
      (byId("import-group-list").querySelector("button") ?? byId("choose-files")).focus();
    });
    const size = group.files.length === 1 ? t("1 image") : t("{count} images", { count: count(group.files.length) });
    return element("li", { class: "import-group", "data-place": place }, element("div", { class: "field" }, element("label", { for: id }, t("Label")), input), element("span", { class: "soft" }, size), drop);
  }

  async function importDrawings(file) {
    try {
      const answer = await post("/api/drawings/import", parsed(await file.text()));
      await page.refresh();
      await page.go({ kind: "browse", set: datasetOf(answer.sets[0]) });
      page.say(answer.imported === 1 ? t("Imported one drawing.") : t("Imported {count} drawings.", { count: answer.imported }));
    } catch (failure) {
      complain(explain(failure));
    }
  }

  async function sendFiles(files, title) {
    if (files.length > MOST_FILES) return complain(t("More than {most} files at once: bring them as a zip.", { most: count(MOST_FILES) }));
    const size = files.reduce((sum, { file }) => sum + file.size, 0);
    if (size > MOST_BYTES) return complain(tooLarge(size));
    const signal = working(t("Reading {count} files …", { count: count(files.length) }));
    let packed;
    try {
      packed = await zip(files);
    } catch {
      if (!signal.aborted) stopped(t("Some of the files cannot be read. Try again."), [t("Try again"), () => sendFiles(files, title)]);
      return;
    }
    if (!signal.aborted) await send(packed, title);
  }

  async function send(file, title) {
    if (file.size > MOST_BYTES) return complain(tooLarge(file.size));
    const signal = working(t("Uploading {size} and looking through it …", { size: bytes(file.size) }));
    try {
      const found = await call("POST", "/api/uploads", { body: file, signal });
      if (signal.aborted) return remove(`/api/uploads/${found.id}`);
      show(found, title);
    } catch (failure) {
      if (signal.aborted) return;
      const again = failure instanceof Refused ? [] : [[t("Try again"), () => send(file, title)]];
      stopped(explain(failure), ...again);
    }
  }

  /** Shows what is being waited for, with a button that stops it; returns the signal of the work. */
  function working(text) {
    const signal = requests.begin();
    complain("");
    byId("import-start").hidden = true;
    byId("import-preview").hidden = true;
    say(byId("import-line"), text, [t("Cancel"), stopped]);
    return signal;
  }

  function stopped(text = "", ...actions) {
    requests.drop();
    setText(byId("import-line"), "");
    byId("import-start").hidden = false;
    if (typeof text === "string") complain(text, ...actions);
    byId("choose-files").focus();
  }

  function show(found, title) {
    upload = found.id;
    setText(byId("import-line"), "");
    byId("import-preview").hidden = false;
    const images = count(found.train + found.test);
    setText(byId("import-size"), t("{images} images of {labels} labels: {train} to train on, {test} to test with.", { images, labels: count(found.labels.length), train: count(found.train), test: count(found.test) }));
    setMessage(byId("import-notes"), sentences(...found.notes));
    byId("import-unread").hidden = found.unread === 0;
    setText(byId("import-unread-count"), t("{count} of {total} files were not read", { count: count(found.unread), total: count(found.unread + found.train + found.test) }));
    const more = found.unread - found.unread_files.length;
    byId("import-unread-files").replaceChildren(
      ...found.unread_files.map((file) => element("li", {}, t("{name}: {reason}", file))),
      ...(more > 0 ? [element("li", {}, t("… and {count} more", { count: count(more) }))] : []),
    );
    byId("import-labels").replaceChildren(...found.labels.map((label) => labelRow(label, found)));
    name.value = title;
    complainOfName("");
    byId("import-size").focus();
  }

  function complainOfName(text) {
    setText(byId("import-name-error"), text);
    if (text === "") name.removeAttribute("aria-invalid");
    else name.setAttribute("aria-invalid", "true");
  }

  /** Removes the upload from the server, which does it by itself after a day. */
  const discard = () => remove(`/api/uploads/${upload}`, { keepalive: true }).catch(() => {});

  /** Discards the upload; images by label are there again to change them. */
  function leavePreview() {
    discard();
    upload = null;
    byId("import-preview").hidden = true;
    byId("import-start").hidden = false;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wrong = groups.findIndex(({ label }) => NO_FOLDER.test(label.trim()));
    if (wrong === -1) return sendFiles(inFolders(groups), "images");
    complain(t("The label of images cannot begin with a dot or have a slash in it."));
    byId("import-group-list").querySelectorAll("input")[wrong].focus();
  });
  byId("import-clear").addEventListener("click", () => {
    begin();
    byId("choose-files").focus();
  });
  byId("import-discard").addEventListener("click", () => {
    leavePreview();
    byId("choose-files").focus();
  });
  name.addEventListener("input", () => complainOfName(""));
  byId("import-save").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const saved = await post(`/api/uploads/${upload}/save`, { name: name.value.trim() });
      upload = null;
      if (event.submitter?.value === "train") await train(saved.name);
      else await showSaved(saved.name);
    } catch (failure) {
      complainOfName(explain(failure));
      name.focus();
    }
  });

  /** Starts a training on a set, and shows it; where it cannot start, the page to train says why. */
  async function train(dataset) {
    const setup = new URLSearchParams({ dataset });
    try {
      setup.set("run", (await post("/api/runs", { recipe: "quick", overrides: { dataset } })).id);
    } catch {
      // the next page says why, beside the settings
    }
    location.assign(withRoot(`/train?${setup}`));
  }

  async function showSaved(set) {
    begin();
    await page.refresh();
    await page.go({ kind: "browse", set });
    byId("browse-title").focus();
  }

  for (const [button, input] of [["choose-files", "import-file"], ["choose-folder", "import-folder"]]) {
    byId(button).addEventListener("click", () => byId(input).click());
    byId(input).addEventListener("change", ({ target }) => {
      take(chosenFiles(target.files));
      target.value = ""; // so that the same files can be chosen again
    });
  }
  byId("choose-folder").hidden = !("webkitdirectory" in HTMLInputElement.prototype);

  listenForDrops(document, byId("stage").parentElement, async (event) => {
    const found = droppedFiles(event.dataTransfer);
    const place = event.target.closest?.(".import-group")?.dataset.place;
    if (byId("import").hidden) await page.go({ kind: "import" });
    take(found, place === undefined ? null : Number(place));
  });
  window.addEventListener("pagehide", () => {
    if (upload !== null) discard();
  });

  return async () => {
    if (page.datasets() === null) await page.ask(() => get("/api/datasets"));
  };
}

/** Calls `onDrop(event)` for files dropped anywhere; `target` has the attribute `data-drop` during a drag. */
function listenForDrops(where, target, onDrop) {
  let depth = 0; // of nested elements under the drag
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files") ?? false;
  function dragging(change) {
    depth = change === 0 ? 0 : Math.max(0, depth + change);
    target.toggleAttribute("data-drop", depth > 0);
  }
  where.addEventListener("dragenter", (event) => hasFiles(event) && dragging(+1));
  where.addEventListener("dragleave", (event) => hasFiles(event) && dragging(-1));
  where.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  where.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault(); // or the file would replace the page
    dragging(0);
    onDrop(event);
  });
}

function labelRow(label, { counts, samples }) {
  const number = counts[label];
  const pictures = samples.filter((sample) => sample.label === label).map(sampleFigure);
  return element(
    "li",
    { class: "import-label" },
    element("p", { class: "import-label-name" }, element("strong", {}, label), " ", element("span", { class: "soft" }, number === 1 ? t("1 image") : t("{count} images", { count: count(number) }))),
    element("ul", { class: "import-samples" }, ...pictures),
  );
}

function sampleFigure({ pixels, original, remarks, name }) {
  const prepared = createBitmap(fromBase64(pixels), "import-prepared");
  const pictures = [prepared];
  if (original !== null) {
    const tones = fromBase64(original);
    const side = Math.sqrt(tones.length);
    const canvas = createBitmap(null, "import-original");
    paintBytes(canvas, tones, [side, side]);
    pictures.unshift(canvas, element("span", { "aria-hidden": "true" }, "→"));
  }
  const notes = remarks.length > 0 ? element("span", { class: "field-note" }, remarks.join("; ")) : null;
  return element("li", { class: "import-sample", title: name }, element("span", { class: "import-pair" }, ...pictures), notes);
}

const tooLarge = (size) => t("That is {size}; at most {most} can be imported at once.", { size: bytes(size), most: bytes(MOST_BYTES) });

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(t("That file is not JSON. Choose a JSON file saved with “Strokes (JSON)”."));
  }
}
