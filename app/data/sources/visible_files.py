"""The user's files in a folder, without what systems leave there."""

import os
from itertools import islice
from pathlib import Path

_SYSTEM = frozenset({"__macosx", "desktop.ini", "ehthumbs.db", "thumbs.db", "$recycle.bin", "@eadir"})


def visible(folder: Path, most: int | None = None) -> list[Path]:
    """The sorted entries of a folder without hidden files and those of systems; at most `most` are looked at."""
    with os.scandir(folder) as entries:
        return sorted(folder / entry.name for entry in islice(entries, most) if not is_system(entry.name))


def is_system(name: str) -> bool:
    """Return True for the name of a hidden file or one of systems."""
    return name.startswith((".", "~$")) or name.casefold() in _SYSTEM or name == "Icon\r"
