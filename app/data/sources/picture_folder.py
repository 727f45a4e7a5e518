"""Folders of image files, one for each label, alone or below `train` and `test`."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import Dataset, DatasetUnavailable, ImageArray, Split
from app.data.drawings.drawing import check_label
from app.data.preprocessing.decode import file_decoders
from app.data.preprocessing.normalize import IMAGE_SIZE, to_uint8
from app.data.preprocessing.prepare import from_image
from app.data.sources.arrays import MOST_IMAGES, MOST_LABELS, TEST_EVERY, nth_of_label, sorted_labels
from app.data.sources.csv_file import find_test_table, is_table
from app.data.sources.idx_folder import is_idx
from app.data.sources.npz_cache import read_splits, write_splits
from app.data.sources.visible_files import split_files, visible
from app.errors import InputError, Message, message_of, shortened

ARRAY_SUFFIXES = (".csv", ".npz")
SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff")
VERSION = 2
"""Increases with every change to the preprocessing, which invalidates older caches."""

TRAIN_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing", "val", "valid", "validation")
"""The first of these that is there; what lies in the others is not read."""
DEEPEST = 3
"""The most folders that hold nothing but one folder."""
MOST_LOOKED_AT, FEW = 50, 5
"""The most files of a folder, and folders with pictures, that are looked at to tell whether there is a set."""
MOST_PICTURE_BYTES = 20 << 20
READ_AT_ONCE = 200
"""The most pictures that are all read to tell whether they can be; of more, the names alone are looked at."""
REMEMBERED = 2000
"""Pictures of such a folder that are kept once they are prepared, 784 bytes each."""
MOST_CACHED, MOST_CACHED_BYTES = 16, 1 << 30
"""The most files of the cache of preprocessed folders, and their total size."""

Pictures: TypeAlias = Mapping[str, list[Path]]
"""Paths by label."""


def inner_folder(folder: Path) -> Path:
    """The folder in which a set lies, which is often alone in another one, as in an unpacked archive."""
    for _ in range(DEEPEST):
        entries = visible(folder)
        inside = [path for path in entries if _is_folder(path)]
        if len(inside) != 1 or any(is_picture_file(path) or is_idx(path) for path in entries):
            break
        if not _holds_folders(inside[0]) and not any(_is_array_file(path) for path in visible(inside[0])):
            break
        folder = inside[0]
    return folder


def find_array_file(folder: Path) -> Path | None:
    """The table or the file of arrays in a folder without folders; None if it has none. Raises ValueError."""
    entries = visible(folder)
    if any(map(_is_folder, entries)):
        return None
    files = [path for path in entries if path.suffix.lower() in ARRAY_SUFFIXES and _is_array_file(path)]
    tests = [find_test_table(path) for path in files if path.suffix.lower() == ".csv"]
    files = [path for path in files if path not in tests]
    if len(files) > 1:  # such as an example of what to hand in, beside Kaggle's tables
        files = [path for path in files if path.suffix.lower() == ".npz" or is_table(path)] or files
    if len(files) > 1:
        names = shortened([path.name for path in files])
        raise InputError("expected one table or file of arrays to train on; got {names}", names=names)
    return files[0] if files else None


def looks_like_a_set(folder: Path) -> bool:
    """Return True for a folder with a set by the names of some of its files and folders."""
    entries = visible(folder, MOST_LOOKED_AT)
    if any(is_idx(path) or path.name.casefold() in TRAIN_NAMES for path in entries):
        return True
    labels = [path for path in entries if _is_folder(path)][:FEW]
    return sum(any(map(is_picture_file, visible(path, MOST_LOOKED_AT))) for path in labels) > 1


@dataclass(frozen=True)
class PictureFiles:
    """The pictures of a set, by its labels, to train on and to test with, and what else lies in its folder."""

    labels: tuple[str, ...]
    train: Pictures
    test: Pictures
    unread: Sequence[Path]


def find_pictures(place: Path) -> PictureFiles:
    """The pictures of a folder, none of which is read. Raises ValueError if they are no set, OSError."""
    unread: list[Path] = []
    train, test = _layout(place, unread)
    labels = sorted_labels({*train, *test})
    if not 2 <= len(labels) <= MOST_LABELS:
        raise _unknown_layout(place, len(labels))
    if not any(train.values()):
        raise InputError("expected images to train on; got none")
    if not any(test.values()):
        if max(map(len, train.values())) < TEST_EVERY:
            raise InputError("expected at least {least} images of a label", least=TEST_EVERY)
        raise InputError("expected images to test with; got none")
    unseen = [label for label in labels if not train.get(label)]
    if unseen:
        raise InputError(
            "expected images to train on for each label; got only images to test with for {names}",
            names=shortened(unseen),
        )
    return PictureFiles(labels, train, test, unread)


def load_pictures(name: str, place: Path, cache_dir: Path) -> Dataset:
    """Load the pictures of a folder, each through the one preprocessing. Raises ValueError, OSError."""
    found = find_pictures(place)
    labels, train, test, unread = found.labels, found.train, found.test, found.unread
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
        splits = _read_pictures(*_in_order(train, labels), place), _read_pictures(*_in_order(test, labels), place)
        write_splits(path, *splits)
        with suppress(OSError):
            _remove_oldest(path.parent)
    else:
        with suppress(OSError):  # mark it as recently used
            os.utime(path)
    return Dataset(name, name, labels, splits[0], splits[1], path.stem, notes=_notes(unread, place))


def outline_pictures(name: str, place: Path) -> Dataset | None:
    """A folder of many pictures, each of which is read when it is asked for; None if there are few.

    It is to be looked at, and has no version. Raises ValueError, OSError.
    """
    found = find_pictures(place)
    count = sum(len(paths) for part in (found.train, found.test) for paths in part.values())
    if count <= READ_AT_ONCE:
        return None
    splits = []
    for part in (found.train, found.test):
        paths, numbers = _in_order(part, found.labels)
        # It has of an array what pages need: its length, and the images of one or several rows.
        splits.append(Split(cast("ImageArray", PictureRows(name, paths, place)), numbers))
    notes = (*_notes(found.unread, place), Message("Its images are read when they are needed."))
    return Dataset(name, name, found.labels, splits[0], splits[1], notes=notes)


class PictureRows:
    """The prepared images of files, uint8 (N, 28, 28), read by row. Thread-safe."""

    def __init__(self, name: str, paths: Sequence[Path], place: Path) -> None:
        self._name, self._paths, self._place = name, paths, place
        self._prepared: dict[int, tuple[tuple[int, int], ImageArray]] = {}
        self.nbytes = REMEMBERED * IMAGE_SIZE**2 + 200 * len(paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, rows: int | NDArray[np.int64]) -> ImageArray:
        """One image, or those of an array of rows. Raises DatasetUnavailable, which names a file that is damaged."""
        if isinstance(rows, np.ndarray):
            return np.stack([self[int(row)] for row in rows])
        row = range(len(self._paths))[rows]
        path = self._paths[row]
        try:
            status = path.stat()
            known = self._prepared.get(row)
            stamp = (status.st_mtime_ns, status.st_size)
            if known is not None and known[0] == stamp:
                return known[1]
            image = _read_picture(path, self._place)
        except OSError as error:
            raise DatasetUnavailable(
                "{name}: a file cannot be read: {value}.", name=self._name, value=error.strerror or type(error).__name__
            ) from None
        except ValueError as error:
            raise DatasetUnavailable("{name}: {reason}.", name=self._name, reason=message_of(error)) from None
        if len(self._prepared) >= REMEMBERED:
            self._prepared = {}
        self._prepared[row] = stamp, image
        return image


def _notes(unread: Sequence[Path], place: Path) -> tuple[Message, ...]:
    if not unread:
        return ()
    shown = shortened([f"{path.relative_to(place)}{'/' if _is_folder(path) else ''}" for path in unread])
    return (Message("Not read ({count}): {names}.", count=len(unread), names=shown),)


def _layout(place: Path, unread: list[Path]) -> tuple[Pictures, Pictures]:
    """The pictures to train on and to test with; `unread` gets what is neither."""
    train, test = _part(place, TRAIN_NAMES), _part(place, TEST_NAMES)
    if train is not None:
        others = [path for path in visible(place) if path not in (train, test)]
        if test is not None:
            unread += others
            return _pictures(train, unread), _pictures(test, unread)
        parts = [path.name for path in others if _holds_folders(path)]
        if parts:
            raise InputError(
                "expected the folder `test` beside `{train}`; got {names}: rename the one with the images to test with",
                train=train.name,
                names=shortened(parts),
            )
        unread += others
    both = _pictures(train or place, unread)
    return (
        {label: [p for i, p in enumerate(paths, 1) if i % TEST_EVERY] for label, paths in both.items()},
        {label: paths[TEST_EVERY - 1 :: TEST_EVERY] for label, paths in both.items()},
    )


def _part(place: Path, names: Sequence[str]) -> Path | None:
    """The folder with the first of these names that has folders in it, one for each label."""
    found = {path.name.casefold(): path for path in visible(place) if path.name.casefold() in names}
    return next((found[name] for name in names if name in found and _holds_folders(found[name])), None)


def _pictures(folder: Path, unread: list[Path]) -> Pictures:
    found: dict[str, list[Path]] = {}
    total = 0
    for path in visible(folder):
        paths, others = split_files(path, SUFFIXES) if _is_folder(path) else ([], [])
        total += len(paths)
        if total > MOST_IMAGES:
            raise InputError("expected at most {most} images; got more", most=MOST_IMAGES)
        if not paths:
            unread.append(path)
            continue
        unread += others
        try:
            label = check_label(path.name)
        except InputError as error:
            raise error.within(path.name) from None
        found.setdefault(label, []).extend(paths)
    return found


def _unknown_layout(place: Path, count: int) -> InputError:
    entries = visible(place)
    loose = [path.name for path in entries if is_picture_file(path)]
    if count == 0 and loose:
        return InputError(
            "expected a folder of images for each label; got {count} images in no such folder, {names}",
            count=len(loose),
            names=shortened(loose, 2),
        )
    return InputError(
        "expected 2 to {most_labels} folders of images, one for each label; got {count} in a folder with {names}",
        most_labels=MOST_LABELS,
        count=count,
        names=shortened([f"{path.name}/" if path.is_dir() else path.name for path in entries] or ["–"]),
    )


def _in_order(paths: Pictures, labels: tuple[str, ...]) -> tuple[list[Path], NDArray[np.int64]]:
    """The paths and their labels' numbers, cycling through the labels, so that every share has all of them."""
    files = [path for label in labels for path in paths.get(label, [])]
    numbers = np.repeat(np.arange(len(labels)), [len(paths.get(label, [])) for label in labels])
    order = np.lexsort((numbers, nth_of_label(numbers)))
    return [files[index] for index in order.tolist()], numbers[order]


