"""Things beside the digit: lines of ruled and squared paper, margins, frames, an underline, holes, the table's edge.

They are straight, long and thin, or solid, and lie beside or across the digit; what is left without them is the digit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from app.data.preprocessing.components import label_components
from app.data.preprocessing.rasterize import FloatArray

Mask = NDArray[np.bool_]

SIDE = 192
"""The longer side, in pixels, of the reduced ink in which clutter is sought."""
FAINT, DARK = 0.1, 0.55
"""The least ink, of 1, of a line, and of a stroke across it."""
DROPS = range(-16, 17, 2)
"""The pixels by which lines may fall or rise from one side of the reduced ink to the other: up to 5°."""
SHORTEST = 0.2
"""The least length of a line, as a share of the picture's longer side."""
THICKEST = 0.03
"""The largest thickness of a line, as a share of the same."""
SMALLEST = 60
"""The longer side, in pixels, of the smallest picture in which clutter is sought: in smaller ones strokes are lines."""
SIDE_SHARE = 0.7
"""The least share of a side of the picture that a table beside the paper takes."""
REACH = 4
"""The pixels of the reduced ink within which ends of lines meet each other or the picture's side."""
SOLID = 9
"""The side, in pixels, of a square in the solid region of a table beside the paper: wider than any stroke."""
LEAST_DIGIT = 0.1
"""The least longer side of the digit that is left, as a share of the picture's shorter side."""
UNDERLINE_ASPECT, UNDERLINE_WIDTH = 6.0, 0.9
"""The least aspect ratio of an underline, and its least width relative to the digit's."""
HOLE_FILL, HOLE_ASPECT, HOLE_ZONE = 0.68, 1.35, 0.2
"""The least share of its box that a hole fills, its largest aspect ratio, and the share of the picture beside each side
in which it lies."""
REMAINS = 0.04
"""The largest share of the ink that is a remainder of what was removed."""


