"""IDX, the format of MNIST's files (http://yann.lecun.com/exdb/mnist/), gzipped or not.

Two zero bytes, a type code, the number of dimensions, each dimension as a big-endian uint32, then the values.
"""

import hashlib
import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError

ByteArray: TypeAlias = NDArray[np.uint8]

UNSIGNED_BYTE = 0x08
TYPES = {UNSIGNED_BYTE: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""NumPy's type for each type code."""
RANKS = (1, 2, 3, 4)
GZIP_MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 1 << 20
MAX_BYTES = 1 << 30
"""The largest array, in bytes."""
FREE_BYTES = 48 << 20
GZIP_LIKELY_RATIO = 10
"""A packed file may hold `FREE_BYTES`, and this many for each of its own: MNIST's images are packed into a fifth."""
GZIP_MEMBERS = 10_000
"""The most parts of a packed file; programs that pack in parallel write one for each 64 kB."""

GZIP_MAX_RATIO = 1032
"""Deflate cannot pack more than this many bytes into one (zlib's technical notes, "Maximum Compression Factor")."""

_GZIP_BITS = 16 + zlib.MAX_WBITS
"""For zlib: the largest window, in gzip's own format."""
_PIECE = 1 << 16


def read_idx(path: Path, *, rank: int) -> tuple[ByteArray, str]:
    """Read an IDX file of unsigned bytes with `rank` dimensions; gzip is recognized by the content.

    Returns the array, uint8, and the SHA-256 of the unpacked file in hex. Keeps one copy of the data in memory. Raises
    ValueError that names the file if it is not such a file, OSError if it cannot be read.
    """
    array, digest = _open(path, rank)
    return array.view(np.uint8), digest


def read_any_idx(path: Path) -> NDArray[Any]:
    """Read an IDX file of any type and any number of dimensions. Raises as `read_idx`."""
    return _open(path, None)[0]


def _open(path: Path, rank: int | None) -> tuple[NDArray[Any], str]:
    with path.open("rb") as raw:
        packed = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        on_disk = path.stat().st_size
        if not packed:
            return _read(raw, path.name, rank, on_disk)
        try:
            return _read(_Unpacked(raw), path.name, rank, FREE_BYTES + GZIP_LIKELY_RATIO * on_disk)
        except (EOFError, zlib.error):
            raise InputError("expected a complete gzip file; got a damaged one", field=path.name) from None


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Unpacked:
    """A gzip file, unpacked as it is read. `gzip` would go through millions of empty parts, one after another."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._rest, self._members = file, b"", 1
        self._unpacking = zlib.decompressobj(_GZIP_BITS)

    def read(self, size: int, /) -> bytes:
        """Fewer than `size` bytes only at the end. Raises EOFError or zlib.error if the file is damaged."""
        found = bytearray()
        while len(found) < size and self._has_more():
            found += self._unpacking.decompress(self._rest, size - len(found))
            self._rest = self._unpacking.unused_data if self._unpacking.eof else self._unpacking.unconsumed_tail
        return bytes(found)

    def _has_more(self) -> bool:
        if not self._unpacking.eof:
            self._rest = self._rest or self._file.read(_PIECE)
            if not self._rest:
                raise EOFError
            return True
        while not (rest := self._rest.lstrip(b"\0")):  # a tape's last block is filled with zeros
            self._rest = self._file.read(_PIECE)
            if not self._rest:
                return False
        self._rest, self._members = rest, self._members + 1
        if self._members > GZIP_MEMBERS:
            raise EOFError
        self._unpacking = zlib.decompressobj(_GZIP_BITS)
        return True


def _read(file: _Readable, name: str, expected: int | None, most: int) -> tuple[NDArray[Any], str]:
    """Read the file of unsigned bytes with `expected` dimensions, or of any type and number of dimensions."""
    digest = hashlib.sha256()
    magic = file.read(4)
    if len(magic) < 4:
        raise InputError("expected an IDX header of 4 bytes; got {count}", field=name, count=len(magic))
    if magic[:2] != b"\0\0":
        raise InputError("expected an IDX file, which begins with 0000; got {value}", field=name, value=magic[:2].hex())
    if magic[2] not in (TYPES if expected is None else (UNSIGNED_BYTE,)):
        raise InputError("expected unsigned bytes, type code 0x08; got 0x{code}", field=name, code=f"{magic[2]:02x}")
    rank = magic[3]
    if rank not in (RANKS if expected is None else (expected,)):
        raise InputError("expected {rank} dimensions; got {count}", field=name, rank=expected or "1–4", count=rank)
    sizes = file.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise InputError(
            "expected {needed} bytes of dimensions; got {count}", field=name, needed=4 * rank, count=len(sizes)
        )
    shape = struct.unpack(f">{rank}I", sizes)
    dtype = np.dtype(TYPES[magic[2]])
    count, size = math.prod(shape), dtype.itemsize
    # Checked before allocation, as the header may be wrong.
    if count * size > min(most, MAX_BYTES):
        raise InputError("expected {count} values; got a file too small to hold them", field=name, count=count)
    digest.update(magic + sizes)
    data = np.empty(count * size, np.uint8)
    done = 0
    while done < len(data):
        chunk = file.read(min(CHUNK_BYTES, len(data) - done))
        if not chunk:
            raise InputError("expected {count} values; got {done}", field=name, count=count, done=done // size)
        data[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
        digest.update(chunk)
        done += len(chunk)
    if file.read(1):
        raise InputError("expected {count} values; got more bytes after them", field=name, count=count)
    return data.view(dtype).reshape(shape), digest.hexdigest()
