// Canvases fitted to the page, and the page's colours.

const COLORS = ["ink", "soft", "line", "edge", "sheet", "training", "validation", "yours", "accent", ...Array.from({ length: 8 }, (_, i) => `series-${i + 1}`)];

/** The page's current colours, font and size of type in charts, by their names in css/base/tokens.css. */
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries([...COLORS, "font", "chart-type"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Fits a canvas to its element, sharp on every screen. Returns `{pen, width, height}`, or null without a size. */
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

/** The parts of a CSS colour, 0 to 255. */
export function rgb(color) {
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return pen.getImageData(0, 0, 1, 1).data.subarray(0, 3);
}
