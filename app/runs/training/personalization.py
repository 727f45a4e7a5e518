"""Making a model one's own: the run that does it, and the table that says what came of it."""

import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from threadpoolctl import threadpool_limits

from app.data import Dataset, DatasetCatalog, DatasetInfo, DatasetUnavailable, Split
from app.data.drawings.drawing import DEFAULT_SET
from app.data.drawings.store import DrawingStore
from app.data.personalization import VALIDATION, PersonalData, Readiness, load_personal, readiness
from app.data.sources.drawings import PREFIX
from app.data.sources.mixture import is_mixture, parse_mixture
from app.errors import InputError, MessageError
from app.models import ModelCard
from app.models.card import LONGEST_NAME, Comparison, Personalization
from app.models.evaluation import read
from app.nn import LOSSES, CrossEntropy, Network, SquaredError, build, check_loss
from app.runs.config.run_config import RunConfig, parse_config
from app.settings import Settings

RECIPE = "make-it-mine"
EPOCHS, RATE, BATCH, AVERAGED = 4, 0.0005, 64, 2
"""Found on drawings of other hands than those that the tests use: more epochs gain nothing, a higher rate forgets."""
LARGE_WORK = 4_000_000
"""Multiplications for one image: a network with more learns from a quarter of the images, to be as quick."""
SUFFIX = re.compile(r"-mine(-\d+)?$")


class UnpreparedError(MessageError):
    """There is no data set on this machine that the model can be kept from forgetting with."""

    code = "unprepared"


