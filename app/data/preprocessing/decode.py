"""Decoding of pictures: restricted decoders, limits that are checked first, and the orientation."""

import struct
import threading
import zlib
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from app.data.preprocessing.grey import WORKING_SIZE, to_grey
from app.errors import InputError

GreyArray: TypeAlias = NDArray[np.uint8]

MAX_PIXELS = 20_000_000
"""The most pixels of a picture according to its header."""

LONGEST_SIDE = 65_535
"""The longest side of a picture, JPEG's own limit; Pillow keeps an address of eight bytes for each row."""

MAX_PARTS = 20_000
"""The most chunks of a PNG and segments of a JPEG's header, each of which takes Pillow some microseconds.

libpng writes 20 megapixels of 64 bits in that many chunks at most.
"""

MAX_SCANNED_PIXELS = 1_000_000_000
"""The most pixels of all scans of a JPEG: a progressive one has about ten, and some bytes can fill another."""

_PLAIN_MODES = ("1", "L", "RGB")
"""The modes that any image of them can be made grey from."""
LARGE_PIXELS = 4_000_000
"""Above that, pictures are decoded one at a time, as 20 megapixels take up to 150 MB."""

Decoders: TypeAlias = Mapping[str, type[ImageFile]]
"""Pillow's class for each kind of file."""

DECODERS: Decoders = {"PNG": PngImageFile, "JPEG": JpegImageFile}
_TILE_WIDTH, _TILE_LENGTH = 322, 323
"""TIFF 6.0, section 15."""

_LARGE = threading.Lock()

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"%PDF": "PDF",
    b"<svg": "SVG",
    b"<?xml": "XML",
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"version https://git-lfs": "Git LFS",
    b"<!DOCTYPE html": "HTML",
    b"<!doctype html": "HTML",
    b"<html": "HTML",
}

_LOWER_BYTES = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
"""Pillow reads the upper byte of each 16 bits; in the other order of bytes that is the lower one."""

# Pillow's errors for truncated, garbled or hostile data; warnings may be turned into errors.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    EOFError,
    MemoryError,
    NotImplementedError,
    struct.error,
    zlib.error,
    Warning,
    Image.DecompressionBombError,
)

_START_OF_SCAN, _APP1 = 0xDA, 0xE1
_SCAN = bytes((0xFF, _START_OF_SCAN))
"""In a scan's own data 0xFF is followed by zero (ITU-T T.81, section B.1.1.5)."""
_EXIF_PREFIX = b"Exif\0\0"
_EXIF_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_THEIR_SIDE = {
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False)
class Picture:
    """`grey` is uint8 (H, W), 0 is black; `width` and `height` are the upright picture's original size."""

    grey: GreyArray
    width: int
    height: int


@cache
def file_decoders() -> Decoders:
    """The decoders for the user's own files, loaded when first used; of several frames or pages the first is read."""
    from PIL.BmpImagePlugin import BmpImageFile
    from PIL.GifImagePlugin import GifImageFile
    from PIL.TiffImagePlugin import TiffImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    return {**DECODERS, "BMP": BmpImageFile, "GIF": GifImageFile, "WebP": WebPImageFile, "TIFF": TiffImageFile}


def decode_image(data: bytes, decoders: Decoders = DECODERS) -> Picture:
    """Decode a PNG or JPEG to grey, with a longer side of about 2,048 pixels at most.

    Transparent pixels become white paper. If that gives a picture of one luminance, the opaque part is black ink, or
    the colours that differ most are its tones. Raises ValueError if the bytes are of no kind of `decoders`, are
    damaged, or are of more than 20 megapixels.
    """
    format_ = format_of(data)
    if format_ is None or format_ not in decoders:
        raise _unreadable(data, format_, decoders)
    image, exif = _open(data, format_, decoders)
    with _LARGE if image.width * image.height > LARGE_PIXELS else nullcontext():
        try:
            return _decode(image, data, exif)
        except _DECODE_ERRORS:
            raise InputError(
                "expected a complete image; got a {format} that is damaged or truncated", format=format_
            ) from None


def check_image(data: bytes, decoders: Decoders = DECODERS) -> int:
    """The number of pixels of an image that can be decoded. Raises as `decode_image`, in less time."""
    format_ = format_of(data)
    if format_ is not None and format_ in decoders:
        image, _ = _open(data, format_, decoders)
        if image.mode in _PLAIN_MODES and image.width * image.height <= LARGE_PIXELS:
            with suppress(*_DECODE_ERRORS):
                image.load()
                return image.width * image.height
    picture = decode_image(data, decoders)
    return picture.width * picture.height


