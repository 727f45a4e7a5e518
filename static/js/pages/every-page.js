// Scripts of every page: the language switch keeps the current page, the theme switch, and the message that the
// server is away.

import { AWAY } from "../api/client.js";
import { watchServer } from "../api/connection-banner.js";

for (const link of document.querySelectorAll("[data-language]")) {
  // Pages store their state in their address, which the server did not see.
  link.addEventListener("click", () => {
    const url = new URL(link.href);
    url.searchParams.set("next", location.pathname + location.search + location.hash);
    link.href = url;
  });
}

startThemeSwitch();
watchServer();

/** Switches the page's theme at once; without scripts its links reload the page. */
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
    else document.documentElement.dataset.theme = theme; // last, as onThemeChange observes it
  }

  async function choose(link) {
    show(link);
    menu.open = false;
    menu.querySelector("summary").focus();
    try {
      await fetch(link.href, { redirect: "manual", keepalive: true }); // only for the cookie
    } catch {
      window.dispatchEvent(new Event(AWAY)); // the theme applies to this page only
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
