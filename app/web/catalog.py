"""What can be trained on what."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from app.data import list_datasets
from app.recipes import load_recipes
from app.web.schema import recipe_seconds
from app.web.state import State

router = APIRouter(prefix="/api", tags=["catalog"])


@router.get("/recipes")
async def recipes(state: State) -> dict[str, Any]:
    """The named recipes, each with its whole config; `estimate` is how many seconds it takes on this machine, or null
    while that is being tried.
    """
    found = await run_in_threadpool(load_recipes)
    seconds = await recipe_seconds(state, {name: recipe.config for name, recipe in found.items()})
    return {"recipes": [{**asdict(recipe), "estimate": seconds[name]} for name, recipe in found.items()]}


@router.get("/datasets")
def datasets(state: State) -> dict[str, Any]:
    """The data sets, and whether each is at hand."""
    settings = state.settings
    found = list_datasets(data_dir=settings.data_dir, cache_dir=settings.cache_dir, drawings=state.drawings)
    return {"datasets": [asdict(info) for info in found]}
