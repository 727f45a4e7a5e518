"""The data set `pendigits`: the strokes of a stylus on a tablet, by 30 writers.

E. Alpaydin, F. Alimoglu, "Pen-Based Recognition of Handwritten Digits", UCI Machine Learning Repository, data set 81,
1998, licence CC BY 4.0. The published training part, `pendigits-orig.tra`, is a text in the UNIPEN format.
"""

import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from app.data.dataset import Dataset, DatasetUnavailable, Split
from app.data.preprocessing.rasterize import STROKE_WIDTH
from app.data.preprocessing.rasterize_batch import rasterize_batch
from app.data.sources import download as net
from app.data.sources.lzw import decompress
from app.data.sources.npz_cache import read_splits, write_splits
from app.errors import InputError, Message, joined
from app.storage.atomic import write_atomic
from app.storage.zip_file import open_zip, read_entry

TITLE = "Pen digits"
LABELS = tuple("0123456789")
FILE = "pendigits-orig.tra"
FOLDER = "pendigits"
SHA256 = "a66225d68d7d68591e62944df1ad33b3f5aa608e2df2505844b41f5568a80da4"
"""The hash of the published file, unpacked."""
MIRRORS = (
    "https://archive.ics.uci.edu/static/public/81/pen+based+recognition+of+handwritten+digits.zip",
    "https://archive.ics.uci.edu/ml/machine-learning-databases/pendigits/pendigits-orig.tra.Z",
)
DIGITS = 7_494
WRITERS = 30
TEST_WRITERS = frozenset(range(26, WRITERS + 1))
"""The writers for testing, by the second number of each `.COMMENT`; the others are for training."""
TRAIN_SIZE, TEST_SIZE = 6_246, 1_248
VERSION = 2
"""Increases with every change to the preprocessing, which invalidates older caches."""
TIMEOUT_SECONDS = 20.0
MAX_BYTES = 32 << 20
"""The most bytes of a download."""
LARGEST_FILE = 4 << 20
"""The most bytes of the file; the published one has 3.6 million."""
MOST_LINES = 400_000
"""The published file has 355,001."""

_LABEL = re.compile(r'"([0-9])"\s*$')
_NUMBER = re.compile(r"-?[0-9]{1,4}")  # the tablet's are below 500

Stroke = list[tuple[float, float]]


@dataclass
class PenDigit:
    """A digit: its label, the number of its writer, and its strokes, with y down."""

    label: str
    writer: int
    strokes: list[Stroke] = field(default_factory=list)


def load_pendigits(
    *,
    data_dir: Path | None,
    cache_dir: Path,
    download: bool = True,
    mirrors: Sequence[str] = MIRRORS,
    sha256: str = SHA256,
    timeout: float = TIMEOUT_SECONDS,
) -> Dataset:
    """Load the set: the digits of 25 writers for training, those of the last five for testing.

    The file is taken from `data_dir`, else from the cache, else downloaded; the images are cached. Raises
    DatasetUnavailable that names the line of a file that is damaged.
    """
    path = find_file(data_dir, cache_dir)
    if path is None:
        path = _download(cache_dir / FOLDER / FILE, mirrors if download else (), sha256, timeout)
    try:
        content = _read(path)
        images = cache_dir / FOLDER / f"images-v{VERSION}-{hashlib.sha256(content).hexdigest()[:16]}.npz"
        splits = read_splits(images)
        if splits is None:
            splits = _splits(parse_unipen(content))
            write_splits(images, *splits)
    except (ValueError, OSError) as error:
        raise DatasetUnavailable(
            "The file {name} of {title} is damaged: {reason}. Replace it, or remove it to have it downloaded.",
            name=path.name,
            title=TITLE,
            reason=net.reason(error),
        ) from None
    writers = tuple(str(writer) for writer in range(1, WRITERS + 1))
    return Dataset("pendigits", TITLE, LABELS, *splits, grouped_by="writer", groups=writers)


def find_file(data_dir: Path | None, cache_dir: Path) -> Path | None:
    """The path of the file: in DIGITPAD_DATA_DIR or its folder `pendigits`, or in the cache; None if it is nowhere."""
    folders = [] if data_dir is None else [data_dir / FOLDER, data_dir]
    return next((path for folder in (*folders, cache_dir / FOLDER) if (path := folder / FILE).is_file()), None)


def find_problem(data_dir: Path | None, cache_dir: Path) -> Message | None:
    """The problem of the file, as `parse_unipen` finds it, or None; a file is read when it has changed."""
    path = find_file(data_dir, cache_dir)
    if path is None:
        return None
    state = path.stat()
    return _problem(path, state.st_mtime_ns, state.st_size)


@lru_cache(8)
def _problem(path: Path, _changed: int, _size: int) -> Message | None:
    try:
        content = _read(path)
        if hashlib.sha256(content).hexdigest() != SHA256:
            parse_unipen(content)
    except (InputError, OSError) as error:
        return net.reason(error)
    return None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise InputError("expected at most {most} MB; got more", most=LARGEST_FILE >> 20)
    return content


