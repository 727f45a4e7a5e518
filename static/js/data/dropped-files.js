// Files that were dropped or chosen, with their paths, and what they are together.

const IMAGE = /\.(png|jpe?g|jfif|bmp|gif|webp|tiff?)$/i;
const WHOLE = /\.(zip|csv|npz)$/i; // a data set by itself
const DRAWINGS = /\.json$/i;
const DEEPEST = 8; // folders, as of the server

const isHidden = (name) => name.startsWith(".") || name === "__MACOSX" || name.toLowerCase() === "thumbs.db";

/** The files of a drop as a promise of `[{path, file}]`. Called within the event, after which its items are gone. */
export function droppedFiles({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return Promise.resolve(chosenFiles(files));
  return Promise.all(entries.map((entry) => filesIn(entry, entry.name))).then((found) => found.flat());
}

/** The files of an input, with the paths of a chosen folder. */
export const chosenFiles = (files) =>
  [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })).filter(({ path }) => !path.split("/").some(isHidden));

async function filesIn(entry, path) {
  if (isHidden(entry.name)) return [];
  if (entry.isFile) return [{ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) }];
  if (path.split("/").length > DEEPEST) return [];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (some.length === 0) break;
    for (const inner of some) found.push(...(await filesIn(inner, `${path}/${inner.name}`)));
  }
  return found;
}

const folderOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf("/")));
const lastOf = (path) => path.slice(path.lastIndexOf("/") + 1);

/**
 * What files are: `{kind: "none"}`, a JSON file of drawings, `{kind: "drawings", file}`, a file that is a data set by
 * itself, `{kind: "file", file}`, images of one folder or none, `{kind: "images", label, files}` with the folder's name
 * or "", or a folder of a data set, `{kind: "folder", files}`.
 */
export function kindOf(files) {
  if (files.length === 0) return { kind: "none" };
  if (files.length === 1 && DRAWINGS.test(files[0].path)) return { kind: "drawings", file: files[0].file };
  if (files.length === 1 && WHOLE.test(files[0].path)) return { kind: "file", file: files[0].file };
  const folders = new Set(files.filter(({ path }) => IMAGE.test(path)).map(({ path }) => folderOf(path)));
  const others = files.some(({ path }) => WHOLE.test(path));
  if (folders.size !== 1 || others) return { kind: "folder", files };
  const [folder] = folders;
  return { kind: "images", label: lastOf(folder), files: files.filter(({ path }) => folderOf(path) === folder && IMAGE.test(path)) };
}

/** Images by folder, as groups `{label, files}`. */
export function groupsIn(files) {
  const groups = new Map();
  for (const one of files.filter(({ path }) => IMAGE.test(path))) {
    const label = lastOf(folderOf(one.path));
    groups.set(label, [...(groups.get(label) ?? []), one]);
  }
  return [...groups].map(([label, found]) => ({ label, files: found }));
}

/** The files of groups in a folder for each label; those without one lie in no folder. Equal names are numbered. */
export function inFolders(groups) {
  const taken = new Set();
  return groups.flatMap(({ label, files }) =>
    files.map(({ path, file }) => {
      const name = lastOf(path);
      const folder = label.trim();
      for (let number = 1; ; number += 1) {
        const numbered = number === 1 ? name : name.replace(/(\.\w+)$/, `~${number}$1`);
        const whole = folder === "" ? numbered : `${folder}/${numbered}`;
        if (taken.has(whole)) continue;
        taken.add(whole);
        return { path: whole, file };
      }
    }),
  );
}

/** A name for a data set of these files, of the folder or the file itself; "images" where that has no letters. */
export function nameFor(files) {
  const [first] = files[0].path.split("/");
  const name = files.every(({ path }) => path.startsWith(`${first}/`)) || files.length === 1 ? first.replace(/\.\w+$/, "") : "";
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9._-]+/g, "-").replaceAll(/^[._-]+|-+$/g, "").slice(0, 64);
  return plain || "images";
}
