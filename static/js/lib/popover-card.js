// A card of the page that narrow screens show as a sheet at the bottom, over the page, beside what was pressed.

const NARROW = "(max-width: 900px)"; // as in css/pages/inspect.css

/**
 * Binds a card with a heading that can be focused and a button `[data-sheet-close]`. `open(pressed)` shows the sheet on a
 * narrow screen, scrolls the pressed element into what is left of the page, and returns the focus to it at the end.
 */
export function createPopoverCard(card) {
  const narrow = matchMedia(NARROW);
  const heading = card.querySelector("[tabindex='-1']");
  let from = null;

  const isOpen = () => card.matches(":popover-open");

  function fit() {
    if (narrow.matches && card.showPopover !== undefined) card.setAttribute("popover", "manual");
    else card.removeAttribute("popover"); // which closes it, too
  }

  function open(pressed) {
    if (!card.hasAttribute("popover")) return;
    from = pressed;
    if (!isOpen()) card.showPopover();
    card.scrollTop = 0;
    heading.focus({ preventScroll: true });
    reveal();
  }

  /** Scrolls the page until the pressed element ends above the sheet, or begins at the top. */
  function reveal() {
    const box = from.getBoundingClientRect();
    const below = box.bottom + 8 - card.getBoundingClientRect().top;
    if (below > 0) window.scrollBy({ top: Math.min(below, box.top - 8) });
  }

  function close() {
    if (!card.hasAttribute("popover") || !isOpen()) return;
    card.hidePopover();
    from?.focus({ preventScroll: true });
  }

  card.querySelector("[data-sheet-close]").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) close();
  });
  narrow.addEventListener("change", fit);
  fit();
  return { open, close };
}
