"""A look through imported images before they are saved: what is read, what is not, and how some are prepared."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import Dataset, ImageArray, sample_per_label
from app.data.images.archive import ARRAYS, TABLE, UnreadFile
from app.data.preprocessing.decode import check_image, file_decoders
from app.data.preprocessing.diagnose import describe_image
from app.data.preprocessing.normalize import to_uint8
from app.data.sources.arrays import MOST_LABELS
from app.data.sources.folder import load_arrays
from app.data.sources.picture_folder import PictureFiles, find_pictures, inner_folder, is_picture_file
from app.data.sources.visible_files import visible
from app.errors import InputError, Message, message_of

SAMPLES_PER_LABEL = 3
MOST_SAMPLES = 36
MOST_PIXELS = 2_000_000_000
"""The most pixels of all images: they are decoded one after another, and a kilobyte can hold a million."""

_LABELLED = re.compile(r"(?P<label>[^_\-(]+?)[ ]?[_\-(].+")
"""A file's name that begins with its label: `3_0001.png`, `3-1.png`, `3 (2).png`."""


@dataclass(frozen=True, eq=False)
class ImageSample:
    """An image and its preparation: `pixels`, (28, 28), 0 is paper and 255 is ink.

    Of a file also its `name`, and `original`, (S, S), 0 is black, with remarks on how it was prepared.
    """

    label: str
    pixels: ImageArray
    name: str | None = None
    original: ImageArray | None = None
    remarks: tuple[Message, ...] = ()


@dataclass(frozen=True, eq=False)
class ImageSetPreview:
    """`counts` are the numbers of images by label, in the labels' order; `unread` are the files that are left out."""

    counts: Mapping[str, int]
    train: int
    test: int
    unread: Sequence[UnreadFile]
    notes: Sequence[Message]
    samples: Sequence[ImageSample]


def preview_images(folder: Path, unread: Sequence[UnreadFile] = ()) -> ImageSetPreview:
    """Look through the files of a new set; images that cannot be read are removed. Raises ValueError, OSError.

    Where images lie in no folder and their names begin with a label, they are moved into a folder for each.
    """
    notes = _sort_by_name(folder)
    try:
        arrays = load_arrays("", folder)
    except InputError as error:
        if error.message.field not in (TABLE, ARRAYS):  # names that the user did not give
            raise
        raise InputError(Message(error.message.template, **error.message.values)) from None
    if arrays is not None:
        return _of_arrays(arrays, unread)
    damaged = _remove_damaged(folder)
    place = inner_folder(folder)
    try:
        found = find_pictures(place)
    except InputError as error:
        if not damaged:
            raise
        raise InputError(
            "{count} images could not be read, such as {name}: {reason}; of the others: {problem}",
            count=len(damaged),
            name=damaged[0].name,
            reason=damaged[0].reason,
            problem=message_of(error),
        ) from None
    others = [
        UnreadFile(str(path.relative_to(folder)), Message("it lies in no label's folder")) for path in found.unread
    ]
    counts = {label: len(found.train.get(label, [])) + len(found.test.get(label, [])) for label in found.labels}
    train, test = (sum(map(len, part.values())) for part in (found.train, found.test))
    return ImageSetPreview(counts, train, test, (*damaged, *unread, *others), notes, _samples_of_files(found))


def label_in_name(name: str) -> str | None:
    """The label with which a file's name begins; None for a name without one."""
    match = _LABELLED.fullmatch(Path(name).stem)
    return match["label"] if match else None


def _sort_by_name(folder: Path) -> list[Message]:
    """Move images that lie in one folder alone into a folder for each label, if all names begin with one."""
    place = inner_folder(folder)
    inside = [path for path in visible(place) if path.is_dir()]
    if len(inside) == 1 and not any(map(is_picture_file, visible(place))):
        (place,) = inside
    elif inside:
        return []
    images = [path for path in visible(place) if is_picture_file(path)]
    labels = Counter(label_in_name(path.name) for path in images)
    # A name for each of the images, as of a camera, is no label.
    if None in labels or not 2 <= len(labels) <= MOST_LABELS or max(labels.values()) < 2:
        return []
    for path in images:
        label = place / str(label_in_name(path.name))
        label.mkdir(exist_ok=True)
        path.rename(label / path.name)
    return [Message("The labels are those with which the names of the files begin.")]


def _remove_damaged(folder: Path) -> list[UnreadFile]:
    """Remove the images that cannot be decoded, and return them. Raises ValueError if all of them are too large."""
    damaged, area = [], 0
    for path in _picture_files(folder):
        try:
            area += check_image(path.read_bytes(), file_decoders())
        except ValueError as error:
            damaged.append(UnreadFile(str(path.relative_to(folder)), message_of(error)))
            path.unlink()
            with suppress(OSError):  # it has other files
                path.parent.rmdir()
            continue
        if area > MOST_PIXELS:
            raise InputError(
                "expected images of at most {most} megapixels in total; got more", most=MOST_PIXELS // 10**6
            )
    return damaged


def _picture_files(folder: Path) -> Iterator[Path]:
    """The image files of a folder and those in it, in order."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (path for path in map(Path(place).joinpath, sorted(names)) if is_picture_file(path))


def _samples_of_files(found: PictureFiles) -> list[ImageSample]:
    samples = []
    each = max(1, min(SAMPLES_PER_LABEL, MOST_SAMPLES // len(found.labels)))
    for label in found.labels[:MOST_SAMPLES]:
        for path in (found.train.get(label) or found.test.get(label) or [])[:each]:
            described = describe_image(path.read_bytes(), file_decoders())
            original, pixels = to_uint8(described.original), to_uint8(described.prepared.pixels)
            samples.append(ImageSample(label, pixels, path.name, original, described.remarks))
    return samples


def _of_arrays(dataset: Dataset, unread: Sequence[UnreadFile]) -> ImageSetPreview:
    counts = sum(_counts(split.labels, len(dataset.labels)) for split in (dataset.train, dataset.test))
    each = max(1, min(SAMPLES_PER_LABEL, MOST_SAMPLES // len(dataset.labels)))
    rows = sample_per_label(dataset.train.labels, len(dataset.labels), each * min(len(dataset.labels), MOST_SAMPLES))
    samples = [
        ImageSample(dataset.labels[int(dataset.train.labels[row])], dataset.train.images[row]) for row in rows.tolist()
    ]
    named = dict(zip(dataset.labels, np.asarray(counts).tolist(), strict=True))
    return ImageSetPreview(named, len(dataset.train), len(dataset.test), unread, dataset.notes, samples)


def _counts(labels: NDArray[np.uint8] | NDArray[np.int64], kinds: int) -> NDArray[np.int64]:
    return np.bincount(labels, minlength=kinds)
