"""The data sets by name: what there is, whether it is ready, and how it is loaded. A new set is one entry."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal, Self, TypeAlias

from app.data.dataset import Dataset, DatasetUnavailable
from app.data.drawings.store import DrawingSet, DrawingStore
from app.data.handwriting.digits import STYLES
from app.data.images.store import PREFIX, ImageSetStore, title_of
from app.data.sources import drawings as drawing_sets
from app.data.sources import folder, idx_datasets, mixture, mnist, pendigits, synthetic
from app.errors import InputError, Message, joined
from app.settings import Settings

MOST_STROKES = 20.0
"""The largest weight up to which a mixture has new drawn digits, and not the same ones again."""

FOLDERS_REMEMBERED = 64
"""The number of folders and files whose size and labels are remembered, not their images."""

State: TypeAlias = Literal["ready", "download", "generate", "unread", "too-few", "damaged"]


@dataclass(frozen=True)
class DatasetInfo:
    """A line of the catalogue. `train` and `test` are numbers of images; `note` says what loading will do or has done.

    Of the user's files, which are "unread" until they are asked for, neither numbers nor labels are known.
    """

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
    problem: Callable[[Path | None, Path], Message | None] = lambda data_dir, cache_dir: None


def _of_idx(source: idx_datasets.IdxSet) -> _Definition:
    return _Definition(
        title=source.title,
        description=source.description,
        labels=source.labels,
        train=source.train,
        test=source.test,
        missing="download",
        notes={
            "ready": "Ready to use.",
            "download": Message("Downloaded once ({number} MB) when first used.", number=source.megabytes),
        },
        is_ready=lambda data_dir, cache_dir: idx_datasets.is_present(source, data_dir=data_dir, cache_dir=cache_dir),
        load=lambda data_dir, cache_dir, download: idx_datasets.load_idx_set(
            source, data_dir=data_dir, cache_dir=cache_dir, download=download
        ),
    )


_DEFINITIONS: Mapping[str, _Definition] = {
    "mnist": _Definition(
        title=mnist.TITLE,
        description="70,000 digits written by 500 people, scanned; the set that most tutorials use.",
        labels=mnist.LABELS,
        train=60_000,
        test=10_000,
        missing="download",
        notes={
            "ready": "Ready to use.",
            "download": Message("Downloaded once ({number} MB) when first used.", number=11),
        },
        is_ready=lambda data_dir, cache_dir: mnist.is_present(data_dir=data_dir, cache_dir=cache_dir),
        load=lambda data_dir, cache_dir, download: mnist.load_mnist(
            data_dir=data_dir, cache_dir=cache_dir, download=download
        ),
    ),
    "strokes": _Definition(
        title=synthetic.TITLE,
        description=Message(
            "22,000 digits that digitpad draws itself, in {count} styles from many countries; works offline.",
            count=len(STYLES),
        ),
        labels=synthetic.LABELS,
        train=synthetic.TRAIN_SIZE,
        test=synthetic.TEST_SIZE,
        missing="generate",
        notes={
            "ready": "Ready to use.",
            "generate": Message("Drawn once, in a few seconds, when first used."),
        },
        is_ready=lambda data_dir, cache_dir: synthetic.is_cached(cache_dir=cache_dir),
        load=lambda data_dir, cache_dir, download: synthetic.load_strokes(cache_dir=cache_dir),
    ),
    "pendigits": _Definition(
        title=pendigits.TITLE,
        description="7,494 digits written on a tablet by 30 people: strokes, prepared as your drawings are.",
        labels=pendigits.LABELS,
        train=pendigits.TRAIN_SIZE,
        test=pendigits.TEST_SIZE,
        missing="download",
        notes={
            "ready": "Ready to use.",
            "download": Message("Downloaded once ({number} MB) when first used.", number=4),
        },
        is_ready=lambda data_dir, cache_dir: pendigits.find_file(data_dir, cache_dir) is not None,
        load=lambda data_dir, cache_dir, download: pendigits.load_pendigits(
            data_dir=data_dir, cache_dir=cache_dir, download=download
        ),
        problem=pendigits.find_problem,
    ),
    **{name: _of_idx(source) for name, source in idx_datasets.SETS.items()},
}


_FOUND_FILES = Message("Your own images, from DIGITPAD_DATA_DIR.")
_IMPORTED_FILES = Message("Your own images, imported into digitpad.")
_FOLDERS = frozenset({"mnist", pendigits.FOLDER, *(source.folder for source in idx_datasets.SETS.values())})
"""The folders of the sets that come with digitpad."""


def dataset_titles() -> Mapping[str, str]:
    """The titles of the sets that come with digitpad, by name."""
    return {name: definition.title for name, definition in _DEFINITIONS.items()}


@dataclass(frozen=True)
class DatasetCatalog:
    """The data sets of one machine, by name.

    `cache_dir` keeps what was downloaded or drawn, `data_dir` is DIGITPAD_DATA_DIR, or None; with `drawings` and
    `images` each of the user's own sets is one too.
    """

    cache_dir: Path
    data_dir: Path | None = None
    drawings: DrawingStore | None = None
    images: ImageSetStore | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Make the catalogue of a home, with the user's drawings."""
        drawings, images = DrawingStore(settings.home / "drawings"), ImageSetStore(settings.home / "images")
        return cls(settings.cache_dir, settings.data_dir, drawings, images)

    def list(self) -> list[DatasetInfo]:
        """All data sets but mixtures, without loading any."""
        files = [] if self.data_dir is None else folder.find_sets(self.data_dir, _FOLDERS)
        imported = [] if self.images is None else [PREFIX + name for name in self.images.names()]
        return [
            *(self._defined(name) for name in _DEFINITIONS),
            *self._drawn(),
            *(self.line(name) for name in (*imported, *files)),
        ]

    def info(self, name: str) -> DatasetInfo:
        """The line of a name: also of mixtures, and of `images:NAME`, `folder:PATH`, `npz:PATH` and `csv:PATH`, which
        are read.

        Raises ValueError for a name that cannot be one, DatasetUnavailable for a folder that is not there or not
        readable.
        """
        if mixture.is_mixture(name):
            return _mixture_info(name, self.info)
        place = self._place(name)
        if place is not None:
            return _files_info(name, place, self.cache_dir)
        if name in _DEFINITIONS:
            return self._defined(name)
        found = next((info for info in self._drawn() if info.name == name), None)
        if found is None:
            raise self._unknown(name)
        return found

    def load(self, name: str, *, download: bool = True) -> Dataset:
        """Load a data set; `download=False` forbids the network.

        Raises ValueError for a name that is not in the catalogue, DatasetUnavailable if the set cannot be had.
        """
        if mixture.is_mixture(name):
            return mixture.mix(mixture.parse_mixture(name), lambda term: self._load_term(term, download))
        place = self._place(name)
        if place is not None:
            return folder.load_place(name, place, self.cache_dir)
        definition = _DEFINITIONS.get(name)
        if definition is not None:
            return definition.load(self.data_dir, self.cache_dir, download)
        set_name = drawing_sets.set_of(name) if self.drawings is not None else None
        if self.drawings is None or set_name is None:
            raise self._unknown(name)
        if not self.drawings.labels(set_name):
            raise DatasetUnavailable(
                "there are no drawings left in the set “{set_name}”: draw some first", set_name=set_name
            )
        return drawing_sets.load_drawing_set(self.drawings, set_name)

    def outline(self, name: str) -> Dataset | None:
        """A folder of many images, each of which is read when it is asked for; None for other data sets.

        Raises ValueError, DatasetUnavailable.
        """
        place = None if mixture.is_mixture(name) else self._place(name)
        return None if place is None else folder.outline_place(name, place)

    def is_drawn(self, name: str) -> bool:
        """Return True unless strokes of a mixture beyond those of the set `strokes` must still be drawn."""
        terms = mixture.parse_mixture(name) if mixture.is_mixture(name) else []
        return all(
            synthetic.is_cached(cache_dir=self.cache_dir, train=_strokes_drawn(term))
            for term in terms
            if term.name == "strokes" and term.weight > 1
        )

    def stamp(self, name: str) -> str:
        """A text that changes when the data set does; only users' own do. Raises ValueError, DatasetUnavailable."""
        if mixture.is_mixture(name):
            return " ".join(self.stamp(term.name) for term in mixture.parse_mixture(name))
        place = self._place(name)
        if place is not None:
            return folder.stamp_of(name, place)
        set_name = drawing_sets.set_of(name)
        return "" if set_name is None or self.drawings is None else drawing_sets.stamp_of(self.drawings, set_name)

    def _place(self, name: str) -> Path | None:
        """The user's files with this name; None for another kind. Raises ValueError, DatasetUnavailable."""
        if self.images is not None and name.startswith(PREFIX):
            return self.images.find(name.removeprefix(PREFIX))
        return folder.find_place(name, self.data_dir) if folder.is_folder_name(name) else None

    def line(self, name: str) -> DatasetInfo:
        """The line of the user's files, which are not read for it."""
        with suppress(DatasetUnavailable):
            place = self._place(name)
            found = None if place is None else _known.get((name, place, self.cache_dir))
            if found is not None and place is not None and found[0] == folder.stamp_of(name, place):
                return found[1]
        return _files_line(name, note=Message("Read when it is chosen."))

    def _defined(self, name: str) -> DatasetInfo:
        definition = _DEFINITIONS[name]
        state: State = "ready" if definition.is_ready(self.data_dir, self.cache_dir) else definition.missing
        problem = definition.problem(self.data_dir, self.cache_dir)
        if problem is not None:
            state = "damaged"
        return DatasetInfo(
            name,
            definition.title,
            definition.description,
            definition.labels,
            definition.train,
            definition.test,
            state,
            definition.notes[state] if problem is None else Message("Damaged: {reason}.", reason=problem),
        )

    def _drawn(self) -> Iterable[DatasetInfo]:
        drawn = [] if self.drawings is None else self.drawings.sets()
        return (_drawing_set_info(one) for one in drawn if one.count or one.declared)

    def _load_term(self, term: mixture.Term, download: bool) -> tuple[Dataset, float]:
        if term.name == "strokes" and term.weight > 1:  # there are always more of them
            count = _strokes_drawn(term)
            drawn = synthetic.load_strokes(cache_dir=self.cache_dir, train=count)
            return drawn, term.weight * synthetic.TRAIN_SIZE / count
        return self.load(term.name, download=download), term.weight

    def _unknown(self, name: object) -> InputError:
        names = ", ".join(info.name for info in self.list())
        return InputError("expected a data set: {names}; got {value}", names=names, value=repr(str(name)[:80]))


