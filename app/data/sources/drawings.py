"""The data sets `drawings:NAME`: the user's drawings, each rendered with other pens and small warps.

Ten drawings of each label are few to learn from, and a hand never draws twice the same; so each is rendered many times
from its strokes. What is warped is the path of the pen and not the picture, so no pixel is ever interpolated. The
displacements are smooth, as in P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks
applied to visual document analysis", ICDAR 2003, section 2.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from app.data.dataset import Dataset, DatasetUnavailable, Split
from app.data.drawings.drawing import Drawing, check_set_name, digest_of
from app.data.drawings.labels import in_order
from app.data.drawings.store import DrawingStore
from app.data.handwriting.writer import PEN_LIMITS, PEN_MEDIAN, PEN_SPREAD
from app.data.preprocessing.normalize import IMAGE_SIZE
from app.data.preprocessing.rasterize import STROKE_WIDTH
from app.data.preprocessing.rasterize_batch import rasterize_batch
from app.errors import Message, shortened

PREFIX = "drawings:"
VERSION = 1
"""Increases with every change to the rendering, so that older runs notice it."""
SEED = 20_240_601

LEAST_DRAWINGS = 5
"""The fewest drawings of a label: one for testing, and four for training, as a network overfits fewer."""
LEAST_LABELS, MOST_LABELS = 2, 1000
TEST_SHARE = 0.2
"""The share of each label's drawings, but at least one, for testing."""

TRAIN_IMAGES, TEST_IMAGES = 3_000, 600
"""Divided among the labels; a label with more drawings than its share has one image of each."""
LEAST_IMAGES = {TRAIN_IMAGES: 100, TEST_IMAGES: 20}
"""The fewest images of a label."""

# The variation of handwriting, tuned by comparing drawings with their warps; lengths relative to the drawing's longer
# side.
TURN_RADIANS, TURN_LIMIT = 0.12, 0.35
SHEAR = 0.12
ASPECT = 0.14
BEND, WAVES = 0.03, 3
STROKE_SHIFT = 0.02
SEGMENT = 0.05
"""The longest segment that stays straight."""

TOGETHER = 1_000
"""Images rendered at a time; each takes some 30 kB meanwhile."""

Paths = Sequence[NDArray[np.float64]]


@dataclass(frozen=True)
class DrawingSetSize:
    """The numbers of images for training and testing; `problem` is the reason why the set cannot be trained on."""

    train: int
    test: int
    problem: str | None


@dataclass(frozen=True, eq=False)
class StrokeArrays:
    """A drawing as arrays, which take a tenth of the memory of its lists."""

    label: str
    strokes: list[NDArray[np.float64]]

    @classmethod
    def of(cls, drawing: Drawing) -> "StrokeArrays":
        return cls(drawing.label, [np.array(stroke, np.float64) for stroke in drawing.strokes])