def _read_pictures(paths: Sequence[Path], numbers: NDArray[np.int64], place: Path) -> Split:
    return Split(np.stack([_read_picture(path, place) for path in paths]), numbers)


def _read_picture(path: Path, place: Path) -> ImageArray:
    """A picture through the one preprocessing. Raises ValueError that names it, OSError."""
    name = str(path.relative_to(place))
    if path.stat().st_size > MOST_PICTURE_BYTES:
        raise InputError("expected at most {value} MB; got more", field=name, value=MOST_PICTURE_BYTES >> 20)
    try:
        return to_uint8(from_image(path.read_bytes(), file_decoders()).pixels)
    except ValueError as error:
        raise InputError(message_of(error).within(name)) from None


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


def _holds_folders(path: Path) -> bool:
    """Return True for a folder with folders and without pictures."""
    entries = visible(path) if _is_folder(path) else []
    return any(map(_is_folder, entries)) and not any(map(is_picture_file, entries))


def _is_folder(path: Path) -> bool:
    # Files that are named as pictures are not asked for, as there may be very many.
    return path.suffix.lower() not in SUFFIXES and path.is_dir() and not path.is_symlink()


def is_picture_file(path: Path) -> bool:
    """Return True for an image by its name."""
    return path.suffix.lower() in SUFFIXES and path.is_file() and not path.is_symlink()


def _is_array_file(path: Path) -> bool:
    return is_idx(path) or (path.suffix.lower() in ARRAY_SUFFIXES and path.is_file() and not path.is_symlink())
