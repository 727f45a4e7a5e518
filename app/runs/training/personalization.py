"""Personalization: the run that adapts a model to the user's drawings, and the comparison with its parent."""

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
from app.models.evaluation import evaluate_split
from app.nn import LOSSES, CrossEntropy, Network, SquaredError, build, check_loss
from app.runs.config.run_config import RunConfig, parse_config
from app.settings import Settings

RECIPE = "make-it-mine"
EPOCHS, RATE, BATCH, AVERAGED = 4, 0.0005, 64, 2
"""Tuned on drawings of other people than in the tests: more epochs gain nothing, a higher rate forgets."""
LARGE_WORK = 4_000_000
"""Multiplications for one image; a larger network learns from a quarter of the images, to take a similar time."""
SUFFIX = re.compile(r"-mine(-\d+)?$")


class UnpreparedError(MessageError):
    """There is no data set for rehearsal on this machine."""

    code = "unprepared"


def personal_config(
    card: ModelCard, catalog: DatasetCatalog, drawings: DrawingStore, set_name: str = DEFAULT_SET, *, seed: int = 1
) -> RunConfig:
    """The config of a run that personalizes a model with a set of drawings.

    Raises ValueError if the drawings are not suitable, and UnpreparedError.
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
    """Raise ValueError if the model cannot learn the drawings of a config."""
    assert config.personal is not None
    problem = readiness(drawings, config.personal.set, card.labels).problem
    if problem is not None:
        raise InputError("{problem}", field="personal.set", problem=problem)


def all_ready(card: ModelCard, drawings: DrawingStore) -> list[Readiness]:
    """The readiness of each set of the user's drawings for the model."""
    return [readiness(drawings, stored.name, card.labels) for stored in drawings.sets() if stored.count]


def rehearsed(card: ModelCard, catalog: DatasetCatalog) -> DatasetInfo:
    """The data set for the rehearsal of a model, which is available without a download.

    It is the model's training data set; if that is not available the first available part of it, and otherwise, for
    digits, the generated ones. Raises UnpreparedError.
    """
    for name in dict.fromkeys([card.dataset, *_parts(card.dataset), "mnist", "strokes"]):
        try:
            info = catalog.info(name)
            available = info.state == "ready" and catalog.is_drawn(name)
        except (ValueError, DatasetUnavailable):
            continue
        if list(info.labels) == card.labels and (available or name == "strokes"):
            return info
    raise UnpreparedError(
        "the data set of {name}, {dataset}, is not on this machine: without its images the model would forget what "
        "it knows; download it first",
        name=card.name,
        dataset=card.dataset,
    )


def threads_for(config: RunConfig) -> AbstractContextManager[object]:
    """Limit BLAS to one thread for the personalization of a small network.

    In such small products threads mostly wait for each other by spinning: two threads took twice the processor time for
    mnist-mlp without being faster, and with other programs running they took five times as long.
    """
    if config.personal is None or config.build_network().multiplications > LARGE_WORK:
        return nullcontext()
    limits: AbstractContextManager[object] = threadpool_limits(1, "blas")
    return limits


def personal_data(config: RunConfig, dataset: Dataset, drawings: DrawingStore, parent: ModelCard) -> PersonalData:
    """The training data of a config for personalization. Raises DatasetUnavailable."""
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
    """The name of a model personalized from `parent`; the store appends a number if it is taken."""
    return f"{SUFFIX.sub('', parent)[: LONGEST_NAME - len('-mine')]}-mine"


def may_have_trained_on_drawings(card: ModelCard, others: Iterable[ModelCard]) -> bool:
    """True if a model may have learned drawings that are held out now: it or one of its ancestors among `others` was
    trained on drawings.

    An earlier personalization does not count, as the same drawings are held out then (`hold_out`).
    """
    remaining, ancestors = list(others), [card]
    for model in ancestors:  # grows during the loop
        if (model.mine is not None and model.mine.seen) or any(
            name.startswith(PREFIX) for name in _parts(model.dataset)
        ):
            return True
        start = model.config.get("start")
        if isinstance(start, dict):
            parents = [c for c in remaining if start.get("sha256") == c.sha256 or (c.run and start.get("run") == c.run)]
            remaining = [other for other in remaining if other not in parents]
            ancestors += parents
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
    """Compare the parent and the new model on the held-out drawings and on test images.

    `accuracy` is the new model's known accuracy on the data set's test images.
    """
    before, after = parent[0], made[0]
    personal = after.config["personal"]
    tests: list[tuple[Any, str, Split]] = [
        ("drawings", f"{PREFIX}{personal['set']}", Split(data.held_out.images, data.held_out.labels)),
        ("parent", test_of(data.dataset.name), data.dataset.test),
        *(("other", dataset.name, dataset.test) for dataset in others),
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
    return evaluate_split(network, card, split).predictions.accuracy


def other_tests(card: ModelCard, config: RunConfig, settings: Settings) -> list[Dataset]:
    """MNIST, if the model reads digits, MNIST is on this machine, and the run has other test images."""
    if test_of(config.dataset) == "mnist":
        return []
    try:
        mnist = DatasetCatalog.from_settings(settings).load("mnist", download=False)
    except DatasetUnavailable:
        return []
    return [mnist] if list(mnist.labels) == card.labels else []


def _parts(dataset: str) -> list[str]:
    """The names of a mixture's data sets, or the name itself."""
    try:
        return [term.name for term in parse_mixture(dataset)] if is_mixture(dataset) else [dataset]
    except ValueError:  # an imported model's card
        return [dataset]


def test_of(dataset: str) -> str:
    """The name of the data set with a data set's test images."""
    return parse_mixture(dataset)[0].name if is_mixture(dataset) else dataset


def _loss(card: ModelCard, network: Network) -> Any:
    """The loss of the model's training, if its card names a suitable one, or a default."""
    for loss in (card.config.get("loss"), CrossEntropy.type, SquaredError.type):
        try:
            check_loss(network, build("loss", LOSSES, loss))
        except (ValueError, TypeError):  # an imported model's card, or a network that ends in a softmax
            continue
        return loss
    raise InputError("expected a model that can be trained")
