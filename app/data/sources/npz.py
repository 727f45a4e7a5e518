"""A data set as one .npz file: export, and `npz:PATH`, which loads it or one of others."""

import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from app.data.dataset import Dataset
from app.data.sources.arrays import LARGEST_LABELS, ArrayPart, make_dataset, most_images
from app.data.sources.idx import GZIP_MAX_RATIO
from app.errors import InputError, Message, shortened
from app.storage.zip_file import open_zip

MOST_BYTES = 1 << 30
"""The most bytes of all arrays of a file."""

_KEYS = (("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels"))
_TITLES = "labels"
BLOCK_NUMBERS = 1 << 18
"""Numbers of images that are read at a time."""
_HEADER_ERRORS = (ValueError, TypeError, SyntaxError, TokenError, RecursionError, MemoryError, OverflowError)
"""The errors of NumPy, which reads a header as a Python dictionary, also one of Python 2."""
_HEADER_BYTES = 1 << 16
"""The longest header of version 1.0, which every array of numbers or strings has."""


def write_npz(dataset: Dataset) -> bytes:
    """The compressed arrays `x_train`, `y_train`, `x_test`, `y_test`, as Keras names them, and `labels`.

    Images are uint8 (N, 28, 28), 0 is paper and 255 is ink; y (N,) are indices into `labels`, strings.
    """
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        x_train=dataset.train.images,
        y_train=dataset.train.labels,
        x_test=dataset.test.images,
        y_test=dataset.test.labels,
        labels=np.array(dataset.labels),
    )
    return packed.getvalue()


def load_npz(name: str, path: Path, version: str) -> Dataset:
    """Load arrays with the names of `write_npz`; those to test with may be missing. Raises ValueError, OSError."""
    with open_zip(path, damaged=Message("expected a complete NumPy .npz file; got something else")) as archive:
        entries = {entry.filename.removesuffix(".npy").casefold(): entry for entry in archive.infolist()}
        keys = next((keys for keys in _KEYS if set(keys[:2]) <= set(entries)), _KEYS[0])
        wanted = keys if set(keys[2:]) & set(entries) else keys[:2]
        if not set(wanted) <= set(entries):
            raise InputError(
                "expected the arrays {names}; got {got}", names=", ".join(keys), got=shortened(sorted(entries))
            )
        left = MOST_BYTES
        members: dict[str, _Member] = {}
        for key in (*wanted, *({_TITLES} & set(entries))):
            members[key] = _Member.of(archive, entries[key], left)
            left -= members[key].nbytes
        _check_count([members[key] for key in wanted[::2]], path.stat().st_size)
        titles = members[_TITLES].read() if _TITLES in members else None
        if titles is not None and (titles.ndim != 1 or titles.dtype.kind != "U"):
            raise InputError(
                "expected a list of strings; got {dtype} with {ndim} dimensions",
                field=_TITLES,
                dtype=titles.dtype,
                ndim=titles.ndim,
            )
        pairs = zip(wanted[::2], wanted[1::2], strict=True)
        parts = [ArrayPart(images, members[images], labels, members[labels].read()) for images, labels in pairs]
        made = make_dataset(name, version, parts, None if titles is None else titles.tolist())
    unread = sorted(set(entries) - set(wanted) - {_TITLES})
    if not unread:
        return made
    note = Message("Not read ({count}): {names}.", count=len(unread), names=shortened(unread))
    return replace(made, notes=(*made.notes, note))


def _check_count(images: Sequence["_Member"], size: int) -> None:
    count, most = sum(array.shape[0] for array in images if array.shape), most_images(size)
    if count > most:
        raise InputError("expected at most {most} images in a file of its size; got {count}", most=most, count=count)


@dataclass(frozen=True)
class _Member:
    """An array of the archive, of numbers or strings, whose header has been checked; never pickled objects."""

    archive: zipfile.ZipFile
    entry: zipfile.ZipInfo
    begin: int
    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> "_Member":
        """Read the header of an array of at most `most` bytes. Raises ValueError."""
        name = entry.filename.removesuffix(".npy")
        with archive.open(entry) as file:
            header = io.BytesIO(file.read(_HEADER_BYTES))
        try:
            if npy.read_magic(header) != (1, 0):
                raise InputError("expected an array of numbers or strings; got another", field=name)
            shape, is_fortran, dtype = npy.read_array_header_1_0(header)
        except InputError:
            raise
        except _HEADER_ERRORS:
            raise InputError("expected an array of NumPy; got one whose header cannot be read", field=name) from None
        if dtype.hasobject:
            raise InputError(
                "expected numbers or strings; got Python objects, which are not read: convert them with `.astype` "
                "first",
                field=name,
            )
        size = math.prod(shape) * dtype.itemsize
        if size > most:
            raise InputError("expected at most {value} MB in all arrays; got more", field=name, value=MOST_BYTES >> 20)
        if size > min(entry.file_size, entry.compress_size * GZIP_MAX_RATIO):
            raise InputError("expected {size} bytes; got a file too small to hold them", field=name, size=size)
        return cls(archive, entry, header.tell(), shape, is_fortran, dtype)

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def read(self) -> NDArray[Any]:
        """The whole array, which must be small, as labels are. Raises ValueError, OSError."""
        if self.nbytes > LARGEST_LABELS:
            raise InputError(
                "expected labels of at most {most} MB; got {count}",
                field=self.entry.filename.removesuffix(".npy"),
                most=LARGEST_LABELS >> 20,
                count=f"{self.nbytes / (1 << 20):.1f}",
            )
        with self.archive.open(self.entry) as file:
            array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
        return array

    def blocks(self) -> Iterator[tuple[Any, NDArray[Any]]]:
        """Pieces of whole rows, or of columns as Fortran stores them. Raises ValueError, OSError."""
        stored = self.shape[::-1] if self.is_fortran else self.shape
        row = math.prod(stored[1:])
        step = max(1, BLOCK_NUMBERS // max(1, row))
        with self.archive.open(self.entry) as file:
            file.read(self.begin)
            for begin in range(0, stored[0], step):
                end = min(begin + step, stored[0])
                data = file.read((end - begin) * row * self.dtype.itemsize)
                block = np.frombuffer(data, self.dtype).reshape(end - begin, *stored[1:])
                yield (
                    (..., slice(begin, end)) if self.is_fortran else slice(begin, end),
                    (block.T if self.is_fortran else block),
                )
