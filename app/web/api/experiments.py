"""Figures of the lessons: what the parts of a network do, computed by the engine when they are asked for."""

from collections.abc import Awaitable, Callable
from functools import lru_cache, partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool

from app.data import Dataset, DatasetCatalog
from app.errors import RequestError
from app.learn.experiments import curves, logic_gates, loss_surfaces, small_trainings
from app.nn.layers.activations import ACTIVATIONS
from app.nn.optimizers import OPTIMIZERS
from app.web.api.datasets import load
from app.web.api.experiments_responses import (
    ActivationCurves,
    Batches,
    DepthChoices,
    LossCurves,
    LossSurfaces,
    OptimizerPath,
    Overfitting,
    Perceptron,
    Signal,
    TrainingImage,
    TwoLayers,
    UnitOutput,
)
from app.web.api.images import encoded
from app.web.api.routing import ApiRoute, errors
from app.web.dependencies import CatalogDep, DatasetsDep, LessonsQueueDep, SmallTrainingsDep

router = APIRouter(prefix="/api/explain", tags=["explain"], route_class=ApiRoute)

_KEPT = 128
"""Answers of each kind that are kept: the figures ask for the same again and again."""

Name = Annotated[str, Query(max_length=64)]
Rate = Annotated[float, Query(gt=0, le=10, allow_inf_nan=False)]
Seed = Annotated[int, Query(ge=0, le=1000)]
Value = Annotated[float, Query(ge=-10, le=10, allow_inf_nan=False)]
Gate = Literal["and", "or", "nand", "xor"]


_activations = lru_cache(1)(curves.activation_curves)
_losses = lru_cache(1)(curves.loss_curves)
_surfaces = lru_cache(1)(loss_surfaces.surfaces)
_signal = lru_cache(_KEPT)(curves.signal)
_path = lru_cache(_KEPT)(loss_surfaces.path)
_perceptron = lru_cache(_KEPT)(logic_gates.perceptron)
_two_layers = lru_cache(32)(logic_gates.two_layers)


@router.get("/activations", response_model=ActivationCurves)
def activations() -> dict[str, Any]:
    """Every activation of the engine and its derivative, from −6 to 6."""
    return _activations()


@router.get("/losses", response_model=LossCurves)
def losses() -> dict[str, Any]:
    """Every loss of the engine and its gradient, by the probability that is given to the right answer."""
    return _losses()


@router.get("/depth/choices", response_model=DepthChoices)
def depth_choices() -> dict[str, Any]:
    """The activations and initializers that `/api/explain/depth` takes."""
    return {**curves.depth_choices(), "depth": curves.DEPTHS, "width": curves.WIDTHS}


@router.get("/depth", response_model=Signal, responses=errors(409, 422, 503))
async def depth(
    queue: LessonsQueueDep,
    activation: Name = "sigmoid",
    initializer: Name = "normal",
    depth: Annotated[int, Query(ge=curves.DEPTHS[0], le=curves.DEPTHS[1])] = 5,
    width: Annotated[int, Query(ge=curves.WIDTHS[0], le=curves.WIDTHS[1])] = 100,
    std: Annotated[float, Query(ge=0.001, le=2, allow_inf_nan=False)] = 1.0,
) -> dict[str, Any]:
    """A signal and a gradient through many layers: a histogram of every layer's output."""
    choices = curves.depth_choices()
    _check("activation", activation, choices["activations"])
    _check("initializer", initializer, choices["initializers"])
    work = partial(_signal, activation, initializer, depth, width, std)
    return await queue.run(("depth", work.args), work)


@router.get("/surfaces", response_model=LossSurfaces)
def surfaces() -> dict[str, Any]:
    """The surfaces on which optimizers can be watched, and learning rates that suit them."""
    return _surfaces()


@router.get("/path", response_model=OptimizerPath, responses=errors(409, 422, 503))
def path(
    surface: Name = "valley",
    optimizer: Name = "sgd",
    learning_rate: Rate | None = None,
    steps: Annotated[int, Query(ge=1, le=loss_surfaces.MOST_STEPS)] = 30,
    x: Value | None = None,
    y: Value | None = None,
) -> dict[str, Any]:
    """The way of an optimizer over a surface, a point a step; from (x, y), or the surface's own start."""
    _check("surface", surface, list(loss_surfaces.SURFACES))
    _check("optimizer", optimizer, list(OPTIMIZERS))
    if (x is None) != (y is None):
        raise RequestError(422, "expected x and y, both or neither; got one", field="x" if x is None else "y")
    function = loss_surfaces.SURFACES[surface]
    rate = loss_surfaces.rate_of(function, optimizer) if learning_rate is None else learning_rate
    return {
        "learning_rate": rate,
        **_path(surface, optimizer, rate, steps, function.start if x is None or y is None else (x, y)),
    }


