// Tabs: buttons of the role "tab" in a list, each of which controls a panel.

/**
 * Binds the tabs of `list`; arrow keys, Home and End move between them. `onSelect(name, byHand)` is called with the
 * name of the selected one, its `data-tab`, and whether somebody has pressed it. Returns `{select(name), selected()}`; an unknown name selects the first tab.
 */
export function createTabs(list, { onSelect }) {
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
  const selected = () => tabs.find((tab) => tab.getAttribute("aria-selected") === "true") ?? tabs[0];

  function select(chosen, byHand) {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
    }
    for (const tab of tabs) panelOf(tab).hidden = panelOf(tab) !== panelOf(chosen);
    panelOf(chosen).setAttribute("aria-labelledby", chosen.id);
    list.scrollLeft = chosen.offsetLeft - list.offsetLeft - (list.clientWidth - chosen.offsetWidth) / 2; // in sight, without moving the page
    onSelect(chosen.dataset.tab, byHand);
  }

  tabs.forEach((tab) => {
    tab.addEventListener("click", () => select(tab, true));
    tab.addEventListener("keydown", (event) => {
      const shown = tabs.filter((one) => !one.hidden);
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const next = { Home: 0, End: shown.length - 1 }[event.key] ?? (step && (shown.indexOf(selected()) + step + shown.length) % shown.length);
      if (next === undefined) return;
      event.preventDefault();
      select(shown[next], true);
      shown[next].focus();
    });
  });

  return {
    select: (name) => select(tabs.find((tab) => tab.dataset.tab === name) ?? tabs[0], false),
    selected: () => selected().dataset.tab,
  };
}