def _strokes_drawn(term: mixture.Term) -> int:
    """The number of training images for a term of `strokes` with a weight above 1."""
    return mixture.mixed_size(synthetic.TRAIN_SIZE, min(term.weight, MOST_STROKES))


def _drawing_set_info(drawn: DrawingSet) -> DatasetInfo:
    size = drawing_sets.size_of(drawn.labels)
    return DatasetInfo(
        f"{drawing_sets.PREFIX}{drawn.name}",
        drawing_sets.title_of(drawn.name),
        Message(
            "{number} of your drawings, each redrawn many times with different pens and slight distortions.",
            number=drawn.count,
        ),
        tuple(drawn.labels if size.problem is None else drawn.all_labels),
        size.train,
        size.test,
        "ready" if size.problem is None else "too-few",
        "Ready to use." if size.problem is None else Message("Too few: {reason}.", reason=size.problem),
    )


_Key: TypeAlias = tuple[str, Path, Path]
_known: dict[_Key, tuple[str, DatasetInfo]] = {}
"""The lines of the user's files that were read, with their stamps."""
_reading = Lock()


def _files_info(name: str, place: Path, cache_dir: Path) -> DatasetInfo:
    """The line of the user's files, which are read once for each of their stamps; of many images, the names alone."""
    key, stamp = (name, place, cache_dir), folder.stamp_of(name, place)
    with _reading:  # one at a time, which limits the memory
        known = _known.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        dataset = folder.outline_place(name, place) or folder.load_place(name, place, cache_dir)
        note = Message("Ready to use.")
        for more in dataset.notes:
            note = Message("{note} {more}", note=note, more=more)
        info = _files_line(name, dataset.labels, len(dataset.train), len(dataset.test), "ready", note)
        _known.pop(key, None)
        while len(_known) >= FOLDERS_REMEMBERED:
            del _known[next(iter(_known))]
        _known[key] = stamp, info
        return info


