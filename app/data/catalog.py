"""The data sets by name: what there is, whether it is ready, and how it is loaded. A new set is one entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from app.data import mnist, strokes
from app.data.dataset import Dataset

State: TypeAlias = Literal["ready", "download", "generate"]


@dataclass(frozen=True)
class DatasetInfo:
    """A line of the catalogue. `train` and `test` are numbers of images; `note` says what loading will do."""

    name: str
    title: str
    description: str
    labels: tuple[str, ...]
    train: int
    test: int
    state: State
    note: str


@dataclass(frozen=True)
class _Definition:
    title: str
    description: str
    labels: tuple[str, ...]
    train: int
    test: int
    missing: State
    notes: Mapping[State, str]
    is_ready: Callable[[Path | None, Path], bool]
    load: Callable[[Path | None, Path, bool], Dataset]


_DEFINITIONS: Mapping[str, _Definition] = {
    "mnist": _Definition(
        title=mnist.TITLE,
        description="70,000 digits written by 500 people, scanned; the set that most tutorials use.",
        labels=mnist.LABELS,
        train=60_000,
        test=10_000,
        missing="download",
        notes={
            "ready": "On this machine.",
            "download": "Will be downloaded once, 11 MB, when it is first used.",
        },
        is_ready=lambda data_dir, cache_dir: mnist.is_present(data_dir=data_dir, cache_dir=cache_dir),
        load=lambda data_dir, cache_dir, download: mnist.load_mnist(
            data_dir=data_dir, cache_dir=cache_dir, download=download
        ),
    ),
    "strokes": _Definition(
        title=strokes.TITLE,
        description="22,000 digits that digitpad draws itself with a pen that wavers; needs no network.",
        labels=strokes.LABELS,
        train=strokes.TRAIN_SIZE,
        test=strokes.TEST_SIZE,
        missing="generate",
        notes={
            "ready": "On this machine.",
            "generate": "Will be drawn once, in some seconds, when it is first used.",
        },
        is_ready=lambda data_dir, cache_dir: strokes.is_cached(cache_dir=cache_dir),
        load=lambda data_dir, cache_dir, download: strokes.load_strokes(cache_dir=cache_dir),
    ),
}


def list_datasets(*, data_dir: Path | None, cache_dir: Path) -> list[DatasetInfo]:
    """All data sets, without loading any. `data_dir` is DIGITPAD_DATA_DIR, or None."""
    infos = []
    for name, definition in _DEFINITIONS.items():
        state: State = "ready" if definition.is_ready(data_dir, cache_dir) else definition.missing
        infos.append(
            DatasetInfo(
                name,
                definition.title,
                definition.description,
                definition.labels,
                definition.train,
                definition.test,
                state,
                definition.notes[state],
            )
        )
    return infos


def load_dataset(name: str, *, data_dir: Path | None, cache_dir: Path, download: bool = True) -> Dataset:
    """Load a data set by its name; `download=False` forbids the network.

    Raises ValueError for a name that is not in the catalogue, DatasetUnavailable if the set cannot be had.
    """
    definition = _DEFINITIONS.get(name)
    if definition is None:
        raise ValueError(f"expected a data set: {', '.join(sorted(_DEFINITIONS))}; got {str(name)[:64]!r}")
    return definition.load(data_dir, cache_dir, download)