def set_of(name: str) -> str | None:
    """The drawing set's name in a data set's name; None for another kind of data set. Raises ValueError."""
    return check_set_name(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None


def stamp_of(store: DrawingStore, set_name: str) -> str:
    """A stamp that changes when a drawing is added, removed or relabelled; no drawings are read."""
    known = [store.declared_labels(set_name), sorted(store.labels(set_name).items())]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def size_of(counts: Mapping[str, int]) -> DrawingSetSize:
    """The size of a set with these counts of drawings by label, if all are distinct."""
    train = test = 0
    for count in counts.values():
        tests = _tests(count)
        train += max(_share(TRAIN_IMAGES, len(counts)), count - tests)
        test += max(_share(TEST_IMAGES, len(counts)), tests)
    return DrawingSetSize(train, test, _problem(counts))


def load_drawing_set(store: DrawingStore, set_name: str, *, seed: int = SEED) -> Dataset:
    """Render a set's drawings, at least five of each of two labels or more; no drawing is in both splits.

    Only the newest of drawings with the same strokes counts. The images depend on the strokes, the labels and `seed`
    alone, and so does the data set's `version`. Raises ValueError for the name, DatasetUnavailable.
    """
    # Later drawings replace earlier ones with the same strokes.
    distinct = {digest_of(drawing): StrokeArrays.of(drawing) for drawing in store.each(set_name)}
    labels = tuple(in_order(store.declared_labels(set_name), (drawing.label for drawing in distinct.values())))
    if len(labels) > MOST_LABELS:
        raise DatasetUnavailable(
            "expected at most {most} labels; {prefix}{set_name} has {count}",
            most=MOST_LABELS,
            prefix=PREFIX,
            set_name=set_name,
            count=len(labels),
        )
    # Ordered by digest, which is as good as random: the first of each label are for testing.
    groups = [sorted(key for key, drawing in distinct.items() if drawing.label == label) for label in labels]
    problem = _problem({label: len(group) for label, group in zip(labels, groups, strict=True)})
    if problem is not None:
        raise DatasetUnavailable(
            "the drawings “{set_name}” are too few to train on: {problem}", set_name=set_name, problem=problem
        )
    held = [_tests(len(group)) for group in groups]
    tests = [group[:count] for group, count in zip(groups, held, strict=True)]
    trains = [group[count:] for group, count in zip(groups, held, strict=True)]
    version = hashlib.sha256(json.dumps([VERSION, seed, labels, groups]).encode()).hexdigest()
    return Dataset(
        f"{PREFIX}{set_name}",
        title_of(set_name),
        labels,
        render(trains, distinct, _share(TRAIN_IMAGES, len(labels)), seed),
        render(tests, distinct, _share(TEST_IMAGES, len(labels)), seed),
        version,
    )


def title_of(set_name: str) -> str:
    """The data set's title on pages."""
    return f"Your drawings: {set_name}"


def jitter_strokes(strokes: Paths, rng: np.random.Generator) -> tuple[list[NDArray[np.float64]], float]:
    """A random variation of strokes, arrays (n, 2) of finite numbers, and a pen width.

    The width is in pixels of the 28×28 image.
    """
    width = float(np.clip(PEN_MEDIAN * np.exp(rng.normal(0, PEN_SPREAD)), *PEN_LIMITS))
    points = np.concatenate(strokes)
    low, high = points.min(axis=0) * 0.5, points.max(axis=0) * 0.5  # halves, so that ±1e308 has an extent
    size = float((high - low).max()) or 1.0
    middle = (low + high) / 2
    placed = [_dense((stroke * 0.5 - middle) / size) for stroke in strokes]

    turn = np.clip(rng.normal(0, TURN_RADIANS), -TURN_LIMIT, TURN_LIMIT)
    shear, aspect = rng.normal(0, (SHEAR, ASPECT))
    cosine, sine = np.cos(turn), np.sin(turn)
    stretch = np.array([[np.exp(aspect / 2), shear], [0.0, np.exp(-aspect / 2)]])
    matrix = np.array([[cosine, -sine], [sine, cosine]]) @ stretch
    # Waves longer than the drawing, in random directions.
    angles, phases = rng.uniform(0, 2 * np.pi, (2, WAVES))
    lengths = rng.uniform(0.8, 2.0, WAVES)
    heights = rng.normal(0, BEND, (WAVES, 2))
    ways = np.stack([np.cos(angles), np.sin(angles)]) / lengths
    shifts = rng.normal(0, STROKE_SHIFT, (len(placed), 2))
    paths = [
        (path + np.sin(2 * np.pi * path @ ways + phases) @ heights) @ matrix.T + shift
        for path, shift in zip(placed, shifts, strict=True)
    ]
    return paths, width


def _dense(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """The path with additional points on long segments, so that straight lines can bend."""
    if len(path) < 2:
        return path
    steps = np.hypot(*np.diff(path, axis=0).T)
    counts = np.maximum(np.ceil(steps / SEGMENT), 1).astype(int)
    positions = np.concatenate([start + np.arange(count) / count for start, count in enumerate(counts)])
    positions = np.append(positions, len(path) - 1)
    return np.stack([np.interp(positions, np.arange(len(path)), axis) for axis in path.T], axis=1)


def render(groups: Sequence[Sequence[str]], drawings: Mapping[str, StrokeArrays], each: int, seed: int) -> Split:
    """Images that cycle through each label's drawings, and through the labels; each drawing's first one is not varied.

    `groups` are the digests of each label's drawings; a label with drawings gets `each` images, or one per drawing if
    that is more. A drawing's images depend on its strokes and `seed` alone, so adding another one does not change them.
    """
    counts = [max(each, len(group)) for group in groups]
    rows = [
        (index / count, label, key, time)
        for label, (group, count) in enumerate(zip(groups, counts, strict=True))
        for place, key in enumerate(group)
        for time, index in enumerate(range(place, count, len(group)))
    ]
    rows.sort(key=lambda row: row[:2])  # evenly mixed, as the last part may be used for validation
    images = np.empty((len(rows), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    with threadpool_limits(1, "blas"):  # small products: waiting threads would double the time
        for begin in range(0, len(rows), TOGETHER):
            paths = [_path(drawings[key], key, time, seed) for _, _, key, time in rows[begin : begin + TOGETHER]]
            images[begin : begin + TOGETHER] = rasterize_batch(paths)
    return Split(images, np.array([label for _, label, _, _ in rows], np.int64))


def _path(drawing: StrokeArrays, key: str, time: int, seed: int) -> tuple[Paths, float]:
    if time == 0:
        return drawing.strokes, STROKE_WIDTH
    return jitter_strokes(drawing.strokes, np.random.default_rng([seed, int(key[:16], 16), time]))


def _tests(count: int) -> int:
    """The number of a label's drawings for testing."""
    return max(1, round(count * TEST_SHARE))


def _share(total: int, labels: int) -> int:
    """The fewest images of a label, of `total`."""
    return max(LEAST_IMAGES[total], -(-total // max(labels, 1)))


def _problem(counts: Mapping[str, int]) -> Message | None:
    if len(counts) < LEAST_LABELS:
        return Message(
            "expected drawings of at least {least} labels; got {count}", least=LEAST_LABELS, count=len(counts)
        )
    if len(counts) > MOST_LABELS:
        return Message("expected at most {most} labels; got {count}", most=MOST_LABELS, count=len(counts))
    few = {label: count for label, count in counts.items() if count < LEAST_DRAWINGS}
    if not few:
        return None
    named = shortened([f"{label}: {count}" for label, count in few.items()])
    return Message("expected at least {least} drawings of each label; got {few}", least=LEAST_DRAWINGS, few=named)
