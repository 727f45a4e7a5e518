// What every page does: the switch of the language leads back to where the reader is, light or dark is
// switched, and a server that is away is named.

import { watchServer } from "./server-watch.js";
import { startThemeSwitch } from "./theme.js";

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
