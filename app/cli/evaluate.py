"""`digitpad evaluate`: the evaluation of a stored model on a data set."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from app.cli.completion import complete_data, complete_model
from app.cli.context import load_data, open_drawings, open_store, read_settings, reporting_errors
from app.cli.output import console, number, percent, print_facts, print_json, print_table, say

WIDEST_CONFUSION = 12
"""The most labels for which the confusion matrix is printed."""


class Part(StrEnum):
    """A part of a data set."""

    TRAIN = "train"
    TEST = "test"


def evaluate(
    model: Annotated[str, typer.Argument(help="the model's name", autocompletion=complete_model)],
    data: Annotated[
        str | None,
        typer.Option("--data", help="the data set (default: what it was trained on)", autocompletion=complete_data),
    ] = None,
    part: Annotated[Part, typer.Option(help="which part of it")] = Part.TEST,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Accuracy, loss, precision and recall by label, calibration, and what is taken for what."""
    from app.data.drawings.rendered import DrawingRenderer
    from app.models.evaluation import Evaluator
    from app.models.evaluation_cache import EvaluationCache

    settings = read_settings()
    store = open_store(settings)
    with reporting_errors():
        dataset = load_data(settings, data or store.get(model).dataset)
        evaluator = Evaluator(store, DrawingRenderer(open_drawings(settings)), EvaluationCache(settings.cache_dir))
        found, _ = evaluator.evaluate(model, dataset, part.value)
    if as_json:
        print_json(found)
        return
    print_facts(
        [
            ("model", found["model"]),
            ("data", f"{dataset.title}, {part}, {found['count']:,} images"),
            ("accuracy", percent(found["accuracy"])),
            ("loss", number(found["loss"])),
            ("calibration error", percent(found["calibration"].get("ece"))),
            ("your drawings", _yours(found["yours"])),
        ]
    )
    say()
    print_table(("LABEL", ">PRECISION", ">RECALL", ">IMAGES"), _by_label(found))
    if console().is_terminal and len(found["labels"]) <= WIDEST_CONFUSION:
        say("\nRows: what they are. Columns: what is said.")
        print_table(
            ("", *(f">{label}" for label in found["labels"])),
            ([label, *row] for label, row in zip(found["labels"], found["confusion"], strict=True)),
        )


def _by_label(found: dict[str, Any]) -> list[list[object]]:
    columns = found["labels"], found["precision"], found["recall"], found["confusion"]
    return [[label, percent(p), percent(r), sum(row)] for label, p, r, row in zip(*columns, strict=True)]


def _yours(yours: dict[str, Any] | None) -> str | None:
    return None if yours is None else f"{percent(yours['accuracy'])} of {yours['count']}"
