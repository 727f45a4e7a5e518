"""`digitpad recipes`: the recipes."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.completion import complete_recipe
from app.cli.context import reporting_errors
from app.cli.output import percent, print_facts, print_json, print_table, say

recipes = typer.Typer(help="The recipes: list, show.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@recipes.command("list")
def list_recipes(as_json: AsJson = False) -> None:
    """List the recipes that `digitpad train` knows."""
    from app.recipes import load_recipes

    found = load_recipes().values()
    if as_json:
        print_json({"recipes": [asdict(recipe) for recipe in found]})
        return
    print_table(
        ("RECIPE", "TITLE", "DATA", ">EPOCHS", ">EXPECTED"),
        (
            (row.name, row.title, row.config["dataset"], row.config["epochs"], percent(row.expected_accuracy, 1))
            for row in found
        ),
    )


@recipes.command()
def show(
    recipe: Annotated[str, typer.Argument(help="the recipe's name", autocompletion=complete_recipe)],
    as_json: AsJson = False,
) -> None:
    """Show a recipe and its config, whose paths `digitpad train --set` takes."""
    from app.recipes import get_recipe

    with reporting_errors():
        found = get_recipe(recipe)
    if as_json:
        print_json(asdict(found))
        return
    print_facts(
        [
            ("recipe", found.name),
            ("title", found.title),
            ("summary", found.summary),
            ("source", found.source),
            ("link", found.source_url),
            ("expected", f"{percent(found.expected_accuracy, 1)} of MNIST's test images"),
        ]
    )
    say()
    for key, value in found.config.items():
        if key == "network":
            for index, layer in enumerate(value["layers"]):
                say(f"network.layers.{index} = {json.dumps(layer)}")
        elif isinstance(value, dict):
            for field, item in value.items():
                say(f"{key}.{field} = {json.dumps(item)}")
        else:
            say(f"{key} = {json.dumps(value)}")
