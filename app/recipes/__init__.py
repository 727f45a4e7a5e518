"""Named recipes: one TOML file each in this folder.

A recipe has `title`, `summary`, `source`, `expected_accuracy` (on MNIST's test set), `group` (of GROUPS, by default the
first), `order` (its position in lists) and `[config]`, a run's config.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import InputError, message_of

GROUPS = ("learn", "tutorials", "best")
"""To begin with and to learn from; those of well-known tutorials; and the most accurate ones."""

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Recipe:
    name: str
    title: str
    summary: str
    source: str
    expected_accuracy: float
    order: int
    config: dict[str, Any]
    group: str = GROUPS[0]
    source_url: str | None = None


def load_recipes() -> dict[str, Recipe]:
    """All recipes by name, in order. Raises ValueError for an invalid file."""
    recipes = []
    for path in _FOLDER.glob("*.toml"):
        try:
            fields = tomllib.loads(path.read_text(encoding="utf-8"))
            if "config" not in fields:
                raise InputError("expected a table [config]")
            fields["config"] = {"recipe": path.stem, **fields["config"]}
            if fields.get("group", GROUPS[0]) not in GROUPS:
                raise InputError("expected a group of {names}", names=", ".join(GROUPS))
            recipes.append(Recipe(name=path.stem, **fields))
        except (tomllib.TOMLDecodeError, TypeError, InputError) as error:
            raise InputError("recipe {name}: {reason}", name=path.name, reason=message_of(error)) from error
    return {recipe.name: recipe for recipe in sorted(recipes, key=lambda recipe: recipe.order)}


def get_recipe(name: str) -> Recipe:
    """The recipe with this name; raises ValueError with the known ones."""
    recipes = load_recipes()
    if name not in recipes:
        raise InputError(
            "expected one of {names}; got {value}", field="recipe", names=", ".join(recipes), value=repr(name[:80])
        )
    return recipes[name]
