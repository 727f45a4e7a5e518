"""The user's own drawings as images to test on: what a network makes of a hand that it has not seen."""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.data.drawings.drawing import Drawing, read_drawing
from app.data.drawings.store import DrawingStore
from app.data.preprocessing.prepare import from_strokes

MOST_DRAWINGS = 300
"""The newest ones; rendering each takes a millisecond or two."""
REMEMBERED = 2000
"""Images that stay in memory, 784 bytes each."""


@dataclass(frozen=True, eq=False)
class Yours:
    """Drawings, newest first, as `images`, uint8 (N, 28, 28), and their `labels` (N,), indices into those asked for."""

    drawings: tuple[Drawing, ...]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.drawings)


class OwnImages:
    """Renders drawings of a store, each once. Safe to share between threads."""

    def __init__(self, store: DrawingStore) -> None:
        self._store = store
        self._known: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, labels: Sequence[str], most: int = MOST_DRAWINGS, *, sets: Container[str] | None = None) -> Yours:
        """The newest drawings that have one of these labels, of all sets or of those that are named."""
        places = {label: place for place, label in enumerate(labels)}
        drawings = list(itertools.islice(self._newest(places, sets), most))
        images = np.empty((len(drawings), 28, 28), np.uint8)
        for place, drawing in enumerate(drawings):
            images[place] = self._image(drawing)
        return Yours(tuple(drawings), images, np.array([places[drawing.label] for drawing in drawings], np.int64))

    def _newest(self, labels: Container[str], sets: Container[str] | None) -> Iterator[Drawing]:
        """The drawings of these labels in all sets, the newest first; each file is read when its turn comes."""
        known = [
            (drawing_id, one.name)
            for one in self._store.sets()
            if sets is None or one.name in sets
            for drawing_id, label in self._store.labels(one.name).items()
            if label in labels
        ]
        for drawing_id, name in sorted(known, reverse=True):
            try:
                drawing = read_drawing(self._store.folder / name / f"{drawing_id}.json", name)
            except (ValueError, OSError):
                continue  # removed or damaged since
            if drawing.label in labels:  # it may have another one since
                yield drawing

    def _image(self, drawing: Drawing) -> NDArray[np.uint8]:
        """The strokes of a drawing never change, so its id is enough to know the image by."""
        with self._lock:
            known = self._known.get(drawing.id)
            if known is not None:
                self._known.move_to_end(drawing.id)
                return known
        image: NDArray[np.uint8] = np.rint(from_strokes(drawing.strokes).pixels * 255).astype(np.uint8)
        with self._lock:
            self._known[drawing.id] = image
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return image
