"""What the form of a new training needs: recipes, data sets, every hyperparameter, and what a training comes to."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.data.catalog import get_info, list_datasets
from app.errors import RequestError, message_of
from app.i18n.catalog import Catalog
from app.recipes import load_recipes
from app.runs.config.annotations import REMARKS
from app.runs.config.run_config import RunConfig, parse_config
from app.runs.config.schema import schema
from app.runs.estimate.estimator import speed_key
from app.web.api.request_body import json_body, read_json
from app.web.dependencies import AppState, State
from app.web.preferences import AnswerLanguage

TEXTS = frozenset({"title", "explanation", "summary", "source", "description", "note"})
"""What of a recipe, a data set or a hyperparameter people read."""

router = APIRouter(prefix="/api", tags=["catalog"])


@router.get("/recipes")
async def recipes(state: State, language: AnswerLanguage) -> dict[str, Any]:
    """The named recipes, each with its whole config; `estimate` is how many seconds it takes on this machine, or null
    while that is being tried.
    """
    found = await run_in_threadpool(load_recipes)
    seconds = await recipe_seconds(state, {name: recipe.config for name, recipe in found.items()})
    listed = [{**in_language(asdict(recipe), language), "estimate": seconds[name]} for name, recipe in found.items()]
    return {"recipes": listed}


@router.get("/datasets")
def datasets(state: State, language: AnswerLanguage) -> dict[str, Any]:
    """The data sets, and whether each is at hand."""
    settings = state.settings
    found = list_datasets(data_dir=settings.data_dir, cache_dir=settings.cache_dir, drawings=state.drawings)
    return {"datasets": [in_language(asdict(info), language) for info in found]}


_BODY: dict[str, Any] = json_body(
    {
        "type": "object",
        "description": "as POST /api/runs takes it: a recipe and overrides, or a whole config",
        "properties": {"recipe": {"type": "string"}, "overrides": {"type": "object"}},
    }
)


@router.get("/schema")
def hyperparameters(state: State, language: AnswerLanguage) -> dict[str, Any]:
    """Every hyperparameter of the engine, with its default, its range and a line of what it does."""
    settings = state.settings
    infos = list_datasets(data_dir=settings.data_dir, cache_dir=settings.cache_dir, drawings=state.drawings)
    models = [model.card.name for model in state.store.list() if model.card is not None]
    usual = state.store.default()
    found = schema((info.name for info in infos), sorted(models, key=lambda name: (name != usual, name)))
    return {table: [in_language(one, language) for one in entries] for table, entries in found.items()}


@router.post("/estimate", openapi_extra=_BODY)
async def estimate(request: Request, state: State) -> dict[str, Any]:
    """What a training comes to: parameters, layers, batches, and how long it takes on this machine.

    The config is checked as `POST /api/runs` does; where it is refused, `field` says of what a form should complain.
    """
    data = await read_json(request)
    config = await run_in_threadpool(_checked, state, data)
    key = speed_key(config.model_dump(mode="json"))
    speed = await state.job_queue.run(("speed", key), lambda: state.estimator.speed(config))
    return await run_in_threadpool(_answer, state, config, speed)


def in_language(entry: dict[str, Any], language: Catalog) -> dict[str, Any]:
    """A line of a table, and the lines of its fields, with the texts for people in a language."""
    texts = {key: language.translate(value) for key, value in entry.items() if key in TEXTS and value}
    fields = {"fields": [in_language(field, language) for field in entry["fields"]]} if "fields" in entry else {}
    return {**entry, **texts, **fields}


async def recipe_seconds(state: AppState, configs: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    """How long recipes take on this machine; None where that is still to be tried, which is then begun."""
    parsed = {name: parse_config(config) for name, config in configs.items()}
    speeds = await run_in_threadpool(state.estimator.known, list(parsed.values()))
    found: dict[str, float | None] = {}
    for (name, config), speed in zip(parsed.items(), speeds, strict=True):
        if speed is None:
            _try_later(state, config)
            found[name] = None
        else:
            found[name] = (await run_in_threadpool(_answer, state, config, speed))["seconds"]
    return found


def _try_later(state: AppState, config: RunConfig) -> None:
    key = speed_key(config.model_dump(mode="json"))
    state.job_queue.submit_idle(("speed", key), lambda: state.estimator.speed(config))


def _checked(state: AppState, data: Any) -> RunConfig:
    asked = {key: value for key, value in data.items() if key not in REMARKS} if isinstance(data, dict) else data
    try:
        return state.run_service.check(state.run_service.config_of(asked))
    except ValueError as error:
        raise RequestError(422, message_of(error)) from None


def _answer(state: AppState, config: RunConfig, speed: Any) -> dict[str, Any]:
    settings = state.settings
    info = get_info(config.dataset, data_dir=settings.data_dir, cache_dir=settings.cache_dir, drawings=state.drawings)
    return {
        **state.estimator.estimate(config, train=info.train, test=info.test, speed=speed),
        "labels": list(info.labels),
        "dataset_state": info.state,
        "config": config.model_dump(mode="json"),
    }
