"""The user's drawings as test images, to evaluate a network on unseen handwriting."""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.data.drawings.drawing import Drawing, read_drawing
from app.data.drawings.store import DrawingStore
from app.data.preprocessing.normalize import to_uint8
from app.data.preprocessing.prepare import from_strokes

MOST_DRAWINGS = 300
"""Only the newest are used; rendering each takes a millisecond or two."""
REMEMBERED = 2000
"""Images cached in memory, 784 bytes each."""


@dataclass(frozen=True, eq=False)
class RenderedDrawings:
    """Drawings, newest first, as `images`, uint8 (N, 28, 28), and `labels` (N,), indices into the requested labels."""

    drawings: tuple[Drawing, ...]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.drawings)


class DrawingRenderer:
    """Renders drawings of a store with a cache. Thread-safe."""

    def __init__(self, store: DrawingStore) -> None:
        self._store = store
        self._cache: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self, labels: Sequence[str], most: int = MOST_DRAWINGS, *, sets: Container[str] | None = None
    ) -> RenderedDrawings:
        """The newest drawings with one of these labels, of all sets or of `sets`."""
        index_of = {label: index for index, label in enumerate(labels)}
        drawings = list(itertools.islice(self._newest(index_of, sets), most))
        images = np.empty((len(drawings), 28, 28), np.uint8)
        for image, drawing in zip(images, drawings, strict=True):
            image[:] = self._image(drawing)
        return RenderedDrawings(
            tuple(drawings), images, np.array([index_of[drawing.label] for drawing in drawings], np.int64)
        )

    def _newest(self, labels: Container[str], sets: Container[str] | None) -> Iterator[Drawing]:
        """The drawings with these labels, the newest first; files are read lazily."""
        ids = [
            (drawing_id, drawing_set.name)
            for drawing_set in self._store.sets()
            if sets is None or drawing_set.name in sets
            for drawing_id, label in self._store.labels(drawing_set.name).items()
            if label in labels
        ]
        for drawing_id, name in sorted(ids, reverse=True):
            try:
                drawing = read_drawing(self._store.folder / name / f"{drawing_id}.json", name)
            except (ValueError, OSError):
                continue  # removed or damaged in the meantime
            if drawing.label in labels:  # it may have been relabelled
                yield drawing

    def _image(self, drawing: Drawing) -> NDArray[np.uint8]:
        """The image of a drawing, cached by id, as its strokes never change."""
        with self._lock:
            cached = self._cache.get(drawing.id)
            if cached is not None:
                self._cache.move_to_end(drawing.id)
                return cached
        image = to_uint8(from_strokes(drawing.strokes).pixels)
        with self._lock:
            self._cache[drawing.id] = image
            while len(self._cache) > REMEMBERED:
                self._cache.popitem(last=False)
        return image
