"""Data sets from arrays of images and labels as people have them: their shapes, types, ranges and paper."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import Dataset, ImageArray, Split
from app.data.drawings.drawing import LONGEST_LABEL, check_label
from app.data.preprocessing.normalize import IMAGE_SIZE
from app.errors import InputError, Message, shortened

MOST_LABELS = 256
MOST_IMAGES = 500_000
TEST_EVERY = 6
"""Without images to test with, every sixth image of a label is for testing, a share as in MNIST."""
BLOCK = 1_000
"""Images converted at a time."""
FEWEST_BYTES = 100
"""The bytes of an image in a packed file, on average: MNIST's take some 160. The first `FREE_IMAGES` may take fewer."""
FREE_IMAGES = 60_000
LARGEST_LABELS = 32 << 20
"""The most bytes of an array of labels: 32 characters each for 250,000 images."""

_LONGEST_TEXT = 4 * 2 * LONGEST_LABEL
"""Bytes of a label as an array has it, which may be longer before it is composed."""

Array: TypeAlias = NDArray[Any]

_SHAPES = (
    (IMAGE_SIZE, IMAGE_SIZE),
    (IMAGE_SIZE**2,),
    (IMAGE_SIZE, IMAGE_SIZE, 1),
    (1, IMAGE_SIZE, IMAGE_SIZE),
)


class StoredArray(Protocol):
    """An array that is read in pieces, as it is too large to be held beside the images that are made of it."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def blocks(self) -> Iterator[tuple[Any, Array]]:
        """The whole array from its beginning: pieces, each with its place, an index. Raises ValueError, OSError."""


class ArrayPart(NamedTuple):
    """Images and labels of one split, each with the name of its array or file."""

    images_name: str
    images: Array | StoredArray
    labels_name: str
    labels: Array


def make_dataset(name: str, version: str, parts: Sequence[ArrayPart], titles: Sequence[str] | None = None) -> Dataset:
    """Make a data set of the part to train on and, if there is one, the part to test with.

    Images are 28×28 numbers from 0 to 1 or to 255; white paper becomes black. Labels are (N,), (N, 1) or one-hot:
    numbers, with or without a title for each, or strings. Raises ValueError that names the array.
    """
    images = [_as_images(part.images_name, part.images) for part in parts]
    columns = [_as_labels(part) for part in parts]
    known, numbers = _numbered(columns, titles)
    notes: tuple[Message, ...] = ()
    if is_white(images[0]):
        notes = (Message("The paper was white and the ink dark: the images are inverted."),)
        version += "-inverted"
        images = [np.subtract(255, pixels, out=pixels if pixels.flags.writeable else None) for pixels in images]
    splits = [Split(*pair) for pair in zip(images, numbers, strict=True)]
    if len(splits) == 1:
        held = nth_of_label(splits[0].labels) % TEST_EVERY == TEST_EVERY - 1
        if not held.any():
            raise InputError("expected at least {least} images of a label", least=TEST_EVERY)
        splits = _part_in_place(splits[0], held)
    return Dataset(name, name, known, splits[0], splits[1], version, notes=notes)


def is_white(images: ImageArray) -> bool:
    """Return True if most of the images' border is nearer to white, 255, than to black, as paper is."""
    edges = images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]
    return float(np.mean([np.mean(edge > 127) for edge in edges])) > 0.5


def nth_of_label(labels: Array) -> NDArray[np.int64]:
    """The number of earlier rows with the same label, for each row."""
    order = np.argsort(labels, kind="stable")
    _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    nth = np.empty(len(labels), np.int64)
    nth[order] = np.arange(len(labels)) - np.repeat(starts, counts)
    return nth


def sorted_labels(labels: set[str]) -> tuple[str, ...]:
    """The labels in their order: numbers by value, then others."""
    return tuple(sorted(labels, key=lambda label: (len(label), label) if label.isdecimal() else (99, label)))


