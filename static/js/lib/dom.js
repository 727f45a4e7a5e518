// Helpers for the DOM.

export const byId = (id) => document.getElementById(id);

/** The JSON data in the page, or {}. */
export function pageData() {
  const block = byId("page-data");
  return block === null ? {} : JSON.parse(block.textContent);
}

/**
 * A new element. Attributes with the value null, undefined or false are left out; true is an empty one. Children are
 * nodes or text.
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Sets text only if it differs, to avoid needless announcements and layouts. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Shows text in a node, or hides it without text. */
export function setMessage(node, text) {
  setText(node, text ?? "");
  node.hidden = !text;
}

/** Sets a node's text, followed by a button for each action [text, function]. */
export function say(node, text, ...actions) {
  node.replaceChildren(
    text,
    ...actions.flatMap(([words, act]) => {
      const button = element("button", { type: "button", class: "inline-action" }, words);
      button.addEventListener("click", act);
      return [" ", button];
    }),
  );
}
