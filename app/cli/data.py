"""`digitpad data`: the data sets."""

from dataclasses import asdict
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.completion import complete_data
from app.cli.context import load_data, open_drawings, read_settings, reporting_errors, write_file
from app.cli.output import Code, CommandError, console, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from app.data import Dataset

data = typer.Typer(help="The data sets: list, fetch, show, export.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="the data set's name, or a mixture", autocompletion=complete_data)]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
SHADES = " .:-=+*#%@"
DIGIT_COLUMNS = 28


class DatasetFormat(StrEnum):
    """The export formats: arrays, or, for drawings, strokes or pictures."""

    NPZ = "npz"
    JSON = "json"
    ZIP = "zip"


@data.command("list")
def list_data(as_json: AsJson = False) -> None:
    """List the data sets, and whether they are on this machine."""
    from app.data import DatasetCatalog

    settings = read_settings()
    found = DatasetCatalog.from_settings(settings).list()
    if as_json:
        print_json({"datasets": [asdict(info) for info in found]})
        return
    print_table(
        ("DATA", "TITLE", "STATE", ">LABELS", ">TRAIN", ">TEST", "NOTE"),
        (
            (info.name, info.title, info.state, len(info.labels), f"{info.train:,}", f"{info.test:,}", info.note)
            for info in found
        ),
    )


@data.command()
def fetch(name: Name) -> None:
    """Download or draw a data set, unless it is on this machine."""
    with reporting_errors():
        found = load_data(read_settings(), name)
    say(f"{found.title}: {len(found.train):,} images to train on, {len(found.test):,} to test on")


@data.command()
def show(
    name: Name,
    label: Annotated[str | None, typer.Option(help="digits of this label alone")] = None,
    count: Annotated[int, typer.Option(min=0, max=100, help="how many digits are drawn")] = 3,
    as_json: AsJson = False,
) -> None:
    """Show what is in a data set: how many images of each label, and the first of them."""
    with reporting_errors():
        found = load_data(read_settings(), name)
    if label is not None and label not in found.labels:
        raise CommandError(
            "label: expected one of {names}; got {label}",
            names=", ".join(found.labels),
            label=repr(label),
            exit_code=Code.USAGE,
        )
    counts = {part: _counts(found, part) for part in ("train", "test")}
    if as_json:
        print_json({"name": found.name, "title": found.title, "labels": list(found.labels), "counts": counts})
        return
    images = f"{len(found.train):,} to train on, {len(found.test):,} to test on"
    facts = [("data", found.name), ("title", found.title), ("images", images), ("version", found.version)]
    print_facts([*facts, *(("note", note) for note in found.notes)])
    say()
    rows = ((name, counts["train"][name], counts["test"][name]) for name in found.labels)
    print_table(("LABEL", ">TRAIN", ">TEST"), rows)
    for line in _drawn(found, label, count):
        say(line)


@data.command()
def export(
    name: Name,
    format_: Annotated[
        DatasetFormat,
        typer.Option("--format", "-f", help="npz, or of drawings:NAME also json (strokes) and zip (PNGs)"),
    ] = DatasetFormat.NPZ,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="the file to write")] = None,
) -> None:
    """Write a data set as a file. Put below DIGITPAD_DATA_DIR, an npz is the data set npz:PATH."""
    from app.data.drawings.export import as_json, folder_of, write_zip
    from app.data.sources.drawings import set_of
    from app.data.sources.npz import write_npz

    settings = read_settings()
    with reporting_errors():
        set_name = set_of(name)
        if format_ != DatasetFormat.NPZ and set_name is None:
            raise CommandError(
                "format: expected npz; {format} is for sets of drawings, drawings:NAME",
                format=format_,
                exit_code=Code.USAGE,
            )
        if format_ == DatasetFormat.NPZ or set_name is None:
            content = write_npz(load_data(settings, name))
        else:
            drawings = open_drawings(settings)
            if not drawings.labels(set_name):
                raise CommandError("there are no drawings in the set {set_name}", set_name=set_name)
            packed = BytesIO()
            if format_ == DatasetFormat.ZIP:
                write_zip(drawings, [set_name], packed)
            else:
                packed.writelines(as_json(drawings, [set_name]))
            content = packed.getvalue()
        path = out or Path(f"{folder_of(name.replace(' ', ''))}.{format_}")
    write_file(path, content)
    say(f"{path}: {len(content):,} bytes")


def _counts(dataset: "Dataset", part: str) -> dict[str, int]:
    import numpy as np

    split = dataset.train if part == "train" else dataset.test
    counts = np.bincount(split.labels, minlength=len(dataset.labels)).tolist()
    return dict(zip(dataset.labels, counts, strict=True))


def _drawn(dataset: "Dataset", label: str | None, count: int) -> list[str]:
    """The first test digits as text, as many side by side as fit the terminal."""
    import numpy as np

    chosen: Any = np.arange(len(dataset.test))
    if label is not None:
        chosen = np.flatnonzero(dataset.test.labels == dataset.labels.index(label))
    chosen = chosen[:count]
    across = max(1, (console().width + 1) // (DIGIT_COLUMNS + 1))
    lines = []
    for first in range(0, len(chosen), across):
        row = chosen[first : first + across]
        lines += [
            "",
            " ".join(f"{dataset.labels[int(dataset.test.labels[index])]:{DIGIT_COLUMNS}}" for index in row).rstrip(),
        ]
        images = dataset.test.images[row].astype(np.uint16)
        # a character is about twice as high as wide
        shades = (images[:, ::2] + images[:, 1::2]) // 2 * (len(SHADES) - 1) // 255
        for line in shades.transpose(1, 0, 2).tolist():
            lines.append(" ".join("".join(SHADES[shade] for shade in part) for part in line).rstrip())
    return lines
