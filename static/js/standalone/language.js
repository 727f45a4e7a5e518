// The language of a standalone page: chosen in its address, else the browser's. It is imported
// before static/js/i18n/translate.js reads the page's texts.

const NAMES = ["aria-label", "title", "placeholder"];

const table = (tag) => document.getElementById(`catalog-${tag}`);
const offered = [...document.querySelectorAll("[data-language]")].map(({ dataset }) => dataset.language);
const preferred = [new URLSearchParams(location.search).get("language"), ...navigator.languages];
const chosen = preferred.map((tag) => tag?.split("-")[0].toLowerCase()).find((tag) => offered.includes(tag)) ?? "en";

document.documentElement.lang = chosen;
if (table(chosen) !== null) table(chosen).id = "catalog";
for (const link of document.querySelectorAll("[data-language]")) {
  if (link.dataset.language === chosen) link.setAttribute("aria-current", "true");
}

/** Translates every text of the page, which is a key, with `t`. */
export function translatePage(t) {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { currentNode: node } = walker;
    const key = node.data.trim();
    if (key !== "" && !node.parentElement.closest("script, [translate=no]")) node.data = node.data.replace(key, () => t(key));
  }
  for (const name of NAMES) {
    for (const node of document.querySelectorAll(`[${name}]`)) node.setAttribute(name, t(node.getAttribute(name)));
  }
}
