// Light or dark: the switch in the head of the page, and word of a change for what is painted in the page's colours.

import { AWAY } from "./server-events.js";

/** Calls `action` when the colours of the page change: by the system, or by the switch. */
export function onThemeChange(action) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", action);
  new MutationObserver(action).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
}

/** Makes the switch of the page change it at once; without scripts its links load the page anew. */
export function startThemeSwitch() {
  const menu = document.getElementById("themes");
  const links = [...menu.querySelectorAll("[data-choose-theme]")];

  function show(chosen) {
    const { chooseTheme: theme, styles } = chosen.dataset;
    document.getElementById("dark-style").media = styles;
    const papers = [...document.querySelectorAll("meta[data-paper]")];
    for (const own of papers) own.content = (papers.find((one) => one.dataset.theme === theme) ?? own).dataset.paper;
    for (const link of links) link.toggleAttribute("aria-current", false);
    chosen.setAttribute("aria-current", "true");
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme; // last, as this is what onThemeChange hears
  }

  async function choose(link) {
    show(link);
    menu.open = false;
    menu.querySelector("summary").focus();
    try {
      await fetch(link.href, { redirect: "manual", keepalive: true }); // the answer's cookie is all that is wanted
    } catch {
      window.dispatchEvent(new Event(AWAY)); // this page has it, the next one not
    }
  }

  menu.addEventListener("click", (event) => {
    const link = event.target.closest("[data-choose-theme]");
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(link);
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (!menu.contains(target)) menu.open = false;
  });
}
