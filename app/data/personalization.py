"""What a model is made one's own with: drawings of the user's, drawn again many times, among images it knows already.

A share of the drawings is held out and never learned from, so that what is gained can be measured on the same hand; and
images of the set that the model was trained on are learned again beside the others, so that they are not forgotten
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
from app.data.preprocessing.prepare import from_strokes
from app.data.sources import drawings as drawing_sets
from app.errors import Message, shortened

LEAST_DRAWINGS = 20
"""With fewer there is too little to learn from, and what is held out says nothing."""
MOST_DRAWINGS = 1000
"""The newest ones count; each is rendered at least once."""
HELD_OUT = 0.25
"""The share of the drawings that is measured with, on average and of those that may be."""
DIGITS = 8
"""Of a digest that are looked at: so many that no share of them is far from what it should be."""
VALIDATION = 0.25
"""The share of all images that nothing is learned from: of the model's own data set, to calibrate with."""
SEED = 20_251_120


@dataclass(frozen=True)
class Readiness:
    """Whether a set can be learned: its drawings, how many more are needed, and the labels that the model lacks."""

    set: str
    drawings: int
    needed: int
    unknown: tuple[str, ...]

    @property
    def problem(self) -> Message | None:
        """Why it cannot be, in words; None where it can."""
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
    """What a run learns from and is tested on, and the `drawings` that were held out; `learned` is how many were not.

    The last quarter of the training images (VALIDATION) is of the model's own data set and nothing to learn from.
    """

    dataset: Dataset
    held_out: RenderedDrawings
    learned: int


def readiness(store: DrawingStore, set_name: str, labels: Sequence[str]) -> Readiness:
    """Whether a set's drawings can be learned by a model of these labels. Raises ValueError for the set's name.

    Of few drawings with the same strokes only one counts; of many it is not looked at what they are.
    """
    there = store.labels(set_name)
    unknown = tuple(sorted(set(there.values()) - set(labels)))
    if len(there) > MOST_DRAWINGS:
        return Readiness(set_name, len(there), 0, unknown)
    count = store.count_distinct(set_name)
    return Readiness(set_name, count, max(0, LEAST_DRAWINGS - count), unknown)


def load_personal(
    store: DrawingStore, set_name: str, dataset: Dataset, *, images: int, rehearsal: int, set_aside: float
) -> PersonalData:
    """The drawings of a set as some `images`, among `rehearsal` training images of `dataset`.

    The last `set_aside`, a share, of the data set's training images was not learned from by the model; those are for
    validation. Raises DatasetUnavailable where the drawings do not do.
    """
    distinct = {digest_of(drawing): drawing for drawing in store.each(set_name)}  # in the order of the first of each
    newest = dict(list(distinct.items())[-MOST_DRAWINGS:])
    unknown = tuple(sorted({drawing.label for drawing in newest.values()} - set(dataset.labels)))
    found = Readiness(set_name, len(newest), max(0, LEAST_DRAWINGS - len(newest)), unknown)
    if found.problem is not None:
        raise DatasetUnavailable(found.problem)
    held = hold_out([(key, drawing.label) for key, drawing in newest.items()])
    groups = [
        sorted(key for key, drawing in newest.items() if drawing.label == label and key not in held)
        for label in dataset.labels
    ]
    kept = {key: drawing_sets.StrokeArrays.of(drawing) for key, drawing in newest.items() if key not in held}
    drawn = drawing_sets.render(groups, kept, -(-images // sum(map(bool, groups))), SEED)
    train = _among(drawn, dataset.train, rehearsal, set_aside)
    facts = [drawing_sets.VERSION, SEED, images, rehearsal, set_aside, dataset.version, groups, sorted(held)]
    version = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    title = f"{drawing_sets.title_of(set_name)}, among {dataset.title}"
    mixed = Dataset(dataset.name, title, dataset.labels, train, dataset.test, version)
    return PersonalData(mixed, _as_drawn([newest[key] for key in sorted(held)], dataset.labels), len(kept))


def hold_out(drawings: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Which of the drawings, pairs of a digest and a label with the oldest first, are not learned from.

    The oldest of each label is learned from, and of all others those are held out whose digests, which say nothing of
    what is drawn, lie in the lowest quarter (HELD_OUT); at least one, if there are others. Whether one is learned from
    depends on no drawing that comes later: when a model is made one's own again, after more was drawn, nothing is
    measured with that it learned from the first time.
    """
    oldest = {label: key for key, label in reversed(drawings)}
    others = sorted(key for key, label in drawings if key != oldest[label])
    lowest = int(HELD_OUT * 16**DIGITS)
    return frozenset([key for key in others if int(key[:DIGITS], 16) < lowest] or others[:1])


def _among(drawn: Split, known: Split, rehearsal: int, set_aside: float) -> Split:
    """The drawn images and a choice of the known ones in a mixed order, and behind them what is set aside."""
    rng = np.random.default_rng(SEED)
    most_aside = max(1, len(known) // 4)
    front = min(rehearsal, len(known) - most_aside)
    aside = min(most_aside, math.ceil((len(drawn) + front) * VALIDATION / (1 - VALIDATION)))
    # What the model has not learned from is calibrated on, and of what it has learned from some is rehearsed.
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
    for place, drawing in enumerate(drawings):
        images[place] = np.rint(from_strokes(drawing.strokes).pixels * 255)
    places = np.array([labels.index(drawing.label) for drawing in drawings], np.int64)
    return RenderedDrawings(tuple(drawings), images, places)