@router.get("/unit", response_model=UnitOutput, responses=errors(409, 422, 503))
def unit(
    x1: Value = 1.0,
    x2: Value = 0.0,
    w1: Value = 0.5,
    w2: Value = 0.5,
    b: Value = -0.7,
    activation: Name = "step",
) -> dict[str, Any]:
    """One unit with two inputs: the products, their sum with the bias, and what comes out."""
    _check("activation", activation, list(ACTIVATIONS))
    return curves.neuron((x1, x2), (w1, w2), b, activation)


@router.get("/perceptron", response_model=Perceptron, responses=errors(409, 422, 503))
def perceptron(gate: Gate = "and", learning_rate: Rate = 0.1, seed: Seed = 1) -> dict[str, Any]:
    """The training of a perceptron, step by step, until it makes no mistake, or 200 epochs; 25 of xor."""
    return _perceptron(gate, learning_rate, seed)


@router.get("/two-layers", response_model=TwoLayers, responses=errors(409, 422, 503))
async def two_layers(
    queue: LessonsQueueDep,
    gate: Gate = "xor",
    units: Annotated[int, Query(ge=1, le=logic_gates.MOST_UNITS)] = 4,
    activation: Literal["tanh", "sigmoid", "relu"] = "tanh",
    learning_rate: Rate = 0.5,
    seed: Seed = 2,
) -> dict[str, Any]:
    """The training of a network with one hidden layer on the four inputs of a gate, with what it says of the plane."""
    work = partial(_two_layers, gate, units, activation, learning_rate, seed)
    return await queue.run(("two layers", work.args), work)


async def small_training(
    catalog: CatalogDep, datasets: DatasetsDep, small_trainings: SmallTrainingsDep, queue: LessonsQueueDep
) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Dependency: runs a training of a second, one at a time, on the set that is at hand, and keeps its result."""

    async def train(kind: tuple[Any, ...], work: Callable[[Dataset], dict[str, Any]]) -> dict[str, Any]:
        name, ready = await run_in_threadpool(_at_hand, catalog)
        key = (name, *kind)

        def compute() -> dict[str, Any]:
            data: Dataset = load(datasets, name, fetch=not ready)
            return small_trainings.of(key, lambda: work(data))

        found = small_trainings.get(key)
        return await queue.run(("trial", *key), compute) if found is None else found

    return train


SmallTraining = Annotated[Callable[..., Awaitable[dict[str, Any]]], Depends(small_training)]


@router.get("/overfitting", response_model=Overfitting, responses=errors(409, 422, 503))
async def overfitting(
    train: SmallTraining,
    dropout: Literal["0", "0.2", "0.5"] = "0",
    weight_decay: Literal["0", "0.01", "0.1"] = "0",
) -> dict[str, Any]:
    """A training on 300 images, of about a second: how good it becomes on these, and on images that it never saw."""
    rates = float(dropout), float(weight_decay)
    return await train(("overfitting", *rates), lambda data: small_trainings.overfitting(data, *rates))


@router.get("/batches", response_model=Batches, responses=errors(409, 422, 503))
async def batches(train: SmallTraining, batch_size: Literal["1", "10", "100", "all"] = "100") -> dict[str, Any]:
    """Five epochs on 1,000 images with batches of one size, of about a second."""
    size = small_trainings.BATCH_IMAGES if batch_size == "all" else int(batch_size)
    return await train(("batches", size), lambda data: small_trainings.batches(data, size))


@router.get("/image", response_model=TrainingImage, responses=errors(409, 422, 503))
async def image(
    catalog: CatalogDep,
    datasets: DatasetsDep,
    queue: LessonsQueueDep,
    index: Annotated[int, Query(ge=0, le=9999)] = 0,
) -> dict[str, Any]:
    """A training image of the data set that is at hand as the network gets it: numbers from 0, paper, to 1, ink."""
    name, ready = await run_in_threadpool(_at_hand, catalog)
    data: Dataset = await queue.run(("image", name), lambda: load(datasets, name, fetch=not ready))
    place = index % len(data.train)
    return {
        "dataset": data.title,
        "index": place,
        "count": min(len(data.train), 10_000),
        "label": data.labels[int(data.train.labels[place])],
        "pixels": encoded(data.train.images[place]),
        "values": [curves.numbers(row) for row in data.train.images[place] / 255],
    }


def _at_hand(catalog: DatasetCatalog) -> tuple[str, bool]:
    """MNIST where it is on this machine, else strokes, which need no network; and whether that is there already."""
    ready = {info.name for info in catalog.list() if info.state == "ready"}
    name = "mnist" if "mnist" in ready else "strokes"
    return name, name in ready


def _check(field: str, value: str, allowed: list[str]) -> None:
    if value not in allowed:
        raise RequestError(
            422, "expected one of {names}; got {value}", field=field, names=", ".join(allowed), value=repr(value)
        )
