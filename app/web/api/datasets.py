"""The images of a data set, by label and page by page."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Path, Query
from numpy.typing import NDArray

from app.data import Dataset, DatasetInfo, DatasetUnavailable, Split
from app.data.cache import DatasetCache
from app.data.dataset import Grouping
from app.errors import RequestError, message_of
from app.runs.limits import LARGEST_INT
from app.web.api.images import encoded
from app.web.api.routing import ApiRoute, ResponseBody, errors
from app.web.dependencies import CatalogDep, DatasetsDep

router = APIRouter(prefix="/api/datasets", tags=["datasets"], route_class=ApiRoute)

MOST_DIGITS = 500
"""Images of one answer."""
LONGEST_NAME = 200
Name = Annotated[str, Path(max_length=LONGEST_NAME)]


class LabelledImage(ResponseBody):
    """An image of a split; `pixels` is base64 of 784 bytes, 0 is paper and 255 is ink, row by row.

    `group` is its style, writer or source, in a set that has them.
    """

    index: int
    label: str
    pixels: str
    group: str | None


class DatasetPage(ResponseBody):
    """Images of one split; `total` is how many there are of what was asked for, `counts` those of each label.

    In a set whose images are `grouped_by` something, `groups` are the numbers of images of each group that has any, of
    the label asked for.
    """

    dataset: str
    split: Literal["train", "test"]
    total: int
    labels: list[str]
    counts: dict[str, int]
    grouped_by: Grouping | None
    groups: dict[str, int]
    digits: list[LabelledImage]


@router.get("/{name:path}/digits", responses=errors(404, 409, 422))
def digits(
    datasets: DatasetsDep,
    name: Name,
    split: Literal["train", "test"] = "train",
    label: Annotated[str | None, Query(max_length=64)] = None,
    group: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
    offset: Annotated[int, Query(ge=0, le=LARGEST_INT)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_DIGITS)] = 100,
    indices: Annotated[str | None, Query(max_length=10 * MOST_DIGITS)] = None,
) -> DatasetPage:
    """Images of one split: of one label and of one group or of all, from `offset` on; or those of `indices` ("1,2,3"),
    in that order."""
    dataset = load(datasets, name, look=True)
    part = dataset.train if split == "train" else dataset.test
    if indices is not None:
        if label is not None or group is not None or offset:
            raise RequestError(422, "expected no label, group or offset with it", field="indices")
        chosen = _chosen(indices, len(part))
        total = len(chosen)
        groups = _group_counts(part, dataset.groups, np.arange(len(part)))
    else:
        matching = np.arange(len(part))
        if label is not None:
            matching = np.flatnonzero(part.labels == _index(dataset.labels, label, "label"))
        groups = _group_counts(part, dataset.groups, matching)
        if group is not None:
            if part.groups is None:
                got = repr(group)
                raise RequestError(
                    422, "expected none, as this data set has no groups; got {got}", field="group", got=got
                )
            matching = matching[part.groups[matching] == _index(dataset.groups, group, "group")]
        chosen, total = matching[offset : offset + limit], len(matching)
    return DatasetPage(
        dataset=dataset.name,
        split=split,
        total=total,
        labels=list(dataset.labels),
        counts=_counts(part, dataset.labels),
        grouped_by=dataset.grouped_by,
        groups=groups,
        digits=[labelled_image(part, index, dataset.labels, dataset.groups) for index in chosen.tolist()],
    )


@router.post("/{name:path}/fetch", responses=errors(404, 409, 422))
def fetch(catalog: CatalogDep, datasets: DatasetsDep, name: Name) -> DatasetInfo:
    """Download or draw a data set that is not on this machine yet, and return its line of the catalogue."""
    load(datasets, name, fetch=True)
    return catalog.info(name)


def load(datasets: DatasetCache, name: str, *, fetch: bool = False, look: bool = False) -> Dataset:
    """Get a data set from memory or the disk; 404 where there is none of that name, 409 where it cannot be had.

    With `look` the images of a large folder are read when they are asked for.
    """
    try:
        return datasets.look(name) if look else datasets.get(name, fetch=fetch)
    except ValueError as error:
        raise RequestError(404, message_of(error)) from None
    except DatasetUnavailable as error:
        raise RequestError(409, message_of(error)) from None


def labelled_image(split: Split, index: int, labels: Sequence[str], groups: Sequence[str] = ()) -> LabelledImage:
    """Return an image of a split for an answer."""
    return LabelledImage(
        index=index,
        label=labels[int(split.labels[index])],
        pixels=encoded(split.images[index]),
        group=groups[int(split.groups[index])] if groups and split.groups is not None else None,
    )


def _chosen(indices: str, count: int) -> NDArray[np.int64]:
    parts = indices.split(",")
    if len(parts) > MOST_DIGITS or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise RequestError(
            422,
            "expected up to {most} whole numbers, separated by commas",
            field="indices",
            most=MOST_DIGITS,
        )
    chosen = np.array([int(part) for part in parts], np.int64)
    if chosen.max() >= count:
        got = int(chosen.max())
        raise RequestError(
            422, "expected numbers from 0 to {last}; got {got}", field="indices", last=count - 1, got=got
        )
    return chosen


def _index(names: Sequence[str], name: str, field: str) -> int:
    if name not in names:
        known = ", ".join(names[:40])
        raise RequestError(422, "expected one of {names}; got {value}", field=field, names=known, value=repr(name))
    return names.index(name)


def _group_counts(part: Split, groups: Sequence[str], rows: NDArray[np.int64]) -> dict[str, int]:
    if part.groups is None:
        return {}
    counts = np.bincount(part.groups[rows], minlength=len(groups)).tolist()
    return {group: number for group, number in zip(groups, counts, strict=True) if number}


def _counts(part: Split, labels: tuple[str, ...]) -> dict[str, int]:
    counts = np.bincount(part.labels, minlength=len(labels)).tolist()
    return dict(zip(labels, counts, strict=True))
