"""`digitpad recipes`: what can be trained."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.completion import complete_recipe
from app.cli.context import asked
from app.cli.output import percent, print_facts, print_json, print_table, say

recipes = typer.Typer(help="The recipes: list, show.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@recipes.command("list")
def list_recipes(as_json: AsJson = False) -> None:
    """List the recipes that `digitpad train` knows."""
    from app.recipes import load_recipes

    found = load_recipes().values()
    if as_json:
        print_json({"recipes": [asdict(one) for one in found]})
        return
    print_table(
        ("RECIPE", "TITLE", "DATA", ">EPOCHS", ">EXPECTED"),
        (
            (one.name, one.title, one.config["dataset"], one.config["epochs"], percent(one.expected_accuracy, 1))
            for one in found
        ),
    )


@recipes.command()
def show(
    recipe: Annotated[str, typer.Argument(help="the recipe's name", autocompletion=complete_recipe)],
    as_json: AsJson = False,
) -> None:
    """Show a recipe and its config, whose paths `digitpad train --set` takes."""
    from app.recipes import get_recipe

    with asked():
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
            for place, layer in enumerate(value["layers"]):
                say(f"network.layers.{place} = {json.dumps(layer)}")
        elif isinstance(value, dict):
            for inner, one in value.items():
                say(f"{key}.{inner} = {json.dumps(one)}")
        else:
            say(f"{key} = {json.dumps(value)}")
