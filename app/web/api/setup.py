"""The form of a new training: recipes, data sets, every hyperparameter, and an estimate of the work."""

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from app.data import DatasetCatalog, DatasetInfo
from app.errors import RequestError, message_of
from app.i18n.catalog import Catalog
from app.recipes import load_recipes
from app.runs.config.annotations import REMARKS
from app.runs.config.run_config import RunConfig, parse_config
from app.runs.config.schema import schema
from app.runs.estimate.estimator import Estimator, speed_key
from app.web.api.datasets import LONGEST_NAME
from app.web.api.routing import ApiRoute, ResponseBody, errors
from app.web.departures import RequestJobs
from app.web.dependencies import CatalogDep, EstimatorDep, JobQueueDep, RunServiceDep, StoreDep
from app.web.preferences import AnswerLanguage

TEXTS = frozenset({"title", "explanation", "summary", "source", "description", "note"})
"""The fields of recipes, data sets and hyperparameters that are texts for people."""

router = APIRouter(prefix="/api", tags=["catalog"], route_class=ApiRoute)


class RecipeEntry(ResponseBody):
    """A recipe; `estimate` is its seconds on this machine, or null while that is being tried."""

    name: str
    title: str
    summary: str
    source: str
    source_url: str | None
    expected_accuracy: float
    group: str
    order: int
    config: dict[str, Any]
    estimate: float | None


class RecipeList(ResponseBody):
    """The named recipes, in their order."""

    recipes: list[RecipeEntry]


class DatasetList(ResponseBody):
    """The data sets, and whether each is at hand."""

    datasets: list[DatasetInfo]


class FieldEntry(ResponseBody):
    """A hyperparameter: see app/runs/config/field.py for its types and its range."""

    name: str
    type: str
    title: str
    explanation: str
    default: Any
    required: bool
    nullable: bool
    minimum: float | None
    maximum: float | None
    above: float | None
    below: float | None
    choices: list[str] | None
    of: str | None


class FieldGroup(ResponseBody):
    """Fields of a config that belong together."""

    name: str
    title: str
    fields: list[FieldEntry]


class ComponentEntry(ResponseBody):
    """A kind of layer, optimizer, schedule, loss or initializer."""

    type: str
    title: str
    explanation: str
    fields: list[FieldEntry]


class MetricEntry(ResponseBody):
    """A number that a training measures; see app/runs/config/metrics.py."""

    name: str
    title: str
    unit: str
    better: Literal["lower", "higher"] | None
    chart: str | None
    line: str | None
    tracked: str | None
    path: list[str]
    optional: bool


class StepEntry(ResponseBody):
    """A step of the preprocessing."""

    name: str
    title: str
    explanation: str


class Schema(ResponseBody):
    """Every hyperparameter of the engine with its default and its range, and what is measured."""

    groups: list[FieldGroup]
    layers: list[ComponentEntry]
    optimizers: list[ComponentEntry]
    schedules: list[ComponentEntry]
    losses: list[ComponentEntry]
    initializers: list[ComponentEntry]
    augmentation: list[FieldEntry]
    distillation: list[FieldEntry]
    metrics: list[MetricEntry]
    steps: list[StepEntry]
    sweep: list[FieldEntry]


class LayerEntry(ResponseBody):
    """A layer of a network: the shape of its output, and its parameters."""

    type: str
    shape: list[int]
    parameters: int


class Estimate(ResponseBody):
    """The size of a training and its `seconds` on this machine, null where that would take too long to find out."""

    parameters: int
    layers: list[LayerEntry]
    samples: int
    validation_samples: int
    batches: int
    seconds: float | None
    samples_per_second: float | None
    measured_on: str | None
    labels: list[str]
    dataset_state: str
    config: dict[str, Any]