@dataclass(frozen=True)
class _Line:
    """A line from column `begin` to `end` of the reduced ink, at row `place` on the first column, falling by `drop` up
    to the last, and `thickness` pixels thick. For a vertical line rows and columns are exchanged."""

    is_vertical: bool
    place: float
    drop: int
    begin: int
    end: int
    thickness: int
    length: int
    """The columns of the reduced ink."""

    def rows(self, columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of its middle at these columns."""
        return np.rint(self.place + self.drop * columns / max(self.length - 1, 1)).astype(np.int64)

    def tips(self) -> tuple[tuple[int, int], ...]:
        """Both ends as (row, column) of the reduced ink."""
        columns = np.array([self.begin, self.end])
        ends = list(zip(self.rows(columns).tolist(), columns.tolist(), strict=True))
        return tuple((column, row) if self.is_vertical else (row, column) for row, column in ends)


def remove_clutter(ink: FloatArray) -> FloatArray:
    """Ink of a picture (H, W), 0 to 1, without what is beside the digit; the same array if there is nothing."""
    if max(ink.shape) < SMALLEST:
        return ink
    factor = -(-max(ink.shape) // SIDE)
    small = _reduced(ink, factor)
    mask = small > FAINT
    if not _is_suspicious(mask):
        return ink
    kept = mask & ~_solid(mask)
    candidates = [*_lines(kept, is_vertical=False), *_lines(kept, is_vertical=True)]
    lines = [line for line in candidates if _is_of_paper(line, candidates, mask.shape)]
    for line in lines:
        _erase(kept, small > DARK, line)
    labels, count = label_components(kept)
    parts = [_Part.of(labels == number) for number in range(1, count + 1)]
    for part in _not_digit(parts, mask.shape, has_removed=bool((kept != mask).any())):
        kept &= ~part.mask
    if (kept == mask).all() or not kept.any():
        return ink
    rows, columns = np.flatnonzero(kept.any(axis=1)), np.flatnonzero(kept.any(axis=0))
    if max(np.ptp(rows), np.ptp(columns)) < LEAST_DIGIT * min(mask.shape):
        return ink
    large = np.repeat(np.repeat(_grown(kept, 3) & ~(_grown(mask & ~kept, 3) & ~kept), factor, 0), factor, 1)
    return np.where(large[: ink.shape[0], : ink.shape[1]], ink, np.float32(0))


@dataclass(frozen=True, eq=False)
class _Part:
    """A connected component of the reduced ink, with its box."""

    mask: Mask
    top: int
    left: int
    bottom: int
    right: int
    size: int

    @classmethod
    def of(cls, mask: Mask) -> "_Part":
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        edges = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
        return cls(mask, *edges, int(np.count_nonzero(mask)))

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def encloses(self, other: "_Part") -> bool:
        return (
            self.top < other.top and self.left < other.left and self.bottom > other.bottom and self.right > other.right
        )


def _reduced(ink: FloatArray, factor: int) -> FloatArray:
    """The largest ink of each square of `factor` pixels."""
    if factor == 1:
        return ink
    height, width = (-(-side // factor) for side in ink.shape)
    padded = np.pad(ink, ((0, height * factor - ink.shape[0]), (0, width * factor - ink.shape[1])))
    # Along one axis at a time, which is ten times as fast.
    rows = padded.reshape(height, factor, width * factor).max(axis=1)
    small: FloatArray = np.ascontiguousarray(rows.T).reshape(width, factor, height).max(axis=1).T
    return small


def _is_suspicious(mask: Mask) -> bool:
    """True unless the ink is one patch, or several of ordinary shapes, away from the picture's sides."""
    if mask[[0, -1]].any() or mask[:, [0, -1]].any():
        return True
    labels, count = label_components(mask)
    if count < 2:
        return False
    parts = [_Part.of(labels == number) for number in range(1, count + 1)]
    return any(True for _ in _not_digit(parts, mask.shape, has_removed=False))


def _solid(mask: Mask) -> Mask:
    """Solid regions along a side of the picture, if all other ink is away from the sides."""
    core = _grown(~_grown(~mask, SOLID), SOLID)
    labels, _ = label_components(core)
    sides = [labels[0], labels[-1], labels[:, 0], labels[:, -1]]
    tables = {int(n) for side in sides for n in np.unique(side[side > 0]) if np.mean(side == n) >= SIDE_SHARE}
    solid = _grown(np.isin(labels, list(tables)), 5) & mask
    rest = mask & ~solid
    touches = rest[[0, -1]].any() or rest[:, [0, -1]].any()
    return np.zeros_like(mask) if touches or not rest.any() else solid


def _lines(mask: Mask, *, is_vertical: bool) -> Iterator[_Line]:
    """The straight, long and thin lines of one direction, at the slope that has most of them."""
    seen = mask.T if is_vertical else mask
    height, width = seen.shape
    shortest, thickest = SHORTEST * max(mask.shape), max(2.0, THICKEST * max(mask.shape))
    tall = _grown_down(seen)
    columns = np.arange(width)
    best: tuple[float, int, NDArray[np.int64], NDArray[np.int64]] | None = None
    for drop in DROPS:
        rows = np.arange(-max(drop, 0), height - min(drop, 0))[:, None] + np.rint(
            drop * columns / max(width - 1, 1)
        ).astype(int)
        inside = (rows >= 0) & (rows < height)
        sheared = tall[rows.clip(0, height - 1), columns] & inside
        run = columns - np.maximum.accumulate(np.where(sheared, -1, columns), axis=1)
        ends = run.argmax(axis=1)
        lengths = run[np.arange(len(run)), ends]
        score = float((lengths[lengths >= shortest].astype(float) ** 2).sum())
        if score > 0 and (best is None or score > best[0]):
            best = score, drop, lengths, ends
    if best is None:
        return
    _, drop, lengths, ends = best
    first = -max(drop, 0)
    while lengths.max() >= shortest:
        top = int(lengths.argmax())
        bottom = top
        limit = 0.8 * lengths[top]
        while bottom + 1 < len(lengths) and lengths[bottom + 1] >= limit:
            bottom += 1
        while top > 0 and lengths[top - 1] >= limit:
            top -= 1
        number = int(lengths[top : bottom + 1].argmax()) + top
        end, place = int(ends[number]), first + (top + bottom) / 2
        line = _Line(is_vertical, place, drop, end - int(lengths[number]) + 1, end, max(bottom - top - 1, 1), width)
        if _thickness(seen, line, int(thickest) + 2) <= thickest:
            yield line
        lengths[max(top - 1, 0) : bottom + 2] = 0


def _thickness(seen: Mask, line: _Line, reach: int) -> float:
    """The median of the ink's height within `reach` rows of a line."""
    columns = np.arange(line.begin, line.end + 1)
    rows = line.rows(columns) + np.arange(-reach, reach + 1)[:, None]
    inside = (rows >= 0) & (rows < len(seen))
    return float(np.median((seen[rows.clip(0, len(seen) - 1), columns] & inside).sum(axis=0)))


def _is_of_paper(line: _Line, lines: Sequence[_Line], shape: tuple[int, ...]) -> bool:
    """True for a line from side to side of the picture, or one of whose ends both meet lines across: a frame's."""
    if line.begin < REACH and line.end >= line.length - REACH:
        return True
    across = [other for other in lines if other.is_vertical != line.is_vertical]
    return all(any(_meets(tip, other) for other in across) for tip in line.tips())


def _meets(tip: tuple[int, int], line: _Line) -> bool:
    row, column = tip[::-1] if line.is_vertical else tip
    if not line.begin - REACH <= column <= line.end + REACH:
        return False
    return abs(int(line.rows(np.array([column]))[0]) - row) <= REACH + line.thickness // 2


def _erase(kept: Mask, dark: Mask, line: _Line) -> None:
    """Remove a line, except where a stroke crosses it."""
    kept, dark = (kept.T, dark.T) if line.is_vertical else (kept, dark)
    height = kept.shape[0]
    columns = np.arange(max(line.begin - 2, 0), min(line.end + 3, line.length))
    middle, half = line.rows(columns), line.thickness // 2 + 1
    strokes = _grown_along(dark)
    above, below = (middle - half - 1).clip(0, height - 1), (middle + half + 1).clip(0, height - 1)
    crossed = strokes[above, columns] & strokes[below, columns]
    band = np.arange(-half, half + 1)[:, None] + middle
    is_pale = np.median(dark[middle.clip(0, height - 1), columns]) == 0
    inside = (band >= 0) & (band < height) & ~crossed
    rows, places = band[inside], np.broadcast_to(columns, band.shape)[inside]
    kept[rows, places] &= dark[rows, places] if is_pale else False


def _not_digit(parts: Sequence[_Part], shape: tuple[int, ...], *, has_removed: bool) -> Iterator[_Part]:
    """The components that are no part of the digit: frames around it, lines below it, holes, and remainders."""
    if not parts:
        return
    total = sum(part.size for part in parts)
    out: list[_Part] = []
    for part in parts:
        longer, shorter = max(part.height, part.width), max(min(part.height, part.width), 1)
        others = [other for other in parts if other is not part and other not in out and other.size > REMAINS * total]
        if not others:
            continue
        fill = part.size / (part.height * part.width)
        is_frame = fill < 0.3 and any(part.encloses(other) for other in others) and _is_hollow(part)
        is_hole = (
            fill >= HOLE_FILL
            and longer <= HOLE_ASPECT * shorter
            and longer < 0.2 * max(shape)
            and _in_zone(part, shape)
            and any(other.size > part.size for other in others if not _in_zone(other, shape))
        )
        if is_frame or is_hole or (has_removed and part.size < REMAINS * total) or _underlines(part, others):
            out.append(part)
    yield from out


def _is_hollow(part: _Part) -> bool:
    """True if nearly all its ink is along the sides of its box."""
    edge = max(3, round(0.08 * max(part.height, part.width)))
    inner = part.mask[part.top + edge : part.bottom - edge, part.left + edge : part.right - edge]
    return bool(np.count_nonzero(inner) < 0.1 * part.size)


def _in_zone(part: _Part, shape: tuple[int, ...]) -> bool:
    down, across = HOLE_ZONE * shape[0], HOLE_ZONE * shape[1]
    return part.right <= across or part.left >= shape[1] - across or part.bottom <= down or part.top >= shape[0] - down


def _underlines(part: _Part, others: Sequence[_Part]) -> bool:
    """True for a level line below all others, or above them and much wider."""
    if part.width < UNDERLINE_ASPECT * max(part.height - 0.09 * part.width, 1):
        return False
    left, right = min(other.left for other in others), max(other.right for other in others)
    middle = (part.top + part.bottom) / 2
    if middle > max(other.bottom for other in others) - 2:
        return part.width >= UNDERLINE_WIDTH * (right - left)
    return middle < min(other.top for other in others) + 2 and part.width >= 1.5 * (right - left)


def _grown(mask: Mask, size: int) -> Mask:
    """The mask grown by a square of `size` pixels."""
    return np.asarray(Image.fromarray(mask.astype(np.uint8)).filter(ImageFilter.MaxFilter(size))) > 0


def _grown_down(mask: Mask) -> Mask:
    """The mask grown by a row above and below."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    return grown


def _grown_along(mask: Mask) -> Mask:
    """The mask grown by two columns on both sides."""
    grown = mask.copy()
    for step in (1, 2):
        grown[:, step:] |= mask[:, :-step]
        grown[:, :-step] |= mask[:, step:]
    return grown
