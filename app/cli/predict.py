"""`digitpad predict`: predictions for pictures."""

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.completion import complete_model
from app.cli.context import named_file, open_store, read_settings, reporting_errors
from app.cli.output import Code, CommandError, clean, percent, print_json, print_note, say

if TYPE_CHECKING:
    from app.data import PreparedDrawing
    from app.models import Predictor

SUFFIXES = (".png", ".jpg", ".jpeg")
MOST_BYTES = 64 * 2**20
"""The most bytes of a picture's file."""
TOGETHER = 32
"""Pictures per batch."""
STDIN = "-"
COLUMNS = ("file", "label", "probability", "is_digit", "score", "reading")


class AnswerFormat(StrEnum):
    """The output formats."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def predict(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="pictures, folders of pictures, or - for stdin")],
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="the model (default: the default)", autocompletion=complete_model),
    ] = None,
    format_: Annotated[
        AnswerFormat, typer.Option("--format", "-f", help="how answers are written")
    ] = AnswerFormat.TEXT,
) -> None:
    """Read PNG and JPEG pictures. One that cannot be read is named on standard error, and the others are read."""
    from app.models import Predictors

    with reporting_errors():
        predictor = Predictors(open_store(read_settings())).get(model)
    problems = _Problems()
    answers = _batches(predictor, _drawings(_files(files, problems), problems))
    if format_ == AnswerFormat.JSON:
        with reporting_errors():
            print_json(list(answers))
    else:
        if format_ == AnswerFormat.CSV:
            say(_csv(COLUMNS))
        with reporting_errors():
            for answer in answers:
                say(_csv(_row(answer)) if format_ == AnswerFormat.CSV else _text(answer))
                sys.stdout.flush()
    if problems.count:
        raise CommandError("{count} could not be read", count=problems.count, exit_code=Code.FAILED)


class _Problems:
    """Counts unreadable files, and reports each immediately."""

    def __init__(self) -> None:
        self.count = 0

    def report(self, name: str, reason: str) -> None:
        self.count += 1
        print_note(f"{name}: {reason}")


def _files(names: Iterable[str], problems: _Problems) -> Iterator[tuple[str, bytes]]:
    """The name and the content of each named picture, and of each picture in named folders."""
    for name in names:
        if name == STDIN:
            yield name, sys.stdin.buffer.read(MOST_BYTES + 1)
            continue
        path = named_file(name)
        paths = [path]
        try:
            if path.is_dir():
                paths = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        except OSError as error:  # a name that is too long
            problems.report(name, error.strerror or type(error).__name__)
            continue
        if not paths:
            problems.report(name, "a folder without a PNG or JPEG")
        for path in paths:
            try:
                with path.open("rb") as file:
                    data = file.read(MOST_BYTES + 1)
            except OSError as error:
                problems.report(str(path), error.strerror or type(error).__name__)
                continue
            yield str(path), data


def _drawings(pictures: Iterable[tuple[str, bytes]], problems: _Problems) -> Iterator[tuple[str, "PreparedDrawing"]]:
    from app.data import drawing_from_image

    for name, data in pictures:
        if len(data) > MOST_BYTES:
            problems.report(name, f"expected at most {MOST_BYTES >> 20} MB; got more")
            continue
        try:
            yield name, drawing_from_image(data)
        except ValueError as error:
            problems.report(name, str(error))


def _batches(predictor: "Predictor", drawings: Iterable[tuple[str, "PreparedDrawing"]]) -> Iterator[dict[str, Any]]:
    """The answers for all drawings, batch by batch."""
    iterator = iter(drawings)
    while batch := list(islice(iterator, TOGETHER)):
        yield from _answers(predictor, batch)


def _answers(predictor: "Predictor", named: Sequence[tuple[str, "PreparedDrawing"]]) -> Iterator[dict[str, Any]]:
    from app.models.responses import predict_drawings, to_response

    wholes, parts = predict_drawings(predictor, [drawing for _, drawing in named])
    for (name, drawing), whole, digits in zip(named, wholes, parts, strict=True):
        yield {"file": name, **to_response(drawing, whole, digits, model=predictor.card.name, with_input=False)}


def _text(answer: dict[str, Any]) -> str:
    name = clean(answer["file"])
    if answer["blank"]:
        return f"{name}: blank"
    if "reading" in answer:
        return f"{name}: {clean(answer['reading'])} ({len(answer['digits'])} side by side)"
    probability = percent(answer["probabilities"][answer["label"]], 1)
    doubt = "" if answer["is_digit"] else ", but it does not look like what the model knows"
    return f"{name}: {clean(answer['label'])} ({probability}{doubt})"


def _row(answer: dict[str, Any]) -> list[object]:
    label = answer["label"]
    probability = "" if label is None else f"{answer['probabilities'][label]:.6f}"
    score = "" if answer["score"] is None else f"{answer['score']:.6f}"
    is_digit = "true" if answer["is_digit"] else "false"
    return [answer["file"], "" if label is None else label, probability, is_digit, score, answer.get("reading", "")]


def _csv(row: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(row)
    return line.getvalue()
