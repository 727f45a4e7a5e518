// "Copy as": the drawing as a program, in a dialog with a tab for each language.

import { t } from "../../i18n/translate.js";
import { closeBeside } from "../../lib/dialog.js";
import { byId, setText } from "../../lib/dom.js";
import { createTabs } from "../../lib/tabs.js";

let openDialog = null;

/** Opens the dialog for a drawing, as the `body` of a request to `url`. */
export function openCopyDialog({ url, body }) {
  openDialog ??= createCopyDialog();
  openDialog(snippets(url, body));
}

function createCopyDialog() {
  const dialog = byId("copy-dialog");
  const text = byId("copy-text");
  const done = byId("copy-done");
  let programs = {};
  const tabs = createTabs(dialog.querySelector(".tabs"), {
    onSelect(language) {
      text.value = programs[language];
      text.scrollTop = text.scrollLeft = 0;
      setText(done, "");
    },
  });

  byId("copy-button").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.value);
      setText(done, t("Copied."));
    } catch {
      // browsers have no clipboard on plain HTTP from another machine
      text.focus();
      text.select();
      setText(done, t("Selected: press Ctrl+C (⌘C) to copy."));
    }
  });
  closeBeside(dialog);

  return (found) => {
    programs = found;
    tabs.select(tabs.selected());
    dialog.showModal();
  };
}

export const LANGUAGES = ["curl", "python", "javascript"];

const END = "DRAWING"; // no line of JSON equals this

/** Programs that send `body` to the server at `url` and print its answer, one line of JSON; by language. */
export function snippets(url, body) {
  const json = JSON.stringify(body);
  return {
    curl: `curl -sS --fail-with-body ${shell(url)} \\
  -H 'content-type: application/json' --data-binary @- <<'${END}'
${json}
${END}
`,
    python: `import json
from urllib.request import Request, urlopen

drawing = ${json}

request = Request(
    ${JSON.stringify(url)},
    data=json.dumps(drawing).encode(),
    headers={"content-type": "application/json"},
)
with urlopen(request) as response:
    answer = json.load(response)
print(json.dumps(answer))
`,
    javascript: `// ${t("Runs in Node.js and in a page of this server.")}\n// ${t("For a page of another site, start the server with")}\n// DIGITPAD_ALLOWED_ORIGINS=https://that-site.example\n
const drawing = ${json};

fetch(${JSON.stringify(url)}, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(drawing),
})
  .then(async (response) => {
    if (!response.ok) throw new Error(await response.text());
    console.log(JSON.stringify(await response.json()));
  });
`,
  };
}

const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
