"""The training data of personalization: variations of the user's drawings, mixed with images the model knows.

A share of the drawings is held out, so that the gain can be measured on the same handwriting; and images of the set
that the model was trained on are learned again with the others, so that they are not forgotten
("rehearsal": A. Robins, "Catastrophic forgetting, rehearsal and pseudorehearsal", Connection Science 7, 1995).
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import Dataset, DatasetUnavailable, Split
from app.data.drawings.drawing import Drawing, digest_of
from app.data.drawings.rendered import RenderedDrawings
from app.data.drawings.store import DrawingStore
from app.data.preprocessing.normalize import to_uint8
from app.data.preprocessing.prepare import from_strokes
from app.data.sources import drawings as drawing_sets
from app.errors import Message, shortened

LEAST_DRAWINGS = 20
"""With fewer there is too little to learn from, and the held-out part means nothing."""
MOST_DRAWINGS = 1000
"""Only the newest drawings are used; each is rendered at least once."""
HELD_OUT = 0.25
"""The average share of the eligible drawings that is held out."""
DIGITS = 8
"""Leading digits of a digest that decide; enough for an accurate share."""
VALIDATION = 0.25
"""The share of all images for validation and calibration; they are of the model's own data set."""
SEED = 20_251_120


@dataclass(frozen=True)
class Readiness:
    """The readiness of a set: its drawings, how many more are needed, and the labels that the model lacks."""

    set: str
    drawings: int
    needed: int
    unknown: tuple[str, ...]

    @property
    def problem(self) -> Message | None:
        """The reason why the set cannot be learned; None if it can."""
        if self.unknown:
            return Message(
                "expected drawings of labels that the model knows; “{set}” also has {labels}: train a network on "
                "{dataset} instead, which learns them all, or move them to a separate set",
                set=self.set,
                labels=shortened(self.unknown),
                dataset=f"{drawing_sets.PREFIX}{self.set}",
            )
        if self.needed:
            return Message(
                "expected at least {least} drawings in “{set}”; it has {count}",
                least=LEAST_DRAWINGS,
                set=self.set,
                count=self.drawings,
            )
        return None


@dataclass(frozen=True, eq=False)
class PersonalData:
    """The data set of a run, the drawings that were held out, and how many were `learned`.

    The last quarter of the training images (VALIDATION) is of the model's own data set and for validation.
    """

    dataset: Dataset
    held_out: RenderedDrawings
    learned: int


def readiness(store: DrawingStore, set_name: str, labels: Sequence[str]) -> Readiness:
    """The readiness of a set for a model with these labels. Raises ValueError for the set's name.

    Drawings with the same strokes count once, unless there are more than MOST_DRAWINGS.
    """
    known = store.labels(set_name)
    unknown = tuple(sorted(set(known.values()) - set(labels)))
    if len(known) > MOST_DRAWINGS:
        return Readiness(set_name, len(known), 0, unknown)
    count = store.count_distinct(set_name)
    return Readiness(set_name, count, max(0, LEAST_DRAWINGS - count), unknown)


def load_personal(
    store: DrawingStore, set_name: str, dataset: Dataset, *, images: int, rehearsal: int, set_aside: float
) -> PersonalData:
    """The drawings of a set as about `images` images, mixed with `rehearsal` training images of `dataset`.

    The model has not learned the last share `set_aside` of the data set's training images; these are for validation.
    Raises DatasetUnavailable if the drawings cannot be learned.
    """
    distinct = {digest_of(drawing): drawing for drawing in store.each(set_name)}  # ordered by the oldest of each
    newest = dict(list(distinct.items())[-MOST_DRAWINGS:])
    unknown = tuple(sorted({drawing.label for drawing in newest.values()} - set(dataset.labels)))
    problem = Readiness(set_name, len(newest), max(0, LEAST_DRAWINGS - len(newest)), unknown).problem
    if problem is not None:
        raise DatasetUnavailable(problem)
    held = hold_out([(key, drawing.label) for key, drawing in newest.items()])
    groups = [
        sorted(key for key, drawing in newest.items() if drawing.label == label and key not in held)
        for label in dataset.labels
    ]
    learned = {key: drawing_sets.StrokeArrays.of(drawing) for key, drawing in newest.items() if key not in held}
    drawn = drawing_sets.render(groups, learned, -(-images // sum(map(bool, groups))), SEED)
    train = _among(drawn, dataset.train, rehearsal, set_aside)
    facts = [drawing_sets.VERSION, SEED, images, rehearsal, set_aside, dataset.version, groups, sorted(held)]
    version = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    title = f"{drawing_sets.title_of(set_name)}, among {dataset.title}"
    mixed = Dataset(dataset.name, title, dataset.labels, train, dataset.test, version)
    return PersonalData(mixed, _as_drawn([newest[key] for key in sorted(held)], dataset.labels), len(learned))


def hold_out(drawings: Sequence[tuple[str, str]]) -> frozenset[str]:
    """The digests of the drawings to hold out, from pairs of a digest and a label, the oldest first.

    The oldest of each label is learned. The others are held out if their digests, which do not depend on the label, are
    in the lowest quarter (HELD_OUT); at least one is, if there are others. The choice does not depend on later
    drawings: a second personalization after more drawings measures with none that the first one learned.
    """
    oldest = {label: key for key, label in reversed(drawings)}
    others = sorted(key for key, label in drawings if key != oldest[label])
    lowest = int(HELD_OUT * 16**DIGITS)
    return frozenset([key for key in others if int(key[:DIGITS], 16) < lowest] or others[:1])


def _among(drawn: Split, known: Split, rehearsal: int, set_aside: float) -> Split:
    """The drawn images and a sample of the known ones, shuffled, followed by the images set aside."""
    rng = np.random.default_rng(SEED)
    most_aside = max(1, len(known) // 4)
    front = min(rehearsal, len(known) - most_aside)
    aside = min(most_aside, math.ceil((len(drawn) + front) * VALIDATION / (1 - VALIDATION)))
    # Images that the model has not learned are for calibration; some of those that it has are rehearsed.
    learned_from = len(known) - max(aside, int(len(known) * set_aside))
    chosen = np.sort(rng.permutation(max(learned_from, front))[:front])
    images = np.concatenate([drawn.images, known.images[chosen]])
    labels = np.concatenate([drawn.labels, known.labels[chosen]]).astype(np.int64)
    order = rng.permutation(len(images))
    return Split(
        np.concatenate([images[order], known.images[len(known) - aside :]]),
        np.concatenate([labels[order], known.labels[len(known) - aside :].astype(np.int64)]),
    )


def _as_drawn(drawings: Sequence[Drawing], labels: Sequence[str]) -> RenderedDrawings:
    images: NDArray[np.uint8] = np.empty((len(drawings), 28, 28), np.uint8)
    for image, drawing in zip(images, drawings, strict=True):
        image[:] = to_uint8(from_strokes(drawing.strokes).pixels)
    indices = np.array([labels.index(drawing.label) for drawing in drawings], np.int64)
    return RenderedDrawings(tuple(drawings), images, indices)
