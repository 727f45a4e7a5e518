"""What is in a data set: its images, by label and page by page."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Path, Query
from numpy.typing import NDArray

from app.data import Dataset, DatasetUnavailable, Split
from app.data.catalog import get_info
from app.errors import RequestError, message_of
from app.web.api.images import encoded
from app.web.dependencies import AppState, State
from app.web.errors import Error
from app.web.preferences import LocalizedRoute

router = APIRouter(prefix="/api/datasets", tags=["datasets"], route_class=LocalizedRoute)

MOST_DIGITS = 500
"""Images of one answer."""
LONGEST_NAME = 200
LARGEST = 2**31 - 1
_SPLITS = {"train", "test"}
Name = Annotated[str, Path(max_length=LONGEST_NAME)]
_ERRORS: dict[int | str, dict[str, Any]] = {404: {"model": Error}, 409: {"model": Error}, 422: {"model": Error}}


@router.get("/{name:path}/digits", responses=_ERRORS)
def digits(
    state: State,
    name: Name,
    split: Literal["train", "test"] = "train",
    label: Annotated[str | None, Query(max_length=64)] = None,
    offset: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_DIGITS)] = 100,
    indices: Annotated[str | None, Query(max_length=10 * MOST_DIGITS)] = None,
) -> dict[str, Any]:
    """Images of one split: of one label or of all, from `offset` on; or those of `indices` ("1,2,3"), in that order.

    `total` is how many there are of what was asked for, `counts` how many the split has of each label; `pixels` is
    base64 of 784 bytes, 0 is paper and 255 is ink, row by row.
    """
    dataset = load(state, name)
    part = dataset.train if split == "train" else dataset.test
    if indices is not None:
        if label is not None or offset:
            raise RequestError(422, "expected no label and no offset with it", field="indices")
        chosen = _chosen(indices, len(part))
        total = len(chosen)
    else:
        matching = np.arange(len(part)) if label is None else np.flatnonzero(part.labels == _index(dataset, label))
        chosen, total = matching[offset : offset + limit], len(matching)
    return {
        "dataset": dataset.name,
        "split": split,
        "total": total,
        "labels": list(dataset.labels),
        "counts": _counts(part, dataset.labels),
        "digits": [
            {"index": index, "label": dataset.labels[int(part.labels[index])], "pixels": encoded(part.images[index])}
            for index in chosen.tolist()
        ],
    }


@router.post("/{name:path}/fetch", responses=_ERRORS)
def fetch(state: State, name: Name) -> dict[str, Any]:
    """Download or draw a data set that is not on this machine yet, and return its line of the catalogue."""
    load(state, name, fetch=True)
    settings = state.settings
    return asdict(
        get_info(name, data_dir=settings.data_dir, cache_dir=settings.cache_dir, drawings=state.drawings),
    )


def load(state: AppState, name: str, *, fetch: bool = False) -> Dataset:
    """A data set, from memory or the disk; 404 where there is none of that name, 409 where it cannot be had."""
    try:
        return state.datasets.get(name, fetch=fetch)
    except ValueError as error:
        raise RequestError(404, message_of(error)) from None
    except DatasetUnavailable as error:
        raise RequestError(409, message_of(error)) from None


def _chosen(indices: str, count: int) -> NDArray[np.int64]:
    parts = indices.split(",")
    if len(parts) > MOST_DIGITS or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise RequestError(
            422,
            "expected up to {most_digits} whole numbers, separated by commas",
            field="indices",
            most_digits=MOST_DIGITS,
        )
    chosen = np.array([int(part) for part in parts], np.int64)
    if chosen.max() >= count:
        raise RequestError(
            422,
            "expected numbers from 0 to {value}; got {got}",
            field="indices",
            value=count - 1,
            got=int(chosen.max()),
        )
    return chosen


def _index(dataset: Dataset, label: str) -> int:
    if label not in dataset.labels:
        known = ", ".join(dataset.labels[:40])
        raise RequestError(422, "expected one of {known}; got {label}", field="label", known=known, label=repr(label))
    return dataset.labels.index(label)


def _counts(part: Split, labels: tuple[str, ...]) -> dict[str, int]:
    counts = np.bincount(part.labels, minlength=len(labels)).tolist()
    return dict(zip(labels, counts, strict=True))
