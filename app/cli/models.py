"""`digitpad models` and `digitpad export`: the model store."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.completion import complete_model
from app.cli.context import named_file, open_log, open_store, read_settings, reporting_errors
from app.cli.output import Code, CommandError, number, percent, print_facts, print_json, print_table, say
from app.errors import message_of

if TYPE_CHECKING:
    from app.models import ModelStore, StoredModel

models = typer.Typer(help="The models: list, show, default, rename, delete, import.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="the model's name", autocompletion=complete_model)]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
ONNX = ".onnx"


class ExportFormat(StrEnum):
    """The export formats, as in `app.models.formats.registry`."""

    ZIP = "zip"
    SAFETENSORS = "safetensors"
    CARD = "card"
    ONNX = "onnx"
    NPZ = "npz"
    KERAS = "keras"
    HTML = "html"
    JS = "js"


@models.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models; a damaged one with the reason."""
    store = open_store(read_settings())
    found = store.list(check_all=True)
    default = store.default(found)
    if as_json:
        print_json({"models": [_summary(model) for model in found], "default": default})
        return
    columns = ("MODEL", "DEFAULT", ">PARAMETERS", ">TEST ACC", "RECIPE", "DATA", "CREATED", "REASON")
    print_table(columns, (_row(model, default) for model in found))


@models.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a model's card."""
    store = open_store(read_settings())
    with reporting_errors():
        card = store.get(name)
    if as_json:
        print_json(card.model_dump(mode="json"))
        return
    calibration = card.calibration
    print_facts(
        [
            ("model", card.name),
            ("default", "yes" if store.default() == card.name else "no"),
            ("recipe", card.recipe),
            ("data", card.dataset),
            ("run", card.run),
            ("parameters", f"{card.parameters:,}"),
            ("layers", ", ".join(_layer(layer) for layer in card.network["layers"])),
            ("labels", " ".join(card.labels)),
            *((key.replace("_", " "), number(value)) for key, value in sorted(card.metrics.items())),
            ("temperature", None if calibration is None else number(calibration.temperature, 3)),
            ("created", card.created),
            ("sha256", card.sha256),
        ]
    )


@models.command()
def default(
    name: Annotated[str | None, typer.Argument(help="the model to choose", autocompletion=complete_model)] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="even if it is clearly less accurate than its parent"),
    ] = False,
) -> None:
    """Make a model the default; without a name, print which is."""
    from app.models.store import AccuracyDroppedError

    store = open_store(read_settings())
    if name is None:
        chosen = store.default()
        if chosen is None:
            raise CommandError("there is no model yet: train one")
        say(chosen)
        return
    try:
        with reporting_errors():
            store.set_default(name, force=force)
    except AccuracyDroppedError as error:
        raise CommandError("{reason}; use --force to do it anyway", reason=message_of(error)) from None
    say(f"{name} is the default")


@models.command()
def rename(name: Name, new: Annotated[str, typer.Argument(help="its new name")]) -> None:
    """Give a model another name; its run names it so too."""
    settings = read_settings()
    with open_log(settings) as log, reporting_errors():
        open_store(settings).rename(name, new)
        log.rename_model(name, new)
    say(f"{name} is {new} now")


@models.command()
def delete(name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False) -> None:
    """Delete a model; the one that ships with digitpad stays."""
    store = open_store(read_settings())
    with reporting_errors():
        store.path(name, "model.json")
        if not yes:
            typer.confirm(f"Delete the model {name}?", abort=True, err=True)
        store.delete(name)
    say(f"{name} is deleted")


@models.command("import")
def take_in(
    file: Annotated[str, typer.Argument(help="a zip as `digitpad export --format zip` writes, or an .onnx file")],
) -> None:
    """Import a model that another digitpad exported, or an ONNX network of dense layers."""
    from app.models.formats.archive import check
    from app.models.formats.incoming import read_model

    path = named_file(file)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CommandError("{file} cannot be read: {reason}", file=file, reason=error.strerror) from None
    with reporting_errors():
        package = check(*read_model(data, is_onnx=path.suffix.lower() == ONNX))
        card = _saved(open_store(read_settings()), package)
    say(f"{card.name}, {card.parameters:,} parameters")


def export(
    name: Annotated[
        str | None, typer.Argument(help="the model (default: the default)", autocompletion=complete_model)
    ] = None,
    format_: Annotated[ExportFormat, typer.Option("--format", "-f", help="the format")] = ExportFormat.ZIP,
    out: Annotated[Path, typer.Option("--out", "-o", help="the file to write, or the folder to put it in")] = Path(),
) -> None:
    """Write a model as a file for other programs: zip, safetensors, card, onnx, npz, keras, html."""
    from app.models.formats.registry import export_model

    store = open_store(read_settings())
    try:
        with reporting_errors():
            path = export_model(store, _named(store, name), format_, out)
    except OSError as error:
        raise CommandError("{out} cannot be written: {reason}", out=out, reason=error.strerror) from None
    say(str(path))


def _named(store: "ModelStore", name: str | None) -> str:
    """`name`, or the default's name. Raises CommandError."""
    chosen = name or store.default()
    if chosen is None:
        raise CommandError("there is no model yet: train one", exit_code=Code.FAILED)
    return chosen


def _saved(store: "ModelStore", package: Any) -> Any:
    try:
        return store.save(package.card, package.network, arrays=package.arrays)
    except OSError as error:
        raise CommandError("the model cannot be written: {reason}", reason=error.strerror) from None


def _summary(model: "StoredModel") -> dict[str, Any]:
    card = None if model.card is None else model.card.model_dump(mode="json", exclude={"config", "network"})
    return {
        "name": model.name,
        "available": card is not None,
        "reason": model.reason,
        "bytes": model.bytes,
        "card": card,
    }


def _row(model: "StoredModel", default: str | None) -> list[object]:
    card, mark = model.card, "yes" if model.name == default else ""
    if card is None:
        return [model.name, mark, "-", "-", "-", "-", "-", model.reason]
    accuracy = percent(card.metrics.get("test_accuracy"))
    return [model.name, mark, f"{card.parameters:,}", accuracy, card.recipe, card.dataset, card.created[:10], ""]


def _layer(spec: dict[str, Any]) -> str:
    size = spec.get("units", spec.get("filters", spec.get("rate")))
    return str(spec["type"]) + ("" if size is None else f" {size}")
