// The page's language: all visible texts are translated by `t`, with the English text as the key.

const catalog = document.getElementById("catalog"); // a script of app/web/script_catalog.py, or a table in the page
const texts = catalog?.texts ?? JSON.parse(catalog?.textContent || "{}");
const SLOT = /\{(\w+)\}/;

/** The page's language, such as "en" or "ja". */
export const language = document.documentElement.lang || "en";

/** `text` in the page's language, with {name} replaced by `values.name`. */
export const t = (text, values = {}) =>
  translated(text).replace(new RegExp(SLOT, "g"), (whole, name) => (name in values ? String(values[name]) : whole));

/** The same as a list of texts and nodes, for values that are nodes. */
export function tParts(text, values) {
  const parts = [];
  translated(text)
    .split(SLOT)
    .forEach((piece, i) => {
      const part = i % 2 === 0 ? piece : piece in values ? values[piece] : `{${piece}}`;
      const isText = typeof part === "string" || typeof part === "number";
      if (isText && typeof parts.at(-1) === "string") parts.push(parts.pop() + part);
      else if (part !== "") parts.push(isText ? String(part) : part);
    });
  return parts;
}

const translated = (text) => texts[keyId(text)] ?? text;

/** The id of a key in the catalogue, as `key_id` in app/i18n/catalog.py. */
function keyId(key) {
  let name = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) name = Math.imul(name ^ key.charCodeAt(i), 0x01000193);
  return (name >>> 0).toString(16);
}
