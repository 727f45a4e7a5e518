// The page's language: every text that people read goes through `t`, in English as its key.

const block = document.getElementById("words");
const words = block === null ? {} : JSON.parse(block.textContent);

/** `text` in the page's language, with {name} replaced by `values.name`. */
export function t(text, values = {}) {
  return (words[text] || text).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
