"""Mixtures of data sets: `mnist + 0.5*strokes + 20*drawings:mine`.

A mixture is data sets joined by `+`, each with an optional weight: how many times its training images are included, or
what share of them. The first set determines the labels and the test images; the others may have fewer labels, but no
other ones. The choice of images depends on the names and weights alone.
"""

import hashlib
import math
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import Dataset, Split
from app.errors import InputError, shortened

SEED = 20_240_915
MOST_TERMS = 8
MOST_WEIGHT = 1000.0
MOST_IMAGES = 1_000_000
"""784 MB."""

_WEIGHT = re.compile(r"\d{1,4}(\.\d{1,6})?|\.\d{1,6}", re.ASCII)


@dataclass(frozen=True)
class Term:
    """A data set's name, and how many times its training images are included."""

    name: str
    weight: float = 1.0


def is_mixture(name: str) -> bool:
    """True if `name` is a mixture's."""
    return "+" in name or "*" in name


def parse_mixture(text: str) -> tuple[Term, ...]:
    """The terms of a mixture, at least one. Raises ValueError that names the invalid term."""
    terms = []
    for number, part in enumerate(text.split("+"), 1):
        weight, star, name = part.rpartition("*")
        weight, name = weight.strip(), name.strip()
        if not name:
            raise InputError(
                "term {number}: expected a data set, as in `mnist + 0.5*strokes`; got {part}",
                number=number,
                part=repr(part[:40]),
            )
        if star and not (_WEIGHT.fullmatch(weight) and 0 < float(weight) <= MOST_WEIGHT):
            raise InputError(
                "term {number}: expected a weight above 0 and at most {most} before `*`; got {weight}",
                number=number,
                most=f"{MOST_WEIGHT:g}",
                weight=repr(weight[:40]),
            )
        terms.append(Term(name, float(weight) if star else 1.0))
    if len(terms) > MOST_TERMS:
        raise InputError(
            "expected at most {most} data sets in a mixture; got {count}", most=MOST_TERMS, count=len(terms)
        )
    names = [term.name for term in terms]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError("expected each data set once, with a weight; got {twice} twice", twice=repr(twice[:80]))
    return tuple(terms)


def write_mixture(terms: Sequence[Term]) -> str:
    """A mixture's normalized name, which parses to the same terms."""
    return " + ".join(term.name if term.weight == 1 else f"{_digits(term.weight)}*{term.name}" for term in terms)


def _digits(weight: float) -> str:
    return f"{weight:.6f}".rstrip("0").rstrip(".")


def mixed_size(count: int, weight: float) -> int:
    """The number of images of a set of `count` in a mixture: at least one, halves rounded up."""
    return max(1, math.floor(count * weight + 0.5))


def check_labels(terms: Sequence[Term], labels: Sequence[tuple[str, ...]], counts: Sequence[int]) -> None:
    """Raise ValueError if the labels do not match, or if there are too many images."""
    first = labels[0]
    for term, known in zip(terms[1:], labels[1:], strict=True):
        extra = [label for label in known if label not in first]
        if extra:
            raise InputError(
                "expected data sets with the labels of {first} in a mixture; {other} also has {labels}",
                first=terms[0].name,
                other=term.name,
                labels=shortened(list(map(repr, extra)), 3),
            )
    total = sum(mixed_size(count, term.weight) for term, count in zip(terms, counts, strict=True))
    if total > MOST_IMAGES:
        raise InputError(
            "expected a mixture of at most {most} training images; got {count}",
            most=f"{MOST_IMAGES:,}",
            count=f"{total:,}",
        )


def mix(terms: Sequence[Term], load: Callable[[Term], tuple[Dataset, float]]) -> Dataset:
    """Load the sets one by one and mix them.

    `load` returns a term's set and the weight still to apply. The images are grouped by their set, and copies of an
    image are adjacent, so that a share of each set can be held out for validation.
    """
    sets: list[Dataset] = []
    chosen: list[NDArray[np.int64]] = []
    for term in terms:
        dataset, weight = load(term)
        sets.append(dataset)
        chosen.append(_choose(term, len(dataset.train), weight))
    check_labels(terms, [dataset.labels for dataset in sets], [len(dataset.train) for dataset in sets])
    first = sets[0]
    number_of = {label: number for number, label in enumerate(first.labels)}
    numbers = [np.array([number_of[label] for label in dataset.labels]) for dataset in sets]
    train = Split(
        np.concatenate([dataset.train.images[rows] for dataset, rows in zip(sets, chosen, strict=True)]),
        np.concatenate([n[d.train.labels[rows]] for n, d, rows in zip(numbers, sets, chosen, strict=True)]),
        np.repeat(np.arange(len(sets), dtype=np.uint8), list(map(len, chosen))),
    )
    tests = {
        dataset.name: Split(dataset.test.images, n[dataset.test.labels])
        for dataset, n in zip(sets[1:], numbers[1:], strict=True)
    }
    name = write_mixture(terms)
    # A version only if the user can change a part.
    versions = [dataset.version for dataset in sets if dataset.version is not None]
    version = hashlib.sha256(" ".join(versions).encode()).hexdigest() if versions else None
    sources = tuple(term.name for term in terms)
    return Dataset(
        name,
        name,
        first.labels,
        train,
        first.test,
        version,
        grouped_by="source",
        groups=sources,
        tests={first.name: first.test, **tests},
    )


def _choose(term: Term, count: int, weight: float) -> NDArray[np.int64]:
    """The sorted indices of a set's images in a mixture: all of them n times, and a share once more."""
    repeats, rest = divmod(mixed_size(count, weight), count)
    times = np.full(count, repeats)
    rng = np.random.default_rng([SEED, zlib.crc32(f"{_digits(term.weight)}*{term.name}".encode())])
    times[rng.permutation(count)[:rest]] += 1
    return np.repeat(np.arange(count), times)
