// Where the parts of a network stand on its canvas, and which of them are shown. All lengths are CSS pixels.

const SIDE = 28;
const [WIDE_UNITS, NARROW_UNITS] = [24, 6]; // at most, of a stage
const NARROW = 560;
const FIRST_AND_LAST = 2; // stages that are shown of a deep network, at either end
const MOST_OUTPUTS = 12;
const [LARGEST_TILE, LEAST_TILE, GAP] = [56, 9, 8];
const HEAD = 22; // above the columns
export const HALO = 3; // around an active unit
const ROW = 34; // the largest height of an output

/** The stages that are shown: all, or the first and the last of a deep network. */
export function shownStages(total) {
  const all = Array.from({ length: total }, (_, stage) => stage);
  const hidden = all.slice(0, -1);
  if (hidden.length <= 2 * FIRST_AND_LAST) return all;
  return [...hidden.slice(0, FIRST_AND_LAST), ...hidden.slice(-FIRST_AND_LAST), total - 1];
}

/** The places of the columns on a canvas of this size: `{image, columns (by stage), gaps}`. */
export function layoutOf(width, height, wanted) {
  const isNarrow = width < NARROW;
  const room = height - HEAD - 2 * HALO;
  const side = Math.round(Math.min(room * 0.6, width * (isNarrow ? 0.22 : 0.2)));
  const output = isNarrow ? 96 : Math.min(230, width * 0.24);
  const hidden = wanted.filter(({ isOutput }) => !isOutput);
  const free = width - side - output - 2;
  const gap = (free * (hidden.length === 0 ? 1 : 0.46)) / (hidden.length + 1);
  const block = hidden.length === 0 ? 0 : (free - gap * (hidden.length + 1)) / hidden.length;
  const middle = HEAD + HALO + room / 2;
  const columns = {};
  const gaps = [];
  let x = side + 1 + gap;
  hidden.forEach(({ stage, units }, i) => {
    const most = Math.min(units, isNarrow ? NARROW_UNITS : WIDE_UNITS);
    columns[stage] = { ...gridIn(x, middle, block, room, most), gap, pitch: block + gap };
    const before = hidden[i - 1]?.stage;
    if (i > 0 && stage - before > 1) gaps.push({ x: x - gap / 2, y: middle, hidden: stage - before - 1 });
    x += block + gap;
  });
  const { stage, units } = wanted.at(-1);
  const most = Math.min(units, MOST_OUTPUTS);
  const tile = Math.min(ROW, room / most);
  const top = middle - (tile * most) / 2;
  const start = width - output - 1;
  columns[stage] = { x: start, width: output, gap, most, tile, isNarrow, labelWidth: isNarrow ? 18 : 34, at: (i) => [start, top + i * tile], high: tile, wide: output };
  return { image: { x: 1, y: middle - side / 2, side }, columns, gaps };
}

/** A grid for `most` tiles, as large as fits into a block, around its middle. */
function gridIn(x, middle, width, height, most) {
  let tile = LARGEST_TILE;
  const across = () => Math.max(1, Math.floor((width + GAP) / (tile + GAP)));
  const down = () => Math.max(1, Math.floor((height + GAP) / (tile + GAP)));
  while (tile > LEAST_TILE && (across() * down() < most || tile > width)) tile -= 1;
  const shown = Math.min(most, across() * down());
  const rows = Math.ceil(shown / Math.ceil(shown / down()));
  const wide = Math.ceil(shown / rows);
  const used = [wide * (tile + GAP) - GAP, rows * (tile + GAP) - GAP];
  const [left, top] = [x + (width - used[0]) / 2, middle - used[1] / 2];
  const place = (i) => [left + Math.floor(i / rows) * (tile + GAP), top + (i % rows) * (tile + GAP)];
  return { x: left, width: used[0], most: shown, tile, at: place, high: tile, wide: tile };
}

/** The places of the shown units: ends of connections, what is under a point, and where a key leads. */
export function placesOf({ image, columns }, shown) {
  const boxes = shown.flatMap((units, stage) =>
    (units ?? []).map((unit, i) => {
      const [x, y] = columns[stage].at(i);
      return { stage, unit, i, x, y, wide: columns[stage].wide, high: columns[stage].high };
    }),
  );
  const find = (stage, unit) => boxes.find((box) => box.stage === stage && box.unit === unit) ?? null;
  const pixel = (i) => [image.x + (((i % SIDE) + 0.5) * image.side) / SIDE, image.y + ((Math.floor(i / SIDE) + 0.5) * image.side) / SIDE];
  const ids = ({ stage, unit }) => ({ stage, unit });

  return {
    right(stage, unit) {
      if (stage < 0) return unit < SIDE * SIDE ? pixel(unit) : null;
      const box = find(stage, unit);
      return box && [box.x + box.wide, box.y + box.high / 2];
    },
    left(stage, unit) {
      const box = find(stage, unit);
      return box && [box.x, box.y + box.high / 2];
    },
    under(x, y) {
      const box = boxes.find((one) => x >= one.x && x <= one.x + one.wide && y >= one.y && y <= one.y + one.high);
      return box === undefined ? null : ids(box);
    },
    /** The unit to which a key leads from one, null for none; undefined for another key. */
    step(from, key) {
      if (key === "Escape" && from !== null) return null;
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (moves[key] === undefined) return undefined;
      const now = from === null ? null : find(from.stage, from.unit);
      if (now === null) return ids(boxes.at(-shown.at(-1).length));
      const [across, down] = moves[key];
      if (down !== 0) return ids(boxes.find((box) => box.stage === now.stage && box.i === now.i + down) ?? now);
      const stages = [...new Set(boxes.map(({ stage }) => stage))];
      const goal = stages[stages.indexOf(now.stage) + across];
      const near = boxes.filter(({ stage }) => stage === goal).sort((a, b) => Math.abs(a.y - now.y) - Math.abs(b.y - now.y));
      return ids(near[0] ?? now);
    },
  };
}
