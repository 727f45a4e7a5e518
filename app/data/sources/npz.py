"""A data set as one .npz file: export, and `npz:PATH`, which loads it or one of others."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from app.data.dataset import Dataset
from app.data.sources.arrays import ArrayPart, make_dataset
from app.data.sources.idx import GZIP_MAX_RATIO
from app.errors import InputError, Message, shortened
from app.storage.zip_file import open_zip

MOST_BYTES = 1 << 30
"""The most bytes of all arrays of a file."""

_KEYS = (("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels"))
_TITLES = "labels"
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
    arrays: dict[str, NDArray[Any]] = {}
    with open_zip(path, damaged=Message("expected a complete NumPy .npz file; got something else")) as archive:
        members = {member.filename.removesuffix(".npy").casefold(): member for member in archive.infolist()}
        keys = next((keys for keys in _KEYS if set(keys[:2]) <= set(members)), _KEYS[0])
        wanted = keys if set(keys[2:]) & set(members) else keys[:2]
        if not set(wanted) <= set(members):
            raise InputError(
                "expected the arrays {names}; got {got}", names=", ".join(keys), got=shortened(sorted(members))
            )
        left = MOST_BYTES
        for key in (*wanted, *({_TITLES} & set(members))):
            arrays[key] = _read_npy(archive, members[key], left)
            left -= arrays[key].nbytes
    titles = arrays.pop(_TITLES, None)
    if titles is not None and (titles.ndim != 1 or titles.dtype.kind != "U"):
        raise InputError(
            "expected a list of strings; got {dtype} with {ndim} dimensions",
            field=_TITLES,
            dtype=titles.dtype,
            ndim=titles.ndim,
        )
    pairs = zip(wanted[::2], wanted[1::2], strict=True)
    parts = [ArrayPart(images, arrays[images], labels, arrays[labels]) for images, labels in pairs]
    made = make_dataset(name, version, parts, None if titles is None else titles.tolist())
    unread = sorted(set(members) - set(wanted) - {_TITLES})
    if not unread:
        return made
    note = Message("Not read ({count}): {names}.", count=len(unread), names=shortened(unread))
    return replace(made, notes=(*made.notes, note))


def _read_npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> NDArray[Any]:
    """An array of the archive, with its header checked before allocation; never pickled objects."""
    name = member.filename.removesuffix(".npy")
    with archive.open(member) as file:
        header = io.BytesIO(file.read(_HEADER_BYTES))
    if npy.read_magic(header) != (1, 0):
        raise InputError("expected an array of numbers or strings; got another", field=name)
    shape, _, dtype = npy.read_array_header_1_0(header)
    if dtype.hasobject:
        raise InputError(
            "expected numbers or strings; got Python objects, which are not read: convert them with `.astype` first",
            field=name,
        )
    size = dtype.itemsize
    for side in shape:
        size *= side
    if size > most:
        raise InputError("expected at most {value} MB in all arrays; got more", field=name, value=MOST_BYTES >> 20)
    if size > min(member.file_size, member.compress_size * GZIP_MAX_RATIO):
        raise InputError("expected {size} bytes; got a file too small to hold them", field=name, size=size)
    with archive.open(member) as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    return array