def most_images(size: int) -> int:
    """The most images of a packed file of `size` bytes."""
    return min(MOST_IMAGES, FREE_IMAGES + size // FEWEST_BYTES)


def _part_in_place(split: Split, held: NDArray[np.bool_]) -> list[Split]:
    """The images that are not `held`, and those that are; the first ones stay in the array, where it can be written."""
    rest = split[held]
    if not split.images.flags.writeable:
        return [split[~held], rest]
    rows = np.flatnonzero(~held)
    for begin in range(0, len(rows), BLOCK):
        block = rows[begin : begin + BLOCK]
        split.images[begin : begin + len(block)] = split.images[block]
    return [Split(split.images[: len(rows)], split.labels[~held]), rest]


def _as_images(name: str, array: Array | StoredArray) -> ImageArray:
    if array.shape[1:] not in _SHAPES or not array.shape[0]:
        raise InputError(
            "expected 28×28 images; got {shape}: resize them first, or bring them as image files in folders",
            field=name,
            shape=_shape(array),
        )
    if array.dtype.kind not in "biuf":
        raise InputError("expected numbers; got {dtype}", field=name, dtype=array.dtype)
    if array.shape[0] > MOST_IMAGES:
        raise InputError(
            "expected at most {most} images; got {count}", field=name, most=MOST_IMAGES, count=array.shape[0]
        )
    if isinstance(array, np.ndarray) and array.dtype == np.uint8 and array.max() > 1:
        return array.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    images = np.empty(array.shape, np.uint8)
    if not _fill(images, name, array, 1):
        _fill(images, name, array, 255)
    return images.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


def _fill(images: ImageArray, name: str, array: Array | StoredArray, top: int) -> bool:
    """Fill `images` with numbers from 0 to `top`, scaled to 255; return False if one is larger than `top`."""
    for place, block in _rows(array) if isinstance(array, np.ndarray) else array.blocks():
        low, high = float(block.min()), float(block.max())
        if not (low >= 0 and high <= 255):  # NaN fails this comparison too
            raise InputError(
                "expected numbers from 0 to 1, or from 0 to 255; got {dtype} from {low} to {high}",
                field=name,
                dtype=array.dtype,
                low=f"{low:g}",
                high=f"{high:g}",
            )
        if high > top:
            return False
        numbers = block.astype(np.float32)
        numbers *= 255 // top
        images[place] = np.rint(numbers, out=numbers)
    return True


def _rows(array: Array) -> Iterator[tuple[slice, Array]]:
    for begin in range(0, len(array), BLOCK):
        rows = slice(begin, begin + BLOCK)
        yield rows, array[rows]


def _as_labels(part: ArrayPart) -> Array:
    """The labels as (N,), whole numbers or strings."""
    name, array, count = part.labels_name, part.labels, part.images.shape[0]
    if array.dtype.kind not in "biufUS":
        raise InputError("expected whole numbers or strings; got {dtype}", field=name, dtype=array.dtype)
    if array.dtype.kind in "US" and array.dtype.itemsize > _LONGEST_TEXT:
        raise InputError(
            "expected labels of at most {most} characters; got {dtype}",
            field=name,
            most=LONGEST_LABEL,
            dtype=array.dtype,
        )
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    elif array.ndim == 2 and 1 < array.shape[1] <= MOST_LABELS and _is_one_hot(array):
        array = array.argmax(axis=1)
    if array.shape != (count,):
        raise InputError(
            "expected a label for each image; got {images_name} of shape {images} and {labels_name} of shape {labels}",
            images_name=part.images_name,
            images=_shape(part.images),
            labels_name=name,
            labels=_shape(part.labels),
        )
    if array.dtype.kind in "US":
        return array.astype(str)
    whole = array.astype(np.int64) if np.isfinite(array).all() else None
    if whole is None or not (whole == array).all():
        raise InputError("expected whole numbers or strings; got others in {dtype}", field=name, dtype=array.dtype)
    return whole


def _is_one_hot(array: Array) -> bool:
    return array.dtype.kind in "biuf" and bool(
        (((array == 0) | (array == 1)).all(axis=1) & (array.sum(axis=1) == 1)).all()
    )


def _numbered(columns: list[Array], titles: Sequence[str] | None) -> tuple[tuple[str, ...], list[NDArray[np.int64]]]:
    """The labels, and each column as their indices."""
    if any(column.dtype.kind == "U" for column in columns):
        written = [column.astype(str) for column in columns]
        found = {text: check_label(text) for text in np.unique(np.concatenate(written)).tolist()[: MOST_LABELS + 1]}
        known = sorted_labels(set(found.values())) if titles is None else _checked(titles)
        _check_count(known)
        strange = sorted(set(found.values()) - set(known))
        if strange:
            raise InputError(
                "expected labels among {known}; got {strange}", known=shortened(known), strange=shortened(strange)
            )
        index = {text: known.index(label) for text, label in found.items()}
        return known, [np.array([index[text] for text in column.tolist()], np.int64) for column in written]
    low, high = min(int(column.min()) for column in columns), max(int(column.max()) for column in columns)
    most = MOST_LABELS if titles is None else len(titles)
    if low < 0 or high >= most:
        raise InputError("expected labels from 0 to {value}; got {low} to {high}", value=most - 1, low=low, high=high)
    known = tuple(map(str, range(high + 1))) if titles is None else _checked(titles)
    _check_count(known)
    return known, columns


def _checked(titles: Sequence[str]) -> tuple[str, ...]:
    return tuple(check_label(title) for title in titles)


def _check_count(known: Sequence[str]) -> None:
    if len(set(known)) != len(known) or not 2 <= len(known) <= MOST_LABELS:
        raise InputError(
            "expected 2 to {most} labels, all different; got {count}", most=MOST_LABELS, count=len(set(known))
        )


def _shape(array: Array | StoredArray) -> str:
    return " × ".join(map(str, array.shape))
