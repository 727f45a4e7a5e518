"""A cache of data sets in memory, so that pages do not load them each time."""

import threading
from collections import OrderedDict

from app.data.catalog import DatasetCatalog
from app.data.dataset import Dataset, DatasetUnavailable
from app.data.preprocessing.normalize import IMAGE_SIZE

MOST_BYTES = 128 * 2**20
"""The most bytes of all images; MNIST has 55 MB."""
LARGEST_BYTES = 320 * 2**20
"""The most bytes of one set's images; EMNIST's digits have 220 MB."""


class DatasetCache:
    """A least-recently-used cache of data sets by name. Thread-safe."""

    def __init__(self, catalog: DatasetCatalog, *, most_bytes: int = MOST_BYTES) -> None:
        self._catalog, self._most = catalog, most_bytes
        self._cached: OrderedDict[str, tuple[str, Dataset]] = OrderedDict()
        self._lock = threading.Lock()
        self._loading = threading.Lock()

    def get(self, name: str, *, fetch: bool = False) -> Dataset:
        """The data set with this name; `fetch` allows to download or generate it.

        Raises ValueError for a name that is not in the catalogue, DatasetUnavailable with advice.
        """
        stamp = self._catalog.stamp(name)
        found = self._find(name, stamp)
        if found is not None:
            return found
        with self._loading:  # one at a time, which limits the memory
            found = self._find(name, stamp)
            if found is None:
                found = self._load(name, fetch)
                self._store(name, stamp, found)
            return found

    def look(self, name: str) -> Dataset:
        """The data set to look at some of its images; those of a large folder are read when they are asked for.

        Raises as `get`.
        """
        stamp, key = self._catalog.stamp(name), f"look:{name}"
        found = self._find(name, stamp) or self._find(key, stamp)
        if found is None:
            found = self._catalog.outline(name)
            if found is None:
                return self.get(name)
            self._store(key, stamp, found)
        return found

    def _load(self, name: str, fetch: bool) -> Dataset:
        info = self._catalog.info(name)
        if not fetch and info.state in ("download", "generate"):
            raise DatasetUnavailable("{title} is not on this machine yet. {note}", title=info.title, note=info.note)
        if not fetch and not self._catalog.is_drawn(name):
            raise DatasetUnavailable(
                "{title} has not been drawn yet: start a training on it to draw it", title=info.title
            )
        if (info.train + info.test) * IMAGE_SIZE**2 > LARGEST_BYTES:
            raise DatasetUnavailable(
                "expected at most {most} images to look at; {title} has {count}: train on it, or look at its parts",
                most=f"{LARGEST_BYTES // IMAGE_SIZE**2:,}",
                title=info.title,
                count=f"{info.train + info.test:,}",
            )
        return self._catalog.load(name, download=fetch)

    def _find(self, name: str, stamp: str) -> Dataset | None:
        with self._lock:
            entry = self._cached.get(name)
            if entry is None or entry[0] != stamp:
                return None
            self._cached.move_to_end(name)
            return entry[1]

    def _store(self, name: str, stamp: str, dataset: Dataset) -> None:
        with self._lock:
            self._cached[name] = (stamp, dataset)
            self._cached.move_to_end(name)
            while len(self._cached) > 1 and sum(map(_size, self._cached.values())) > self._most:
                self._cached.popitem(last=False)


def _size(entry: tuple[str, Dataset]) -> int:
    dataset = entry[1]
    splits = (dataset.train, dataset.test, *dataset.tests.values())
    return sum(array.nbytes for split in splits for array in (split.images, split.labels))
