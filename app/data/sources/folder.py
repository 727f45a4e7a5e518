"""The user's data sets below DIGITPAD_DATA_DIR: `folder:PATH` and `npz:PATH`.

PATH never leads out of that folder, neither by its parts nor by a link, so that a request cannot read other files. A
folder has a folder of PNG or JPEG pictures for each label, directly or under `train` and `test`; or the four IDX files
with MNIST's names.
"""

import hashlib
import os
import re
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from app.data.dataset import Dataset, DatasetUnavailable, ImageArray, Split
from app.data.drawings.drawing import check_label
from app.data.preprocessing.normalize import IMAGE_SIZE, to_uint8
from app.data.preprocessing.prepare import from_image
from app.data.sources.idx import ByteArray, read_idx
from app.data.sources.mnist import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, find_file
from app.data.sources.npz_cache import read_splits, write_splits
from app.errors import InputError, message_of
from app.nn import abbreviate

FOLDER, NPZ = "folder:", "npz:"
SUFFIXES = (".png", ".jpg", ".jpeg")
VERSION = 1
"""Increases with every change to the preprocessing, which invalidates older caches."""

TEST_EVERY = 6
"""Without a folder `test`, every sixth picture of a label is for testing, a share as in MNIST."""
MOST_LABELS = 256
MOST_PICTURES = 500_000
MOST_PICTURE_BYTES = 20 << 20
MOST_ARRAY_BYTES = 1 << 30
MOST_CACHED, MOST_CACHED_BYTES = 16, 1 << 30
"""The most files of the cache of preprocessed folders, and their total size."""

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_KEYS = (("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels"))


def is_folder_name(name: str) -> bool:
    """True if a data set's name is of one of these kinds."""
    return name.startswith((FOLDER, NPZ))


def find_place(name: str, data_dir: Path | None) -> Path:
    """The file or folder of a name. Raises ValueError for an invalid name, DatasetUnavailable if it does not exist."""
    kind, _, words = name.partition(":")
    parts = words.split("/")
    if not all(_PART.fullmatch(part) for part in parts):
        raise InputError(
            "expected {kind}: and a path below DIGITPAD_DATA_DIR, made of letters, digits, '.', '_' and '-'; got "
            "{name}",
            kind=kind,
            name=repr(name[:80]),
        )
    if data_dir is None:
        raise DatasetUnavailable(
            "{name}: set DIGITPAD_DATA_DIR to the folder that holds your data sets.", name=name[:80]
        )
    place = data_dir.joinpath(*parts).resolve()
    exists = place.is_dir() if kind == "folder" else place.is_file()
    if not exists or not place.is_relative_to(data_dir.resolve()):
        if kind == "folder":
            raise DatasetUnavailable("{name}: there is no such folder in DIGITPAD_DATA_DIR.", name=name[:80])
        raise DatasetUnavailable("{name}: there is no such file in DIGITPAD_DATA_DIR.", name=name[:80])
    return place


def stamp_of(name: str, data_dir: Path | None) -> str:
    """A stamp that changes when a picture is added or removed, or an array's file replaced; no files are read.

    Raises as `find_place`.
    """
    return _stamp(find_place(name, data_dir))


def _stamp(place: Path) -> str:
    places = [place, *sorted(place.glob("*")), *sorted(place.glob("*/*/"))] if place.is_dir() else [place]
    status = [path.stat() for path in places if not path.is_symlink()]
    return hashlib.sha256(repr([(stat.st_mtime_ns, stat.st_size) for stat in status]).encode()).hexdigest()[:32]


def load_folder(name: str, *, data_dir: Path | None, cache_dir: Path) -> Dataset:
    """Load `folder:PATH` or `npz:PATH`. Raises ValueError for the name, DatasetUnavailable with the reason."""
    place = find_place(name, data_dir)
    try:
        if name.startswith(NPZ):
            return _load_npz(name, place)
        if find_file(place, TRAIN_IMAGES) is not None:
            return _load_idx(name, place)
        return _load_pictures(name, place, cache_dir)
    except DatasetUnavailable:
        raise
    except OSError as error:
        raise DatasetUnavailable(
            "{name}: a file cannot be read: {reason}.", name=name, reason=error.strerror or type(error).__name__
        ) from None
    except ValueError as error:
        raise DatasetUnavailable("{name}: {reason}.", name=name, reason=message_of(error)) from None


