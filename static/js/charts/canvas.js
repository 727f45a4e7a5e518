// A canvas in its place on the page, and the page's colours for what is painted on it.

const COLORS = ["ink", "soft", "line", "edge", "sheet", "training", "validation", "yours", ...Array.from({ length: 8 }, (_, i) => `series-${i + 1}`)];

/** The page's colours and its face, as they are now, by their names in css/base/tokens.css. */
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries([...COLORS, "font"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Sizes a canvas to its place on the page, sharp on every screen. Gives `{pen, width, height}`, or null where it has none. */
export function fitted(canvas) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (width === 0 || height === 0) return null;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { pen, width, height };
}
