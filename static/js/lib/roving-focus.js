// Roving focus: a group of buttons is one tab stop, and the arrow keys move between them.

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Binds the buttons in `group`, including later ones. Returns a function to call when they have changed. */
export function rove(group) {
  const buttons = () => [...group.querySelectorAll("button")];

  function mark(current) {
    for (const button of buttons()) button.tabIndex = button === current ? 0 : -1;
  }

  group.addEventListener("keydown", (event) => {
    const all = buttons();
    const at = all.indexOf(document.activeElement);
    if (at === -1) return;
    const goal = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : at + (STEPS[event.key] ?? 0);
    if (goal === at || all[goal] === undefined) return;
    event.preventDefault();
    mark(all[goal]);
    all[goal].focus();
  });
  group.addEventListener("focusin", ({ target }) => {
    const button = target.closest("button");
    if (button !== null) mark(button);
  });

  return function refresh() {
    const all = buttons();
    mark(all.find((button) => button.tabIndex === 0) ?? all[0]);
  };
}
