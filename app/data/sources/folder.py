"""The user's data sets below DIGITPAD_DATA_DIR: `folder:PATH`, `npz:PATH` and `csv:PATH`.

PATH never leads out of that folder, neither by its parts nor by a link, so that a request cannot read other files. A
folder has a folder of pictures for each label, directly or under `train` and `test`; or IDX files with MNIST's names;
or one table or file of arrays.
"""

import hashlib
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from app.data.dataset import Dataset, DatasetUnavailable
from app.data.sources.csv_file import find_test_table, is_table, load_csv
from app.data.sources.idx_folder import find_idx, load_idx
from app.data.sources.npz import load_npz
from app.data.sources.picture_folder import (
    find_array_file,
    inner_folder,
    load_pictures,
    looks_like_a_set,
    outline_pictures,
)
from app.data.sources.visible_files import visible
from app.errors import InputError, message_of

MOST_LISTED = 50
"""The most sets that are found without being named."""
MOST_ENTRIES = 200
"""The most files and folders of a folder that are looked at to find sets."""

FOLDER, NPZ, CSV = "folder:", "npz:", "csv:"

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


def is_folder_name(name: str) -> bool:
    """True if a data set's name is of one of these kinds."""
    return name.startswith((FOLDER, NPZ, CSV))


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


def stamp_of(name: str, place: Path) -> str:
    """A stamp that changes when a picture is added or removed, or an array's file replaced; no files are read.

    Raises DatasetUnavailable.
    """
    try:
        return _stamp(name, place)
    except OSError as error:
        raise _unreadable(name, error) from None


def _stamp(name: str, place: Path) -> str:
    places = [place]
    if place.is_dir():
        inner = inner_folder(place)
        places += [*sorted(inner.glob("*")), *sorted(inner.glob("*/*/"))]
    elif name.startswith(CSV):
        places += [test for test in (find_test_table(place),) if test is not None]
    status = [path.stat() for path in places if not path.is_symlink()]
    return hashlib.sha256(repr([(stat.st_mtime_ns, stat.st_size) for stat in status]).encode()).hexdigest()[:32]


def load_place(name: str, place: Path, cache_dir: Path) -> Dataset:
    """Load the set in a folder or a file. Raises DatasetUnavailable with the reason."""
    try:
        dataset = load_arrays(name, place)
        return load_pictures(name, inner_folder(place), cache_dir) if dataset is None else dataset
    except OSError as error:
        raise _unreadable(name, error) from None
    except ValueError as error:
        raise DatasetUnavailable("{name}: {reason}.", name=name, reason=message_of(error)) from None


def outline_place(name: str, place: Path) -> Dataset | None:
    """A folder of many pictures as a set to look at, whose images are read when they are asked for; None for others.

    Raises DatasetUnavailable with the reason.
    """
    try:
        if not place.is_dir():
            return None
        inner = inner_folder(place)
        if find_idx(inner) or find_array_file(inner) is not None:
            return None
        return outline_pictures(name, inner)
    except OSError as error:
        raise _unreadable(name, error) from None
    except ValueError as error:
        raise DatasetUnavailable("{name}: {reason}.", name=name, reason=message_of(error)) from None


def load_arrays(name: str, place: Path) -> Dataset | None:
    """Load the arrays, the table or the IDX files of a folder, or that file; None for a folder with others.

    Raises ValueError, OSError.
    """
    version = _stamp(name, place)
    if not place.is_dir():
        return (load_csv if name.startswith(CSV) else load_npz)(name, place, version)
    inner = inner_folder(place)
    files = find_idx(inner)
    if files:
        return load_idx(name, version, files)
    file = find_array_file(inner)
    if file is None:
        return None
    return (load_csv if file.suffix.lower() == ".csv" else load_npz)(name, file, version)


def find_sets(data_dir: Path, without: Collection[str]) -> list[str]:
    """The names of the sets in a folder, without some of its folders, and in their folders; no pictures are read."""
    return list(islice(_sets_in(data_dir, "", without, deeper=True), MOST_LISTED))


def _sets_in(folder: Path, prefix: str, without: Collection[str], *, deeper: bool) -> Iterator[str]:
    with suppress(OSError):
        entries = [path for path in visible(folder, MOST_ENTRIES) if _PART.fullmatch(path.name)]
        tests = [find_test_table(path) for path in entries if path.suffix.lower() == ".csv"]
        for path in entries:
            name, suffix = prefix + path.name, path.suffix.lower()
            if path.name in without or path in tests or path.is_symlink():
                continue
            if path.is_dir():
                if looks_like_a_set(path):
                    yield FOLDER + name
                elif deeper:
                    yield from _sets_in(path, f"{name}/", (), deeper=False)
            elif suffix == ".npz":
                yield NPZ + name
            elif suffix == ".csv" and is_table(path):
                yield CSV + name


def _unreadable(name: str, error: OSError) -> DatasetUnavailable:
    return DatasetUnavailable(
        "{name}: a file cannot be read: {value}.", name=name, value=error.strerror or type(error).__name__
    )
