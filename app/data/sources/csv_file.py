"""`csv:PATH`: a table with a label and 784 pixels in each line, as Kaggle has MNIST."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import Dataset, ImageArray
from app.data.drawings.drawing import LONGEST_LABEL
from app.data.preprocessing.normalize import IMAGE_SIZE
from app.data.sources.arrays import MOST_IMAGES, ArrayPart, make_dataset
from app.errors import InputError, Message

PIXELS = IMAGE_SIZE**2
LABEL_NAMES = ("label", "labels", "class", "target", "digit", "y")
DELIMITERS = ",;\t"
LONGEST_LINE = 1 << 15
"""The most bytes of a line, some 40 for each number."""
MOST_LINES = 2 * MOST_IMAGES
"""The most lines, with empty ones."""
LINES = 500
"""Lines converted at a time."""

_TRAIN = re.compile("train", re.IGNORECASE)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


@dataclass(frozen=True)
class _Form:
    """The form of a table, by its first line; the label is the first column, unless it is the last."""

    columns: int
    delimiter: str
    has_header: bool
    label_is_last: bool

    @classmethod
    def of(cls, line: str) -> "_Form":
        delimiter = max(DELIMITERS, key=line.count)
        cells = [_bare(cell) for cell in line.split(delimiter)]
        names = [cell.casefold() in LABEL_NAMES for cell in (cells[0], cells[-1])]
        return cls(len(cells), delimiter, not _NUMBER.fullmatch(cells[len(cells) // 2]), names == [False, True])


def load_csv(name: str, path: Path, version: str) -> Dataset:
    """Load a table, and the one to test with beside it. Raises ValueError that names line and column, OSError."""
    test = find_test_table(path)
    if test is not None and _columns(test) == PIXELS:  # as of Kaggle's competition
        made = make_dataset(name, version, [_read(path)])
        return replace(made, notes=(*made.notes, Message("{file} has no labels and is not read.", file=test.name)))
    return make_dataset(name, version, [_read(table) for table in (path, test) if table is not None])


def find_test_table(path: Path) -> Path | None:
    """The table to test with beside one to train on, as `mnist_test.csv` beside `mnist_train.csv`; None without one."""
    name = _TRAIN.sub(lambda match: {"train": "test", "TRAIN": "TEST"}.get(match[0], "Test"), path.name)
    other = path.with_name(name)
    return other if name != path.name and other.is_file() and not other.is_symlink() else None


def is_table(path: Path) -> bool:
    """Return True if the first line of a file has a label and 784 pixels."""
    return _columns(path) == PIXELS + 1


def _columns(path: Path) -> int:
    """The number of columns in the first line of a file, 0 if it is no text."""
    try:
        with path.open("rb") as file:
            return next((_Form.of(line).columns for _, line in _lines(file, path.name)), 0)
    except (ValueError, OSError):
        return 0


def _read(path: Path) -> ArrayPart:
    images: list[ImageArray] = []
    labels: list[str] = []
    top = 0  # the largest value: 1 or 255
    with path.open("rb") as file:
        lines = _lines(file, path.name)
        first = next(lines, None)
        if first is None:
            raise InputError("expected a label and 784 pixels in each line; got no line", field=path.name)
        form = _Form.of(first[1])
        if not form.has_header:
            lines = _before(first, lines)
        while block := list(islice(lines, LINES)):
            if len(labels) + len(block) > MOST_IMAGES:
                raise InputError("expected at most {most} images; got more", field=path.name, most=MOST_IMAGES)
            split = [_split(line, number, form, path.name) for number, line in block]
            labels += [label for label, _ in split]
            values = _numbers([pixels for _, pixels in split], form.delimiter)
            if values is not None:
                top = top or (1 if float(values.max()) <= 1 else 255)
            if values is None or not ((values >= 0) & (values <= top)).all():
                raise _bad_cell(block, form, top or 255, path.name)
            whole = values.dtype == np.uint8 and top == 255
            images.append(values if whole else np.rint(values * np.float32(255 / top)).astype(np.uint8))
    if not images:
        raise InputError("expected a label and 784 pixels in each line; got no line", field=path.name)
    return ArrayPart(path.name, _joined(images), path.name, np.array(labels))


def _joined(blocks: list[ImageArray]) -> ImageArray:
    """The images of all blocks, which are given up one by one."""
    images = np.empty((sum(map(len, blocks)), PIXELS), np.uint8)
    end = len(images)
    while blocks:
        block = blocks.pop()
        images[end - len(block) : end] = block
        end -= len(block)
    return images


def _lines(file: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, with their numbers from 1."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if number > MOST_LINES:
            raise InputError("expected at most {most} lines; got more", field=name, most=f"{MOST_LINES:,}")
        if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InputError("expected a table in UTF-8; got UTF-16", field=name)
        if len(line) > LONGEST_LINE:
            raise InputError(
                "line {line}: expected at most {most} bytes; got more", field=name, line=number, most=LONGEST_LINE
            )
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise InputError(
                "line {line}: expected UTF-8; got another encoding: save the table as CSV UTF-8",
                field=name,
                line=number,
            ) from None
        if text.strip():
            yield number, text


def _before(first: tuple[int, str], lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    yield first
    yield from lines


def _split(line: str, number: int, form: _Form, name: str) -> tuple[str, str]:
    """The label and the text of the pixels."""
    columns = line.count(form.delimiter) + 1
    if columns != PIXELS + 1:
        raise InputError(
            "line {line}: expected {columns} columns, a label and {pixels} pixels; got {count}",
            field=name,
            line=number,
            columns=PIXELS + 1,
            pixels=PIXELS,
            count=columns,
        )
    pixels, _, label = line.rpartition(form.delimiter)
    if not form.label_is_last:
        label, _, pixels = line.partition(form.delimiter)
    label = _bare(label)
    if not 1 <= len(label) <= LONGEST_LABEL:
        raise InputError(
            "line {line}, column {column}: expected a label; got {text}",
            field=name,
            line=number,
            column=PIXELS + 1 if form.label_is_last else 1,
            text=repr(label[:40]),
        )
    return label, pixels


def _numbers(lines: Sequence[str], delimiter: str) -> NDArray[Any] | None:
    """The numbers of each line, (N, 784); None if some are none."""
    digits = "".join(lines).replace(delimiter, "")
    dtype = np.uint8 if digits.isdigit() and digits.isascii() else np.float32  # ten times as fast
    try:
        values = np.loadtxt(lines, dtype, delimiter=delimiter, comments=None, quotechar='"', ndmin=2)
    except ValueError:
        return None
    return values if values.shape == (len(lines), PIXELS) else None


def _bad_cell(block: Sequence[tuple[int, str]], form: _Form, top: int, name: str) -> InputError:
    """The error for the first cell that is no number from 0 to `top`."""
    for number, line in block:
        cells = [_bare(cell) for cell in line.split(form.delimiter)]
        for column in range(PIXELS) if form.label_is_last else range(1, PIXELS + 1):
            cell = cells[column]
            if not _NUMBER.fullmatch(cell) or not 0 <= float(cell) <= top:
                return InputError(
                    "line {line}, column {column}: expected a number from 0 to {top}; got {text}",
                    field=name,
                    line=number,
                    column=column + 1,
                    top=top,
                    text=repr(cell[:40]),
                )
    return InputError("expected numbers from line {line} on; got others", field=name, line=block[0][0])


def _bare(cell: str) -> str:
    return cell.strip().strip('"').strip()
