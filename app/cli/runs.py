"""`digitpad runs`: the log, and operations on runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.completion import complete_run
from app.cli.context import open_commands, open_log, read_settings, reporting_errors
from app.cli.output import (
    Code,
    CommandError,
    ended_message,
    number,
    percent,
    print_facts,
    print_json,
    print_note,
    print_table,
    say,
)
from app.errors import message_of
from app.runs.log.state import ENDED, RunState

if TYPE_CHECKING:
    from app.runs.log.event_log import EventLog
    from app.runs.service import RunService
    from app.settings import Settings

runs = typer.Typer(help="The runs: list, show, watch, pause, resume, cancel, delete, export.", no_args_is_help=True)

LARGEST = 2**31 - 1
Run = Annotated[int, typer.Argument(min=1, max=LARGEST, help="the run's number", autocompletion=complete_run)]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@contextmanager
def _opened() -> Iterator[tuple["Settings", "EventLog", "RunService"]]:
    """The settings, the log and the operations; their errors become CommandErrors."""
    settings = read_settings()
    with open_log(settings) as log, reporting_errors():
        yield settings, log, open_commands(log, settings)


@runs.command("list")
def list_runs(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="the newest so many")] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    with _opened() as (_, log, _):
        found = log.list_runs(limit=limit)
    if as_json:
        print_json({"runs": found})
        return
    columns = (">RUN", "STATE", "RECIPE", "DATA", ">EPOCH", ">VAL ACC", ">TEST ACC", "MODEL", "CREATED", "TAGS")
    print_table(columns, map(_row, found))


@runs.command()
def show(run: Run, as_json: AsJson = False) -> None:
    """Show one run."""
    with _opened() as (_, log, _):
        row = log.run(run)
    if as_json:
        print_json(row)
        return
    metrics = row["metrics"] or {}
    requests = [request for request in ("pause", "cancel") if row[f"{request}_requested"]]
    print_facts(
        [
            ("run", row["id"]),
            ("state", row["state"] + (f", asked to {' and '.join(requests)}" if requests else "")),
            ("recipe", row["config"]["recipe"]),
            ("data", row["config"]["dataset"]),
            ("epoch", f"{metrics.get('epoch', 0)} of {row['config']['epochs']}"),
            *((key, number(metrics[key])) for key in _METRICS if metrics.get(key) is not None),
            ("test accuracy", None if row["test_accuracy"] is None else percent(row["test_accuracy"])),
            ("model", row["model"]),
            ("error", row["error"]),
            ("created", row["created"]),
            ("started", row["started"]),
            ("ended", row["ended"]),
            ("tags", ", ".join(row["tags"]) or None),
            ("note", row["note"] or None),
        ]
    )


@runs.command()
def watch(
    run: Run, as_json: Annotated[bool, typer.Option("--json", help="print events as lines of JSON")] = False
) -> None:
    """Show a run from its first event on, live until it has ended, wherever it is trained. Ctrl+C stops watching."""
    from app.cli.progress import follow, make_screen

    with _opened() as (_, log, _):
        screen = make_screen(as_json=as_json)
        try:
            state = follow(log, run, screen, lambda state: state in ENDED)
        except KeyboardInterrupt:
            screen.close()
            print_note(f"run {run} is no longer watched, and goes on by itself")
            raise typer.Exit(Code.INTERRUPTED) from None
        finally:
            screen.close()
        if state != RunState.SUCCEEDED:
            error = log.run(run)["error"]
            raise CommandError(ended_message(run, state, error), exit_code=Code.NOT_TRAINED)


@runs.command()
def pause(run: Run) -> None:
    """Ask a run to pause after the batch that it is at, with a checkpoint."""
    with _opened() as (_, _, commands):
        _print_state(commands.pause(run))


@runs.command()
def resume(
    run: Run,
    detach: Annotated[
        bool, typer.Option("--detach", help="only put it into the queue: a server trains it, now or when one starts")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print events as lines of JSON")] = False,
) -> None:
    """Go on with a run that is paused or was left behind, here unless a server is quicker, and follow it."""
    from app.cli.train import interruptible, train_here

    with _opened() as (settings, log, commands), interruptible() as interruption:
        row = commands.resume(run)
        if row["state"] in ENDED:
            raise CommandError("run {run} has {state}: there is nothing to resume", run=run, state=row["state"])
        if detach:
            _print_state(row)
        else:
            train_here(settings, log, commands, run, interruption, as_json=as_json)


@runs.command()
def cancel(
    run: Run,
    keep_model: Annotated[bool, typer.Option("--keep-model", help="save the best model so far first")] = False,
) -> None:
    """Ask a run to end."""
    with _opened() as (_, _, commands):
        _print_state(commands.cancel(run, keep_model=keep_model))


@runs.command()
def delete(run: Run, yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False) -> None:
    """Remove an ended run, its events and its checkpoint; its model stays in the store."""
    with _opened() as (_, log, commands):
        log.run(run)
        if not yes:
            typer.confirm(f"Remove run {run} and all that it said?", abort=True, err=True)
        commands.delete(run)
    say(f"run {run} is removed")


@runs.command()
def export(
    run: Run,
    tensorboard: Annotated[
        Path | None, typer.Option("--tensorboard", metavar="DIR", help="write TensorBoard's event files below DIR")
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option("--mlflow", metavar="URI", help="tell MLflow's tracking server or database")
    ] = None,
    experiment: Annotated[str | None, typer.Option(help="MLflow's (default: DIGITPAD_MLFLOW_EXPERIMENT)")] = None,
) -> None:
    """Tell TensorBoard or MLflow a run that has ended. What they know already is not told twice."""
    from app.runs.tracking.follower import MissingExtraError, catch_up, mlflow_sink, reason_of, tensorboard_sink

    with _opened() as (settings, log, _):
        state = log.run(run)["state"]
        if state not in ENDED:
            raise CommandError(
                "run {run} is {state}: expected one that has ended; DIGITPAD_TENSORBOARD_DIR follows it live",
                run=run,
                state=state,
            )
        if tensorboard is None and mlflow is None:
            raise CommandError("expected --tensorboard DIR or --mlflow URI", exit_code=Code.USAGE)
        try:
            sinks = [] if tensorboard is None else [tensorboard_sink(tensorboard, log.id)]
            if mlflow is not None:
                sinks.append(mlflow_sink(mlflow, experiment or settings.mlflow_experiment, log.id, settings.home))
        except MissingExtraError as error:
            raise CommandError(message_of(error)) from None
        for sink in sinks:
            try:
                _, written = catch_up(log, sink, run)
            except Exception as error:  # noqa: BLE001  # any error of a library
                raise CommandError(
                    "{name} cannot be written: {reason}", name=sink.name, reason=reason_of(error)
                ) from None
            finally:
                sink.forget()
            say(f"{sink.name}: " + (f"{written} events of run {run}" if written else f"run {run} is all there"))


def _print_state(row: dict[str, Any]) -> None:
    """Print the state of a run, and a pending request."""
    request = next((request for request in ("cancel", "pause") if row[f"{request}_requested"]), None)
    say(f"run {row['id']} is {row['state']}" + (f", and was asked to {request}" if request else ""))


def _row(run: dict[str, Any]) -> list[object]:
    metrics = run["metrics"] or {}
    return [
        run["id"],
        run["state"],
        run["config"]["recipe"],
        run["config"]["dataset"],
        f"{metrics.get('epoch', 0)}/{run['config']['epochs']}",
        percent(metrics.get("val_accuracy")),
        percent(run["test_accuracy"]),
        run["model"] or "-",
        run["created"][:16].replace("T", " "),
        ", ".join(run["tags"]),
    ]


_METRICS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
