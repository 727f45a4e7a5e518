"""What can be trained on what."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from app.data import list_datasets
from app.recipes import load_recipes
from app.web.state import State

router = APIRouter(prefix="/api", tags=["catalog"])


@router.get("/recipes")
def recipes() -> dict[str, Any]:
    """The named recipes, each with its whole config."""
    return {"recipes": [asdict(recipe) for recipe in load_recipes().values()]}


@router.get("/datasets")
def datasets(state: State) -> dict[str, Any]:
    """The data sets, and whether each is at hand."""
    settings = state.settings
    found = list_datasets(data_dir=settings.data_dir, cache_dir=settings.cache_dir)
    return {"datasets": [asdict(info) for info in found]}