def _files_line(
    name: str,
    labels: tuple[str, ...] = (),
    train: int = 0,
    test: int = 0,
    state: State = "unread",
    note: Message | str = "",
) -> DatasetInfo:
    is_imported = name.startswith(PREFIX)
    title = title_of(name) if is_imported else name
    return DatasetInfo(name, title, _IMPORTED_FILES if is_imported else _FOUND_FILES, labels, train, test, state, note)


def _mixture_info(name: str, info_of: Callable[[str], DatasetInfo]) -> DatasetInfo:
    terms = mixture.parse_mixture(name)
    infos = [info_of(term.name) for term in terms]
    mixture.check_labels(terms, [info.labels for info in infos], [info.train for info in infos])
    sizes = [mixture.mixed_size(info.train, term.weight) for info, term in zip(infos, terms, strict=True)]
    parts = [
        Message("{count} of {title}", count=f"{size:,}", title=info.title)
        for size, info in zip(sizes, infos, strict=True)
    ]
    # The worst state counts: a set that cannot be used yet, or else one that must be fetched first.
    worst = max(infos, key=lambda info: _WORSE.index(info.state))
    shown = mixture.write_mixture(terms)
    return DatasetInfo(
        shown,
        shown,
        Message("Mixed: {parts}. Tested with {title}.", parts=joined(parts), title=infos[0].title),
        infos[0].labels,
        sum(sizes),
        infos[0].test,
        worst.state,
        worst.note if worst.state == "ready" else Message("{title}: {note}", title=worst.title, note=worst.note),
    )


_WORSE: tuple[State, ...] = ("ready", "unread", "generate", "download", "too-few", "damaged")
