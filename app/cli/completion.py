"""What a shell offers for the names of recipes, models, runs and data sets.

It makes nothing: where there is no database yet, there are no runs to offer. It says nothing either, as what it printed
would stand in the middle of the line that is being typed.
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

    return ((name, one.title) for name, one in load_recipes().items() if name.startswith(incomplete))


def complete_model(incomplete: str) -> Iterator[str]:
    """Models of the store."""
    with suppress(CommandError, OSError):
        yield from (one.name for one in open_store(read_settings()).list() if one.name.startswith(incomplete))


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
        yield from ((one.name, one.title) for one in known if one.name.startswith(incomplete))
