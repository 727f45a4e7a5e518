// The strokes that an eraser touches.

/** The strokes not touched by an eraser of radius `reach` that moves from `a` to `b`. */
export function untouched(strokes, a, b, reach) {
  const rest = strokes.filter((stroke) => !touches(stroke, a, b, reach));
  return rest.length === strokes.length ? strokes : rest;
}

function touches({ line, width }, a, b, reach) {
  const limit = reach + width / 2;
  if (line.length === 1) return pointGap(line[0], a, b) <= limit;
  return line.some((point, i) => i > 0 && gap(line[i - 1], point, a, b) <= limit);
}

/** The distance between the segments from p to q and from r to s. */
export function gap(p, q, r, s) {
  if (cross(p, q, r) * cross(p, q, s) < 0 && cross(r, s, p) * cross(r, s, q) < 0) return 0;
  return Math.min(pointGap(p, r, s), pointGap(q, r, s), pointGap(r, p, q), pointGap(s, p, q));
}

const cross = ([ax, ay], [bx, by], [cx, cy]) => (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);

function pointGap([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}