def _load_pictures(name: str, place: Path, cache_dir: Path) -> Dataset:
    parts = [place / "train", place / "test"]
    if parts[0].is_dir() and parts[1].is_dir():
        train, test = (_pictures(part) for part in parts)
    else:
        both = _pictures(place)
        test = {label: paths[TEST_EVERY - 1 :: TEST_EVERY] for label, paths in both.items()}
        train = {label: [p for i, p in enumerate(paths, 1) if i % TEST_EVERY] for label, paths in both.items()}
    labels = tuple(sorted({*train, *test}, key=lambda label: (len(label), label) if label.isdecimal() else (99, label)))
    if not 2 <= len(labels) <= MOST_LABELS:
        raise InputError(
            "expected 2 to {most} folders of images, one for each label; got {count}",
            most=MOST_LABELS,
            count=len(labels),
        )
    if not any(train.values()):
        raise InputError("expected images to train on; got none")
    if not any(test.values()):
        raise InputError("expected images to test with; got none")
    # The cached images are valid until a file is added, removed or changed.
    digest = hashlib.sha256(f"{VERSION} {labels}".encode())
    for paths in (train, test):
        for label in labels:
            for path in paths.get(label, []):
                status = path.stat()
                digest.update(f"{path.relative_to(place)} {status.st_size} {status.st_mtime_ns}\n".encode())
    path = cache_dir / "folders" / f"{digest.hexdigest()[:32]}.npz"
    splits = read_splits(path)
    if splits is None:
        splits = _read_pictures(train, labels, place), _read_pictures(test, labels, place)
        write_splits(path, *splits)
        with suppress(OSError):
            _remove_oldest(path.parent)
    else:
        with suppress(OSError):  # mark it as recently used
            os.utime(path)
    return Dataset(name, name, labels, splits[0], splits[1], path.stem)


def _pictures(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    total = 0
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_dir() or path.name.startswith("."):
            continue
        paths = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file() and not p.is_symlink())
        total += len(paths)
        if total > MOST_PICTURES:
            raise InputError("expected at most {most} images; got more", most=MOST_PICTURES)
        if paths:
            found[check_label(path.name)] = paths
    return found


def _read_pictures(paths: dict[str, list[Path]], labels: tuple[str, ...], place: Path) -> Split:
    images, numbers = [], []
    for number, label in enumerate(labels):
        for path in paths.get(label, []):
            if path.stat().st_size > MOST_PICTURE_BYTES:
                raise InputError(
                    "expected at most {most} MB; got more",
                    field=str(path.relative_to(place)),
                    most=MOST_PICTURE_BYTES >> 20,
                )
            try:
                pixels = from_image(path.read_bytes()).pixels
            except ValueError as error:
                raise InputError(message_of(error).within(str(path.relative_to(place)))) from None
            images.append(to_uint8(pixels))
            numbers.append(number)
    # Cycle through the labels, so that every share of the set contains all of them.
    numbered = np.array(numbers)
    turn = np.concatenate([np.arange(np.count_nonzero(numbered == number)) for number in range(len(labels))])
    order = np.lexsort((numbered, turn))
    return Split(np.stack(images)[order], numbered[order])


def _remove_oldest(folder: Path) -> None:
    """Remove the least recently used files of the cache until it is within its limits; the newest always stays."""
    found = []
    for path in folder.glob("*.npz"):
        with suppress(FileNotFoundError):
            status = path.stat()
            found.append((status.st_mtime_ns, status.st_size, path))
    free = MOST_CACHED_BYTES
    for index, (_, size, path) in enumerate(sorted(found, reverse=True)):
        free -= size
        if index and (index >= MOST_CACHED or free < 0):
            path.unlink(missing_ok=True)


def _load_idx(name: str, place: Path) -> Dataset:
    arrays: list[ByteArray] = []
    for file, rank in ((TRAIN_IMAGES, 3), (TRAIN_LABELS, 1), (TEST_IMAGES, 3), (TEST_LABELS, 1)):
        path = find_file(place, file)
        if path is None:
            raise InputError("expected the file {file}, with or without .gz; got no such file", file=file)
        if not path.resolve().is_relative_to(place):
            raise InputError("expected a file, not a link to another folder", field=file)
        arrays.append(read_idx(path, rank=rank)[0])
    return _numbered(name, place, arrays[0], arrays[1], arrays[2], arrays[3], None)


