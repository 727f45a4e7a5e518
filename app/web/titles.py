"""What people call the recipes and the data sets, for pages that name some of them without listing all."""

from collections.abc import Mapping
from functools import cache

from app.data.catalog import dataset_titles
from app.recipes import load_recipes
from app.runs.training.personalization import RECIPE as PERSONAL

PERSONAL_TITLE = "Make it mine"


@cache
def titles() -> Mapping[str, Mapping[str, str]]:
    """By name, the English titles of the `recipes` and of the `datasets` that digitpad knows. The recipe of "Make it
    mine" is no file: it is made for each model.
    """
    recipes = {name: recipe.title for name, recipe in load_recipes().items()}
    return {"recipes": {**recipes, PERSONAL: PERSONAL_TITLE}, "datasets": dataset_titles()}
