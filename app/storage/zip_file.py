"""Zip files from elsewhere, unpacked in bounded pieces.

`zipfile` unpacks bzip2 and LZMA in pieces as large as the file makes them, whatever is asked for, so that a few
kilobytes take gigabytes; only stored and deflated entries are read.
"""

import errno
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.errors import InputError, Message

ENTRIES = 100_000
"""The most entries of a zip; each takes half a kilobyte of memory once it is listed."""

_ENTRY = b"PK\x01\x02"
_PIECE = 1 << 16
_ENCRYPTED = 0x1
_OTHER_METHODS = {zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA", 9: "Deflate64", 93: "Zstandard", 95: "XZ"}
_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, KeyError, IndexError),
    *(RuntimeError, OverflowError, MemoryError),
)
"""The errors of `zipfile` for garbled or unsupported data."""

DAMAGED = Message("expected a complete zip file; got one that is damaged, or another file")


@contextmanager
def open_zip(
    source: Path | BinaryIO, *, entries: int = ENTRIES, damaged: Message = DAMAGED
) -> Iterator[zipfile.ZipFile]:
    """Open a zip of at most `entries` files and folders, all of them stored or deflated, and not encrypted.

    Raises InputError, which says `damaged` for any error of `zipfile` until the end of the context; OSError if the file
    cannot be opened, and for errors of the disk, such as when another file is written meanwhile.
    """
    file = source.open("rb") if isinstance(source, Path) else source
    with file:
        if _count_entries(file) > entries:
            raise InputError("expected a zip of at most {most} files; got more", most=f"{entries:,}")
        try:
            with zipfile.ZipFile(file) as archive:
                for entry in archive.infolist():
                    _check(entry)
                yield archive
        except InputError:
            raise
        except _ERRORS as error:
            if _is_of_disk(error):
                raise
            raise InputError(damaged) from None


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """The content of a file of the zip, of at most `most` bytes, whatever its header says. Raises InputError."""
    if entry.file_size <= most:
        with archive.open(entry) as file:
            data = file.read(most + 1)
        if len(data) <= most:
            return data
    raise InputError("expected at most {most} bytes; got more", field=entry.filename[-80:], most=f"{most:,}")


def read_pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of a file of the zip in pieces of 64 kB. Raises InputError if it is damaged, OSError."""
    try:
        with archive.open(entry) as file:
            while piece := file.read(_PIECE):
                yield piece
    except _ERRORS as error:
        if _is_of_disk(error):
            raise
        raise InputError(DAMAGED) from None


def _is_of_disk(error: BaseException) -> bool:
    """Return True for an error of the system; a place that is none in the file is `zipfile`'s."""
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


def _count_entries(file: BinaryIO) -> int:
    """The number of places that begin as an entry of the list does: at least that of the entries."""
    count, rest = 0, b""
    while piece := file.read(_PIECE):
        count += (rest + piece).count(_ENTRY)
        rest = piece[1 - len(_ENTRY) :]
    file.seek(0)
    return count


def _check(entry: zipfile.ZipInfo) -> None:
    name = entry.filename[-80:]
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = _OTHER_METHODS.get(entry.compress_type, entry.compress_type)
        raise InputError("expected a zip packed with Deflate; got {method}: pack it again", field=name, method=method)
    if entry.flag_bits & _ENCRYPTED:
        raise InputError("expected a zip without a password; got an encrypted file", field=name)
