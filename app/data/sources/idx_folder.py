"""A folder with IDX files of MNIST's names, however they were unpacked or spelled, or of QMNIST's or EMNIST's."""

import re
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import Dataset
from app.data.sources.arrays import ArrayPart, make_dataset
from app.data.sources.idx import read_any_idx
from app.data.sources.mnist import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from app.data.sources.visible_files import visible
from app.errors import InputError, shortened

_NAME = re.compile(r"(?:.*-)?(?P<part>train|t10k|test)-(?P<kind>images|labels)(?:-idx\d?)?(?:-(?:ubyte|int))?")
_FILES = {
    ("train", "images"): TRAIN_IMAGES,
    ("train", "labels"): TRAIN_LABELS,
    ("test", "images"): TEST_IMAGES,
    ("test", "labels"): TEST_LABELS,
}
QMNIST_COLUMNS = 8
"""The numbers of each image in QMNIST's files of labels; the first is the label (Yadav and Bottou 2019)."""
TRANSPOSED = "emnist"
"""The beginning of the names of files whose images are transposed (Cohen and others 2017)."""


def find_idx(folder: Path) -> dict[tuple[str, str], Path]:
    """The IDX files of a folder by part and kind, such as ("train", "images"); one of two with the same name, unpacked.

    Raises ValueError if there are two with different names.
    """
    found: dict[tuple[str, str], Path] = {}
    for path in reversed(visible(folder)):  # a name with .gz comes before the one without it
        match = _NAME.fullmatch(_spelled(path))
        if match is None or not is_idx(path):
            continue
        role = "train" if match["part"] == "train" else "test", match["kind"]
        other = found.get(role)
        if other is not None and _spelled(other) != _spelled(path):
            raise InputError("expected one file of each kind; got {names}", names=shortened([other.name, path.name]))
        found[role] = path
    return found


def is_idx(path: Path) -> bool:
    """Return True for an IDX file of images or labels, by its name."""
    return is_idx_name(path) and path.is_file() and not path.is_symlink()


def is_idx_name(path: PurePath) -> bool:
    """Return True for the name of an IDX file of images or labels."""
    return _NAME.fullmatch(_spelled(path)) is not None


def load_idx(name: str, version: str, found: dict[tuple[str, str], Path]) -> Dataset:
    """Load the files that `find_idx` found; those to test with may be missing. Raises ValueError, OSError."""
    roles = [role for role in _FILES if role[0] == "train" or any(part == "test" for part, _ in found)]
    for role in roles:
        if role not in found:
            raise InputError(
                "expected the file {file}, with or without .gz; got {names}",
                file=_FILES[role],
                names=shortened(sorted(path.name for path in found.values())),
            )
    arrays = [(found[role].name, _read(found[role])) for role in roles]
    parts = [ArrayPart(*images, *labels) for images, labels in zip(arrays[::2], arrays[1::2], strict=True)]
    return make_dataset(name, version, parts)


def _read(path: Path) -> NDArray[np.generic]:
    array = read_any_idx(path)
    if array.ndim == 2 and array.shape[1] == QMNIST_COLUMNS and array.dtype.itemsize > 1:
        return array[:, 0]
    if array.ndim == 3 and path.name.casefold().startswith(TRANSPOSED):
        return array.transpose(0, 2, 1)
    return array


def _spelled(path: PurePath) -> str:
    """A file's name with hyphens alone, without `.gz`."""
    return re.sub(r"[._ ]+", "-", path.name.casefold().removesuffix(".gz"))
