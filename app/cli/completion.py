"""Shell completion of the names of recipes, models, runs and data sets.

It creates no files, such as a database, and prints nothing, as that would appear in the line being typed.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.cli.context import open_log, open_store, read_settings
from app.cli.output import CommandError

NEWEST_RUNS = 50
SQLITE = "sqlite:///"


def complete_recipe(incomplete: str) -> Iterator[tuple[str, str]]:
    """Recipes, with their titles."""
    from app.recipes import load_recipes

    return ((name, recipe.title) for name, recipe in load_recipes().items() if name.startswith(incomplete))


def complete_model(incomplete: str) -> Iterator[str]:
    """Models of the store."""
    with suppress(CommandError, OSError):
        yield from (model.name for model in open_store(read_settings()).list() if model.name.startswith(incomplete))


def complete_run(incomplete: str) -> Iterator[tuple[str, str]]:
    """The newest runs, with their states and recipes."""
    from sqlalchemy.exc import SQLAlchemyError

    with suppress(CommandError, OSError, SQLAlchemyError):
        settings = read_settings()
        url = settings.log_url
        if url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE).partition("?")[0]).is_file():
            return
        with open_log(settings) as log:
            for run in log.list_runs(limit=NEWEST_RUNS):
                if str(run["id"]).startswith(incomplete):
                    yield str(run["id"]), f"{run['state']} {run['config']['recipe']}"


def complete_data(incomplete: str) -> Iterator[tuple[str, str]]:
    """Data sets of the catalogue, with their titles."""
    from app.data import DatasetCatalog

    with suppress(CommandError, OSError):
        settings = read_settings()
        known = DatasetCatalog.from_settings(settings).list()
        yield from ((info.name, info.title) for info in known if info.name.startswith(incomplete))
