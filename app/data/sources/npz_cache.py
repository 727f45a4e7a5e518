"""Caches of arrays in .npz files."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import Split
from app.storage.atomic import write_atomic


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file; empty if it is missing or damaged."""
    try:
        # Opened here, as NumPy leaves an invalid archive open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        return {}


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a file; on a disk that is not writable do nothing, so that the arrays are computed again next time."""
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, packed.getvalue(), prefix=path.stem)


def read_splits(path: Path) -> tuple[Split, Split] | None:
    """The training and the test split of a file; None if it is missing or damaged."""
    arrays = read_arrays(path)
    with suppress(KeyError, ValueError):
        train, test = (
            Split(arrays[f"{part}_images"], arrays[f"{part}_labels"], arrays.get(f"{part}_groups"))
            for part in ("train", "test")
        )
        return train, test
    return None


def write_splits(path: Path, train: Split, test: Split) -> None:
    """Write both splits, as `write_arrays`."""
    write_arrays(
        path,
        {
            f"{part}_{name}": array
            for part, split in (("train", train), ("test", test))
            for name, array in (("images", split.images), ("labels", split.labels), ("groups", split.groups))
            if array is not None
        },
    )
