// The very drawing as a program: in the shell, in Python and in JavaScript.

export const LANGUAGES = ["curl", "python", "javascript"];

const END = "DRAWING"; // no line of JSON reads like this

/** Programs that ask the server at `url` to read `body`, by language. They print its answer, one line of JSON. */
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
    javascript: `const drawing = ${json};

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
