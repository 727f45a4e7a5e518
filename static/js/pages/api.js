// The page of the API: Swagger UI, light or dark as the page is.

import { onThemeChange } from "../lib/theme.js";

const calls = document.getElementById("calls");

function followTheme() {
  const isDark = document.getElementById("dark-style").sheet !== null && matchMedia(document.getElementById("dark-style").media).matches;
  document.documentElement.classList.toggle("dark-mode", isDark);
}

followTheme();
onThemeChange(followTheme);
globalThis.SwaggerUIBundle({
  url: calls.dataset.document,
  domNode: calls,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  onComplete: () => calls.removeAttribute("aria-busy"),
});