def _open(data: bytes, format_: str, decoders: Decoders) -> tuple[ImageFile, bytes | None]:
    """The picture, of which only the header was read, and its EXIF block. Raises ValueError."""
    exif = None
    if format_ == "JPEG":
        data, exif = _without_exif(data)
        scans = data.count(_SCAN)
    elif format_ == "PNG":
        _check_chunks(data)
    try:
        # Not Image.open: it warns of large pictures, and all threads share the filters of warnings.
        image = decoders[format_](BytesIO(data))
    except _DECODE_ERRORS:
        raise InputError(
            "expected a complete image; got a {format} whose header cannot be read", format=format_
        ) from None
    width, height = image.size
    if decoders is DECODERS and getattr(image, "is_animated", False):
        raise InputError("expected a still image; got an animated PNG")
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise InputError(
            "expected an image of at most {most} megapixels; got {width}×{height}",
            most=MAX_PIXELS // 10**6,
            width=width,
            height=height,
        )
    if max(width, height) > LONGEST_SIDE:
        raise InputError(
            "expected sides of at most {most} pixels; got {width}×{height}",
            most=LONGEST_SIDE,
            width=width,
            height=height,
        )
    most_scans = MAX_SCANNED_PIXELS // (width * height)
    if format_ == "JPEG" and scans > most_scans:
        raise InputError("expected a JPEG of at most {most} scans; got {count}", most=most_scans, count=scans)
    across, down = _tile_size(image) if format_ == "TIFF" else (0, 0)
    if across * down > MAX_PIXELS:
        raise InputError(
            "expected tiles of at most {most} megapixels; got {width}×{height}",
            most=MAX_PIXELS // 10**6,
            width=across,
            height=down,
        )
    return image, exif


def _decode(image: ImageFile, data: bytes, exif: bytes | None) -> Picture:
    width, height = image.size
    raw_mode = image.tile[0].args if image.tile else None
    if isinstance(image, JpegImageFile):
        # A JPEG can be decoded at a half, a quarter or an eighth of its size much faster.
        image.draft(None, (WORKING_SIZE, WORKING_SIZE))
    image.load()
    if raw_mode in _LOWER_BYTES and not np.any(image.getextrema()):
        image = PngImageFile(BytesIO(data))
        image.tile = [tile._replace(args=_LOWER_BYTES[raw_mode]) for tile in image.tile]
        image.load()
    grey = to_grey(image)
    factor = max(grey.size) // WORKING_SIZE
    if factor > 1:
        grey = grey.reduce(factor)
    turn = _TURNS.get(_orientation(exif or image.info.get("exif") or b""))
    if turn is not None:
        grey = grey.transpose(turn)
        if turn in _ON_THEIR_SIDE:
            width, height = height, width
    return Picture(np.asarray(grey), width, height)


def _unreadable(data: bytes, format_: str | None, decoders: Decoders) -> InputError:
    if decoders is not DECODERS:
        if format_ is None:
            return InputError("expected a PNG, JPEG, BMP, GIF, WebP or TIFF image; got another file")
        return InputError("expected a PNG, JPEG, BMP, GIF, WebP or TIFF image; got {format}", format=format_)
    if not data:
        return InputError("expected a PNG or JPEG image; got an empty file")
    if format_ is None:
        return InputError("expected a PNG or JPEG image; got {count} bytes of something else", count=len(data))
    return InputError("expected a PNG or JPEG image; got {format}", format=format_)


def is_picture(data: bytes) -> bool:
    """Return True if data begin as a PNG or a JPEG does."""
    return format_of(data) in DECODERS


def format_of(data: bytes) -> str | None:
    """The kind of a file, mostly of images, by its first bytes; None for others."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        return "HEIF/AVIF/MP4"
    return next((name for signature, name in _SIGNATURES.items() if data.startswith(signature)), None)


def _tile_size(image: Any) -> tuple[int, int]:
    """The size of a tile, which is decoded whole even where it is larger than the picture; zeros without tiles."""
    return int(image.tag_v2.get(_TILE_WIDTH, 0)), int(image.tag_v2.get(_TILE_LENGTH, 0))


def _check_chunks(data: bytes) -> None:
    """Count the chunks of a PNG (its specification, section 5.3). Raises ValueError."""
    place, left = 8, MAX_PARTS
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        place += 12 + length
        left -= 1
        if left < 0:
            raise _too_many_parts("PNG")


def _without_exif(data: bytes) -> tuple[bytes, bytes | None]:
    """A JPEG without its EXIF segments, as Pillow warns of garbled ones, and the first one's content.

    Raises ValueError where it has too many segments.
    """
    segments, exif, place, left = [data[:2]], None, 2, MAX_PARTS
    while data[place : place + 1] == b"\xff" and place + 4 <= len(data) and data[place + 1] != _START_OF_SCAN:
        (length,) = struct.unpack_from(">H", data, place + 2)
        segment = data[place : place + 2 + length]
        if segment[1] == _APP1 and segment[4:].startswith(_EXIF_PREFIX):
            exif = exif or segment[4:]
        else:
            segments.append(segment)
        place += 2 + length
        left -= 1
        if left < 0:
            raise _too_many_parts("JPEG")
    return b"".join([*segments, data[place:]]), exif


def _too_many_parts(format_: str) -> InputError:
    return InputError("expected a {format} of at most {most} parts; got more", format=format_, most=f"{MAX_PARTS:,}")


def _orientation(exif: bytes) -> int:
    """The orientation in an EXIF block, 1 to 8; 1, upright, if it has none. (TIFF 6.0, section 2: IFD.)"""
    tiff = exif.removeprefix(_EXIF_PREFIX)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if tag == _EXIF_ORIENTATION:
                return int(value)
    except struct.error:  # garbled
        pass
    return 1