def parse_unipen(content: bytes) -> list[PenDigit]:
    """Parse the published file. Raises ValueError that names the line and the reason."""
    try:
        lines = content.decode("ascii").splitlines()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            "line {line}: expected ASCII; got the byte {byte}", line=line, byte=content[error.start]
        ) from None
    if len(lines) > MOST_LINES:
        raise InputError("expected at most {most} lines; got more", most=f"{MOST_LINES:,}")
    digits = [_parse_digit(lines, begin, end) for begin, end in _segments(lines)]
    if len(digits) != DIGITS:
        raise InputError(
            "line {line}: expected {count} digits; the file ends after {got}",
            line=len(lines),
            count=f"{DIGITS:,}",
            got=f"{len(digits):,}",
        )
    return digits


def _segments(lines: Sequence[str]) -> Iterable[tuple[int, int]]:
    """The first line of each segment, and the one after its last."""
    begins = [number for number, line in enumerate(lines) if line.startswith(".SEGMENT")]
    return pairwise([*begins, len(lines)])


def _parse_digit(lines: Sequence[str], begin: int, end: int) -> PenDigit:
    found = _LABEL.search(lines[begin])
    if found is None:
        raise InputError(
            'line {line}: expected a digit as "7"; got {text}', line=begin + 1, text=repr(lines[begin][:40])
        )
    digit = PenDigit(found[1], writer=0)
    stroke: Stroke | None = None
    for number in range(begin + 1, end):
        words = lines[number].split()
        if not words or words[0] == ".DT":
            continue
        if words[0] == ".COMMENT":
            digit.writer = _writer(words, number)
        elif words[0] == ".PEN_DOWN" and stroke is None:
            stroke = []
        elif words[0] == ".PEN_UP" and stroke:
            digit.strokes.append(stroke)
            stroke = None
        elif stroke is not None and not words[0].startswith("."):
            stroke.append(_point(words, number))
        else:
            raise InputError(
                "line {line}: expected points between .PEN_DOWN and .PEN_UP; got {text}",
                line=number + 1,
                text=repr(lines[number][:40]),
            )
    if stroke is not None or not digit.strokes or not digit.writer:
        raise InputError(
            "line {line}: expected .COMMENT and whole strokes before this; the digit is cut short", line=end
        )
    return digit


def _writer(words: Sequence[str], number: int) -> int:
    if len(words) == 4 and words[2].isdecimal() and len(words[2]) < 3 and 1 <= int(words[2]) <= WRITERS:
        return int(words[2])
    raise InputError(
        "line {line}: expected a writer from 1 to {count}; got {text}",
        line=number + 1,
        count=WRITERS,
        text=repr(" ".join(words)[:40]),
    )


def _point(words: Sequence[str], number: int) -> tuple[float, float]:
    if len(words) == 2 and all(map(_NUMBER.fullmatch, words)):
        return float(words[0]), -float(words[1])  # y grows upwards in the file
    raise InputError(
        "line {line}: expected x and y, two whole numbers of at most four digits; got {text}",
        line=number + 1,
        text=repr(" ".join(words)[:40]),
    )


def _splits(digits: Sequence[PenDigit]) -> tuple[Split, Split]:
    """The images writer by writer, so that the last ones, which may be for validation, are of other writers."""
    digits = sorted(digits, key=lambda digit: digit.writer)
    images = rasterize_batch([([np.array(stroke) for stroke in digit.strokes], STROKE_WIDTH) for digit in digits])
    labels = np.array([int(digit.label) for digit in digits], np.uint8)
    whole = Split(images, labels, np.array([digit.writer - 1 for digit in digits], np.uint8))
    is_test = np.array([digit.writer in TEST_WRITERS for digit in digits])
    return whole[~is_test], whole[is_test]


def _download(path: Path, mirrors: Sequence[str], sha256: str, timeout: float) -> Path:
    packed = path.with_name("download")

    def fetch(url: str) -> Path:
        content = net.download(
            url, packed, lambda part: _unpack(part.read_bytes(), sha256), timeout=timeout, most=MAX_BYTES
        )
        packed.unlink()
        write_atomic(path, content, prefix=FILE)
        return path

    found, reasons = net.from_mirrors(mirrors, fetch)
    if found is not None:
        return found
    tried = Message(" Tried {reasons}.", reasons=joined(reasons)) if reasons else ""
    raise DatasetUnavailable(
        "The file {name} is neither in DIGITPAD_DATA_DIR nor in the cache, and could not be downloaded.{tried} Put it "
        "into the folder {folder} of DIGITPAD_DATA_DIR, or connect to the internet, or train on `strokes`, which "
        "digitpad draws itself.",
        name=FILE,
        tried=tried,
        folder=FOLDER,
    )


def _unpack(content: bytes, sha256: str) -> bytes:
    """Unpack the zip or the compressed file of a mirror. Raises ValueError."""
    try:
        if content.startswith(b"PK"):
            with open_zip(io.BytesIO(content)) as archive:
                content = read_entry(archive, archive.getinfo(f"{FILE}.Z"), MAX_BYTES)
        unpacked = decompress(content, LARGEST_FILE)
    except (ValueError, KeyError):
        raise InputError("expected {name} in Unix's compressed form; got a damaged file", name=f"{FILE}.Z") from None
    digest = hashlib.sha256(unpacked).hexdigest()
    if digest != sha256:
        raise InputError("expected SHA-256 {sha256}; got {digest}", field=FILE, sha256=sha256, digest=digest)
    return unpacked