def _load_npz(name: str, place: Path) -> Dataset:
    arrays: dict[str, NDArray[np.generic]] = {}
    try:
        with zipfile.ZipFile(place) as archive:
            for member in archive.infolist():
                key = member.filename.removesuffix(".npy")
                if key == "labels" or any(key in keys for keys in _KEYS):
                    arrays[key] = _read_npy(archive, member)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise InputError("expected a complete NumPy .npz file; got something else") from None
    keys = next((keys for keys in _KEYS if all(key in arrays for key in keys)), None)
    if keys is None:
        raise InputError(
            "expected the arrays {names}; got {got}", names=", ".join(_KEYS[0]), got=abbreviate(sorted(arrays))
        )
    titles = arrays.get("labels")
    if titles is not None and (titles.ndim != 1 or titles.dtype.kind != "U"):
        raise InputError(
            "expected a list of strings; got {dtype} with {ndim} dimensions",
            field="labels",
            dtype=titles.dtype,
            ndim=titles.ndim,
        )
    images = [_as_images(key, arrays[key]) for key in keys[::2]]
    return _numbered(
        name, place, images[0], arrays[keys[1]], images[1], arrays[keys[3]], None if titles is None else titles.tolist()
    )


def _read_npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[np.generic]:
    """An array of the archive, with its header checked before allocation; never pickled objects."""
    with archive.open(member) as file:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(file)
    size = dtype.itemsize
    for side in shape:
        size *= side
    if size > min(MOST_ARRAY_BYTES, member.file_size):
        raise InputError("expected at most {most} MB; got more", field=member.filename, most=MOST_ARRAY_BYTES >> 20)
    with archive.open(member) as file:
        array: NDArray[np.generic] = npy.read_array(file, allow_pickle=False)
    return array


def _as_images(key: str, array: NDArray[np.generic]) -> ImageArray:
    side = IMAGE_SIZE
    if array.shape[1:] not in ((side, side), (side * side,), (side, side, 1), (1, side, side)):
        raise InputError("expected 28×28 images; got {shape}", field=key, shape=" × ".join(map(str, array.shape)))
    images = array.reshape(-1, side, side)
    if images.dtype == np.uint8:
        return images.astype(np.uint8)
    if images.dtype.kind != "f" or not len(images) or not (images.min() >= 0 and images.max() <= 1):
        raise InputError("expected bytes, or floats from 0 to 1; got {dtype}", field=key, dtype=array.dtype)
    return to_uint8(images.astype(np.float32))


def _numbered(
    name: str,
    place: Path,
    images: ImageArray,
    labels: NDArray[np.generic],
    test_images: ImageArray,
    test_labels: NDArray[np.generic],
    titles: list[str] | None,
) -> Dataset:
    """A set with numeric labels, with or without a title for each."""
    splits = []
    for pictures, numbers in ((images, labels), (test_images, test_labels)):
        if pictures.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or numbers.shape != (len(pictures),) or not len(pictures):
            raise InputError(
                "expected as many labels as 28×28 images; got {labels} and {images}",
                labels=numbers.size,
                images=len(pictures),
            )
        if numbers.dtype.kind not in "iu":
            raise InputError("expected labels that are whole numbers; got {dtype}", dtype=numbers.dtype)
        splits.append(Split(pictures, numbers.astype(np.int64)))
    low, high = (int(edge) for edge in (min(s.labels.min() for s in splits), max(s.labels.max() for s in splits)))
    most = MOST_LABELS if titles is None else len(titles)
    if low < 0 or high >= most:
        raise InputError("expected labels from 0 to {last}; got {low} to {high}", last=most - 1, low=low, high=high)
    known = tuple(map(str, range(high + 1))) if titles is None else tuple(check_label(title) for title in titles)
    if len(set(known)) != len(known) or len(known) < 2:
        raise InputError("expected at least 2 labels, all different; got {count}", count=len(set(known)))
    return Dataset(name, name, known, splits[0], splits[1], _stamp(place))
