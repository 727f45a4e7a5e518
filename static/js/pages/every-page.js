// What every page does: the switch of the language leads back to where the reader is, light or dark is
// switched, and a server that is away is named.

import { AWAY } from "../api/client.js";
import { watchServer } from "../api/connection-banner.js";

for (const link of document.querySelectorAll("[data-language]")) {
  // Pages write what they show into their address, which the server did not see.
  link.addEventListener("click", () => {
    const url = new URL(link.href);
    url.searchParams.set("next", location.pathname + location.search + location.hash);
    link.href = url;
  });
}

startThemeSwitch();
watchServer();

/** Makes the switch of the page change it at once; without scripts its links load the page anew. */
function startThemeSwitch() {
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