def personal_config(
    card: ModelCard, catalog: DatasetCatalog, drawings: DrawingStore, set_name: str = DEFAULT_SET, *, seed: int = 1
) -> RunConfig:
    """The config of the run that makes a model one's own with a set of drawings.

    Raises ValueError where the drawings do not do, in words, and UnpreparedError.
    """
    ready = readiness(drawings, set_name, card.labels)
    if ready.problem is not None:
        raise InputError("{problem}", field="set", problem=ready.problem)
    dataset = rehearsed(card, catalog)
    network = {key: value for key, value in card.network.items() if key != "input_shape"}
    built = Network.from_spec(network, input_shape=tuple(card.network["input_shape"]), dtype=card.dtype)
    part = 4 if built.multiplications > LARGE_WORK else 1
    return parse_config(
        {
            "recipe": RECIPE,
            "dataset": dataset.name,
            "validation": VALIDATION,
            "input_scale": card.input_scale,
            "network": network,
            "dtype": card.dtype,
            "loss": _loss(card, built),
            "optimizer": {"type": "adam", "learning_rate": RATE},
            "schedule": {"type": "cosine"},
            "epochs": EPOCHS,
            "batch_size": BATCH,
            "averaging": AVERAGED,
            "seed": seed,
            "start": {"model": card.name, "sha256": card.sha256},
            "personal": {"set": set_name, "images": 2000 // part, "rehearsal": 6000 // part},
        }
    )


def check_personal(config: RunConfig, card: ModelCard, drawings: DrawingStore) -> None:
    """Raise ValueError where the drawings of a config are not such that its model can learn them."""
    assert config.personal is not None
    problem = readiness(drawings, config.personal.set, card.labels).problem
    if problem is not None:
        raise InputError("{problem}", field="personal.set", problem=problem)


def all_ready(card: ModelCard, drawings: DrawingStore) -> list[Readiness]:
    """Each set of the user's drawings, by name, and whether the model can learn it."""
    return [readiness(drawings, one.name, card.labels) for one in drawings.sets() if one.count]


def rehearsed(card: ModelCard, catalog: DatasetCatalog) -> DatasetInfo:
    """The data set that the model is kept from forgetting with, which needs no download and no drawing.

    That which it was trained on; where it is not on this machine the first of its parts that is, and else, for digits,
    those that digitpad draws. Raises UnpreparedError.
    """
    for name in dict.fromkeys([card.dataset, *_parts(card.dataset), "mnist", "strokes"]):
        try:
            info = catalog.info(name)
            there = info.state == "ready" and catalog.is_drawn(name)
        except (ValueError, DatasetUnavailable):
            continue
        if list(info.labels) == card.labels and (there or name == "strokes"):
            return info
    raise UnpreparedError(
        "the data set of {name}, {dataset}, is not on this machine: without its images the model would forget what "
        "it knows; download it first",
        name=card.name,
        dataset=card.dataset,
    )


def threads_for(config: RunConfig) -> AbstractContextManager[object]:
    """One thread for the products of a small network that is made somebody's own, and for others what there is.

    Of such small products threads wait for one another most of the time, and wait at work: with two of them the run of
    mnist-mlp took twice the processor's time and was no sooner done; beside other programs it took five times as much.
    """
    if config.personal is None or config.build_network().multiplications > LARGE_WORK:
        return nullcontext()
    limits: AbstractContextManager[object] = threadpool_limits(1, "blas")
    return limits


def personal_data(config: RunConfig, dataset: Dataset, drawings: DrawingStore, parent: ModelCard) -> PersonalData:
    """What the run of such a config learns from. Raises DatasetUnavailable."""
    assert config.personal is not None
    set_aside = parent.config.get("validation")
    return load_personal(
        drawings,
        config.personal.set,
        dataset,
        images=config.personal.images,
        rehearsal=config.personal.rehearsal,
        set_aside=set_aside if isinstance(set_aside, float) and 0 < set_aside < 1 else 0.0,
    )


def personal_name(parent: str) -> str:
    """The name of the model that is made of `parent`; the store puts a number behind it where it is taken."""
    return f"{SUFFIX.sub('', parent)[: LONGEST_NAME - len('-mine')]}-mine"


def may_have_trained_on_drawings(card: ModelCard, others: Iterable[ModelCard]) -> bool:
    """Whether a model may have learned from drawings that are held out now: drawings were among what it was trained on,
    or what it began from was, as far as that is among `others`.

    What it was made somebody's own with does not count: of that, what is held out stays so (`hold_out`).
    """
    left, known = list(others), [card]
    for one in known:  # which grows meanwhile
        if (one.mine is not None and one.mine.seen) or any(name.startswith(PREFIX) for name in _parts(one.dataset)):
            return True
        start = one.config.get("start")
        if isinstance(start, dict):
            begun = [c for c in left if start.get("sha256") == c.sha256 or (c.run and start.get("run") == c.run)]
            left = [other for other in left if other not in begun]
            known += begun
    return False


def compare(
    parent: tuple[ModelCard, Network],
    made: tuple[ModelCard, Network],
    data: PersonalData,
    others: Sequence[Dataset],
    *,
    seen: bool,
    accuracy: float,
) -> Personalization:
    """What the parent reads of the drawings that were held out and of test images, and what the new model does.

    `accuracy` is the new model's on the test images of the data set, which it has read already.
    """
    before, after = parent[0], made[0]
    personal = after.config["personal"]
    tests: list[tuple[Any, str, Split]] = [
        ("drawings", f"{PREFIX}{personal['set']}", Split(data.held_out.images, data.held_out.labels)),
        ("parent", test_of(data.dataset.name), data.dataset.test),
        *(("other", one.name, one.test) for one in others),
    ]
    rows = []
    for of, name, split in tests:
        if len(split):
            share = accuracy if of == "parent" else _accuracy(made, split)
            rows.append(Comparison(of=of, data=name, count=len(split), before=_accuracy(parent, split), after=share))
    return Personalization(
        parent=before.name,
        parent_sha256=before.sha256,
        set=personal["set"],
        drawings=data.learned + len(data.held_out),
        learned=data.learned,
        held_out=len(data.held_out),
        seen=seen,
        compared=rows,
    )


def _accuracy(model: tuple[ModelCard, Network], split: Split) -> float:
    card, network = model
    return read(network, card, split).predictions.accuracy


def other_tests(card: ModelCard, config: RunConfig, settings: Settings) -> list[Dataset]:
    """MNIST, where the model reads digits, MNIST is on this machine, and its test images are not the run's own."""
    if test_of(config.dataset) == "mnist":
        return []
    try:
        mnist = DatasetCatalog.from_settings(settings).load("mnist", download=False)
    except DatasetUnavailable:
        return []
    return [mnist] if list(mnist.labels) == card.labels else []


def _parts(dataset: str) -> list[str]:
    """The names of the data sets that one is mixed from, or its own."""
    try:
        return [term.name for term in parse_mixture(dataset)] if is_mixture(dataset) else [dataset]
    except ValueError:  # the card of a model from elsewhere: its data set is not one of ours
        return [dataset]


def test_of(dataset: str) -> str:
    """The name of the data set whose test images a data set has."""
    return parse_mixture(dataset)[0].name if is_mixture(dataset) else dataset


def _loss(card: ModelCard, network: Network) -> Any:
    """The loss that the model was trained by, where its card names one that fits."""
    told = card.config.get("loss")
    for loss in (told, CrossEntropy.type, SquaredError.type):
        try:
            check_loss(network, build("loss", LOSSES, loss))
        except (ValueError, TypeError):  # the card of a model from elsewhere, or a network that ends in a softmax
            continue
        return loss
    raise InputError("expected a model that can be trained")
