"""The user's files in a folder, without what systems leave there."""

import os
from collections.abc import Collection
from itertools import islice
from pathlib import Path

_SYSTEM = frozenset({"__macosx", "desktop.ini", "ehthumbs.db", "thumbs.db", "$recycle.bin", "@eadir"})


def visible(folder: Path, most: int | None = None) -> list[Path]:
    """The sorted entries of a folder without hidden files and those of systems; at most `most` are looked at."""
    with os.scandir(folder) as entries:
        return sorted(folder / entry.name for entry in islice(entries, most) if not is_system(entry.name))


def split_files(folder: Path, suffixes: Collection[str]) -> tuple[list[Path], list[Path]]:
    """The sorted visible files with one of these endings, and the other visible entries; no file is asked for."""
    files: list[str] = []
    others: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not is_system(entry.name):
                is_file = os.path.splitext(entry.name)[1].lower() in suffixes and entry.is_file(follow_symlinks=False)  # noqa: PTH122
                (files if is_file else others).append(entry.name)
    return [folder / name for name in sorted(files)], [folder / name for name in sorted(others)]


def is_system(name: str) -> bool:
    """Return True for the name of a hidden file or one of systems."""
    return name.startswith((".", "~$")) or name.casefold() in _SYSTEM or name == "Icon\r"
