// How runs are told apart: by colour, by dash and by marker, so that each of them alone is enough for most.

const DASHES = [[], [8, 4], [2, 4], [10, 4, 2, 4], [16, 5]];
const COLORS = 8;

// Each draws a closed path of about `r` around (x, y).
const MARKERS = [
  (path, x, y, r) => path.arc(x, y, r, 0, 2 * Math.PI),
  (path, x, y, r) => path.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8),
  (path, x, y, r) => polygon(path, x, y, r * 1.25, 3, -Math.PI / 2),
  (path, x, y, r) => polygon(path, x, y, r * 1.25, 4, 0),
  (path, x, y, r) => polygon(path, x, y, r * 1.25, 3, Math.PI / 2),
  (path, x, y, r) => star(path, x, y, r * 1.45),
  (path, x, y, r) => cross(path, x, y, r * 1.1, r * 0.4),
];

/** The style of the run at place `index` among those compared; the first 280 differ. */
export const styleAt = (index) => ({ color: index % COLORS, dash: DASHES[index % DASHES.length], marker: MARKERS[index % MARKERS.length] });

/** Paints a short piece of a run's line with its marker in the middle of a canvas. */
export function paintSample(canvas, { dash, marker }, color) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [40, 16];
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.strokeStyle = pen.fillStyle = color;
  pen.lineWidth = 2;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(1, height / 2);
  pen.lineTo(width - 1, height / 2);
  pen.stroke();
  pen.beginPath();
  marker(pen, width / 2, height / 2, 4);
  pen.fill();
}

function polygon(path, x, y, r, corners, turn) {
  for (let i = 0; i < corners; i += 1) {
    const angle = turn + (2 * Math.PI * i) / corners;
    path[i === 0 ? "moveTo" : "lineTo"](x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  path.closePath();
}

function star(path, x, y, r) {
  for (let i = 0; i < 10; i += 1) {
    const angle = -Math.PI / 2 + (Math.PI * i) / 5;
    const reach = i % 2 === 0 ? r : r * 0.45;
    path[i === 0 ? "moveTo" : "lineTo"](x + reach * Math.cos(angle), y + reach * Math.sin(angle));
  }
  path.closePath();
}

function cross(path, x, y, r, half) {
  path.rect(x - r, y - half, 2 * r, 2 * half);
  path.rect(x - half, y - r, 2 * half, 2 * r);
}
