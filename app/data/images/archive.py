"""The files of an upload: one by itself, or a zip, whose names and sizes are checked before anything is written."""

import errno
import re
import stat
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from app.data.preprocessing.decode import format_of
from app.data.sources.idx_folder import is_idx_name
from app.data.sources.picture_folder import ARRAY_SUFFIXES, MOST_PICTURE_BYTES, SUFFIXES
from app.data.sources.visible_files import is_system
from app.errors import InputError, Message, shortened
from app.storage.zip_file import open_zip, read_pieces

MOST_UNPACKED_BYTES = 1 << 30
"""The most bytes of all files of a zip, unpacked."""
FREE_BYTES = 64 << 20
LIKELY_RATIO = 10
"""A zip may hold `FREE_BYTES`, and this many for each of its own: MNIST as a table is packed into an eighth."""
DEEPEST = 8
"""The most folders in one another."""
LONGEST_PATH = 4096
"""The most characters of a file's path in a zip, as of a path on most systems."""
TABLE, ARRAYS = "images.csv", "images.npz"
"""The names of a table and of arrays that come by themselves."""

_UTF8 = 0x800
"""The flag of an entry whose name is UTF-8 (APPNOTE 6.3.10, section 4.4.4)."""
_SEPARATORS = re.compile(r"[/\\]")
_DRIVE = re.compile(r"[A-Za-z]:")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_HEAD_BYTES = 4096
_UNUSABLE_NAMES = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)
_TAKEN_NAMES = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR)


@dataclass(frozen=True)
class UnreadFile:
    """A file that is not part of the set, and the reason."""

    name: str
    reason: Message


def place_upload(upload: Path, folder: Path) -> list[UnreadFile]:
    """Move an upload into `folder`, or unpack it there, and return the files that are left out.

    An upload is a zip, a CSV table or an .npz file, by its content. Raises ValueError, and OSError if it cannot be
    written.
    """
    with upload.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise InputError("expected a zip, a CSV table or an .npz file; got an empty file")
    if head.startswith(b"PK"):
        return _place_zip(upload, folder)
    format_ = format_of(head)
    if format_ is not None:
        raise InputError("expected a zip, a CSV table or an .npz file; got {format}", format=format_)
    if b"\0" in head and not head.startswith(_UTF16):
        raise InputError("expected a zip, a CSV table or an .npz file; got another file")
    upload.rename(folder / TABLE)
    return []


def _place_zip(upload: Path, folder: Path) -> list[UnreadFile]:
    with open_zip(upload) as archive:
        entries = [info for info in archive.infolist() if not info.is_dir()]
        if not entries or not all(info.filename.endswith(".npy") for info in entries):
            return _unpack(archive, entries, folder, packed=upload.stat().st_size)
    upload.rename(folder / ARRAYS)
    return []


def _unpack(
    archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], folder: Path, *, packed: int
) -> list[UnreadFile]:
    unread: list[UnreadFile] = []
    wanted: list[tuple[zipfile.ZipInfo, tuple[str, ...]]] = []
    for info in entries:
        if len(info.filename) > LONGEST_PATH:
            unread.append(UnreadFile(f"{info.filename[:80]}…", Message("its name is too long")))
            continue
        parts = _parts(info)
        if any(map(is_system, parts)):
            continue
        problem = _problem(info, parts)
        if problem is None:
            wanted.append((info, parts))
        else:
            unread.append(UnreadFile("/".join(parts), problem))
    if not wanted:
        names = shortened([file.name for file in unread]) if unread else Message("nothing")
        raise InputError("expected images, a CSV table, an .npz file or IDX files in the zip; got {names}", names=names)
    most = min(MOST_UNPACKED_BYTES, FREE_BYTES + LIKELY_RATIO * packed)
    if sum(info.file_size for info, _ in wanted) > most:
        raise InputError("expected at most {value} MB in all files; got more", value=most >> 20)
    made: set[tuple[str, ...]] = set()
    for info, parts in wanted:
        problem = _extract(archive, info, parts, folder, made)
        if problem is not None:
            unread.append(UnreadFile("/".join(parts), problem))
    return unread


def _parts(info: zipfile.ZipInfo) -> tuple[str, ...]:
    """The parts of an entry's path, composed (NFC). Raises ValueError if it leads out of its folder."""
    name = _decoded(info)
    parts = tuple(unicodedata.normalize("NFC", part) for part in _SEPARATORS.split(name) if part not in ("", "."))
    if ".." in parts or not parts or _SEPARATORS.match(name) or _DRIVE.match(name):
        raise InputError("expected paths in one folder; got {name}", name=repr(name[:80]))
    return parts


def _decoded(info: zipfile.ZipInfo) -> str:
    """An entry's name, which older programs write without a flag, in UTF-8 or, on a Japanese Windows, CP932."""
    if not info.flag_bits & _UTF8:
        for encoding in ("utf-8", "cp932"):
            try:
                return info.orig_filename.encode("cp437").decode(encoding)
            except UnicodeError:
                continue
    return info.orig_filename


def _problem(info: zipfile.ZipInfo, parts: tuple[str, ...]) -> Message | None:
    """The reason to leave out an entry."""
    path = PurePath(parts[-1])
    is_image = path.suffix.lower() in SUFFIXES
    if any(unicodedata.category(character) == "Cc" for part in parts for character in part):
        return Message("its name has control characters")
    if stat.S_ISLNK(info.external_attr >> 16):
        return Message("it is a link to another file")
    if not (is_image or path.suffix.lower() in ARRAY_SUFFIXES or is_idx_name(path)):
        return Message("it is no image, CSV table, .npz or IDX file")
    if len(parts) > DEEPEST:
        return Message("it lies more than {most} folders deep", most=DEEPEST - 1)
    if is_image and info.file_size > MOST_PICTURE_BYTES:
        return Message("expected at most {value} MB; got more", value=MOST_PICTURE_BYTES >> 20)
    return None


def _extract(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, parts: tuple[str, ...], folder: Path, made: set[tuple[str, ...]]
) -> Message | None:
    """Write an entry to a new file below `folder`; return the reason if it is left out. `made` are its folders."""
    place = folder.joinpath(*parts)
    try:
        for depth in range(1, len(parts)):
            if parts[:depth] not in made:  # on some systems another one that differs only by case is there
                folder.joinpath(*parts[:depth]).mkdir()
                made.add(parts[:depth])
        target = place.open("xb")
    except OSError as error:
        if error.errno in _TAKEN_NAMES:
            return Message("another file has this name")
        if error.errno in _UNUSABLE_NAMES:
            return Message("its name is too long")
        raise
    try:
        with target:
            for piece in read_pieces(archive, info):
                target.write(piece)
    except InputError:
        place.unlink()
        return Message("it is damaged in the zip")
    return None
