// Small helpers for the page's tree.

export const byId = (id) => document.getElementById(id);

/** The JSON that the server put into the page, or {}. */
export function pageData() {
  const block = byId("page-data");
  return block === null ? {} : JSON.parse(block.textContent);
}

/**
 * A new element. Attributes whose value is null, undefined or false are left out; true gives an empty one.
 * Children are nodes or text.
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

/** Writes text only when it differs, so that nothing is announced or laid out for nothing. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Shows text in a node that is hidden while it has none. */
export function setMessage(node, text) {
  setText(node, text ?? "");
  node.hidden = !text;
}

/** Puts words into a node, and behind them a button for each action, which is [words, what to do]. */
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