@router.get("/recipes", response_model=RecipeList)
async def recipes(
    catalog: CatalogDep, estimator: EstimatorDep, queue: JobQueueDep, language: AnswerLanguage
) -> dict[str, Any]:
    """The named recipes, each with its whole config."""
    found = await run_in_threadpool(load_recipes)
    configs = {name: parse_config(recipe.config) for name, recipe in found.items()}
    seconds = await _recipe_seconds(catalog, estimator, queue, configs)
    listed = [{**in_language(asdict(recipe), language), "estimate": seconds[name]} for name, recipe in found.items()]
    return {"recipes": listed}


@router.get("/datasets", response_model=DatasetList, responses=errors(404, 409, 422))
def datasets(
    catalog: CatalogDep, language: AnswerLanguage, name: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None
) -> dict[str, Any]:
    """The data sets, and whether each is at hand; with `name` that set alone, also one that must be read for it."""
    try:
        found = catalog.list() if name is None else [catalog.info(name)]
    except ValueError as error:
        raise RequestError(404, message_of(error)) from None
    return {"datasets": [in_language(asdict(info), language) for info in found]}


@router.get("/schema", response_model=Schema)
def hyperparameters(catalog: CatalogDep, store: StoreDep, language: AnswerLanguage) -> dict[str, Any]:
    """Every hyperparameter of the engine, with its default, its range and a line of what it does."""
    models = [model.card.name for model in store.list() if model.card is not None]
    default = store.default()
    found = schema((info.name for info in catalog.list()), sorted(models, key=lambda name: (name != default, name)))
    return {table: [in_language(one, language) for one in entries] for table, entries in found.items()}


@router.post("/estimate", response_model=Estimate, responses=errors(404, 409, 422))
async def estimate(
    body: dict[str, Any], runs: RunServiceDep, catalog: CatalogDep, estimator: EstimatorDep, queue: JobQueueDep
) -> dict[str, Any]:
    """Estimate a training, given as POST /api/runs takes it: parameters, layers, batches, and its time here.

    The config is checked as `POST /api/runs` does; where it is refused, `field` says of what a form should complain.
    """
    asked = {key: value for key, value in body.items() if key not in REMARKS}
    config = await run_in_threadpool(lambda: runs.check(runs.config_of(asked)))
    speed = await queue.run(_speed_job(config), lambda: estimator.speed(config))
    return await run_in_threadpool(_estimate, catalog, estimator, config, speed)


def in_language(entry: dict[str, Any], language: Catalog) -> dict[str, Any]:
    """Return a line of a table, and the lines of its fields, with the texts for people in a language."""
    texts = {key: language.translate(value) for key, value in entry.items() if key in TEXTS and value}
    fields = {"fields": [in_language(field, language) for field in entry["fields"]]} if "fields" in entry else {}
    return {**entry, **texts, **fields}


async def _recipe_seconds(
    catalog: DatasetCatalog, estimator: Estimator, queue: RequestJobs, configs: dict[str, RunConfig]
) -> dict[str, float | None]:
    """Return how long recipes take on this machine; None where that is still to be tried, which is then begun."""
    speeds = await run_in_threadpool(estimator.known, list(configs.values()))
    found: dict[str, float | None] = {}
    for (name, config), speed in zip(configs.items(), speeds, strict=True):
        if speed is None:
            queue.submit_idle(_speed_job(config), partial(estimator.speed, config))
            found[name] = None
        else:
            found[name] = (await run_in_threadpool(_estimate, catalog, estimator, config, speed))["seconds"]
    return found


def _speed_job(config: RunConfig) -> tuple[str, str]:
    """Return the key of the job that measures the speed of trainings like this."""
    return "speed", speed_key(config.model_dump(mode="json"))


def _estimate(catalog: DatasetCatalog, estimator: Estimator, config: RunConfig, speed: Any) -> dict[str, Any]:
    info = catalog.info(config.dataset)
    return {
        **estimator.estimate(config, train=info.train, test=info.test, speed=speed),
        "labels": list(info.labels),
        "dataset_state": info.state,
        "config": config.model_dump(mode="json"),
    }
