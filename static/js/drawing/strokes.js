// A stroke is a list of points in a square of 500 by 500 units, y down, independent of the screen's size.
// A point is [x, y] or, for a pressure-sensitive pen, [x, y, pressure] with pressure from 0 to 1.

export const SIZE = 500;

export const MAX_POINTS = 10_000; // of a drawing; the server's limit
const LEAST_DISTANCE = 1.5; // units between points
const STEP = 4; // units between two points of a flattened curve
const TENTH = 10;
const HUNDREDTH = 100;

const middle = (a, b) => a.map((value, i) => (value + b[i]) / 2);
const distance = ([ax, ay], [bx, by]) => Math.hypot(bx - ax, by - ay);
const to = (steps) => (value) => Math.round(value * steps) / steps;
const rounded = ([x, y, ...pressure]) => [...[x, y].map(to(TENTH)), ...pressure.map(to(HUNDREDTH))];
const clamped = (value) => Math.min(SIZE, Math.max(0, value));

/** A position on the screen as a point of the square, clamped to its edges. */
export function toSquare(clientX, clientY, box) {
  return [clamped(((clientX - box.left) / box.width) * SIZE), clamped(((clientY - box.top) / box.height) * SIZE)];
}

/** The lines with at most `limit` points in total, by removing every second one except the ends. */
export function thinned(lines, limit = MAX_POINTS) {
  if (lines.reduce((sum, line) => sum + line.length, 0) <= limit || lines.length * 2 > limit) return lines;
  return thinned(lines.map((line) => line.filter((_, i) => i % 2 === 0 || i === line.length - 1)), limit);
}

/** Lines for the server: points [x, y], within the limit. */
export const asSent = (lines) => thinned(lines).map((line) => line.map(([x, y]) => [x, y]));

/** The points with another one, unless it is too near to the last. */
export function extended(points, point) {
  const last = points.at(-1);
  return last !== undefined && distance(last, point) < LEAST_DISTANCE ? points : [...points, point];
}

/**
 * A smooth line through the points: flattened quadratic curves from middle to middle with the points as controls. It is
 * both painted and sent to the server.
 */
export function smooth(points) {
  if (points.length < 3) return points.map(rounded);
  const line = [points[0], middle(points[0], points[1])];
  for (let i = 1; i < points.length - 1; i += 1) {
    flatten(line, line.at(-1), points[i], middle(points[i], points[i + 1]));
  }
  line.push(points.at(-1));
  return line.map(rounded);
}

function flatten(line, from, control, to) {
  const parts = Math.max(1, Math.ceil((distance(from, control) + distance(control, to)) / STEP));
  for (let part = 1; part <= parts; part += 1) {
    const t = part / parts;
    const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
    line.push(from.map((value, i) => a * value + b * control[i] + c * to[i]));
  }
}
