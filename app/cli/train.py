"""`digitpad train` and `digitpad runs resume`: train a run of the shared log here or on a server, and follow it."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.completion import complete_data, complete_recipe
from app.cli.context import open_commands, open_log, read_settings, reporting_errors
from app.cli.output import Code, CommandError, OneLine, ended_message, percent, print_note, program, say
from app.cli.overrides import parse_overrides
from app.runs.log.state import ENDED, RunState, has_stopped

if TYPE_CHECKING:
    from app.cli.progress import Screen
    from app.runs.log.event_log import EventLog
    from app.runs.service import RunService
    from app.settings import Settings

_ENDINGS = {signal.SIGINT: Code.INTERRUPTED, signal.SIGTERM: Code.TERMINATED}
if hasattr(signal, "SIGHUP"):  # the terminal was closed
    _ENDINGS[signal.SIGHUP] = Code.TERMINATED


class Interruption:
    """Received signals: the first pauses, the second exits immediately."""

    def __init__(self) -> None:
        self.count, self.code = 0, Code.INTERRUPTED

    def note(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.code = _ENDINGS[signal.Signals(number)]


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Count signals instead of ending the process, except signals that are ignored (nohup)."""
    interruption = Interruption()
    active = [number for number in _ENDINGS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, interruption.note) for number in active}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def train(
    recipe: Annotated[
        str, typer.Argument(help="the recipe: see `digitpad recipes list`", autocompletion=complete_recipe)
    ],
    data: Annotated[
        str | None, typer.Option("--data", help="the data set (default: the recipe's)", autocompletion=complete_data)
    ] = None,
    settings_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PATH=VALUE", help="change the config, as optimizer.learning_rate=0.01; repeatable"
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="how many epochs")] = None,
    seed: Annotated[int | None, typer.Option(help="the seed of all that is drawn by chance")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="put a tag on the run; repeatable")] = None,
    note: Annotated[str | None, typer.Option(help="put a note on the run")] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="only put it into the queue: a server trains it, now or when one starts")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print every event as a line of JSON")] = False,
) -> None:
    """Train a recipe, with a bar for each epoch. A server of the same home shows it live, and knows its model.

    Ctrl+C pauses with a checkpoint, and says how to go on; a second Ctrl+C ends at once.
    """
    from app.recipes import get_recipe
    from app.runs.config.annotations import check_remarks
    from app.web.middleware.limits import check_queue

    settings = read_settings()
    with open_log(settings) as log:
        commands = open_commands(log, settings)
        with reporting_errors():
            overrides = parse_overrides(settings_ or [], get_recipe(recipe).config)
            given = {"dataset": data, "epochs": epochs, "seed": seed}
            overrides |= {name: value for name, value in given.items() if value is not None}
            remarks = check_remarks({"tags": tag or [], "note": note or ""})
            config = commands.config_of({"recipe": recipe, "overrides": overrides})
            if detach:
                check_queue(log)
            with interruptible() as interruption:
                run = int(commands.start(config, remarks)["id"])
                if not detach:
                    train_here(settings, log, commands, run, interruption, as_json=as_json)
                    return
        say(f"run {run} is in the queue; {program()} runs watch {run} shows it")


def train_here(
    settings: "Settings",
    log: "EventLog",
    commands: "RunService",
    run: int,
    interruption: Interruption,
    *,
    as_json: bool,
) -> None:
    """Train a queued run, unless a server takes it first, and follow it to its end. Raises CommandError, typer.Exit.

    A run that has not ended afterwards is paused, so that no unsupervised worker remains.
    """
    from app.cli.progress import follow, make_screen
    from app.runs.log.database import UNREACHABLE
    from app.runs.supervisor import Supervisor

    logging.getLogger("digitpad").addHandler(OneLine())
    if not as_json:
        say(f"run {run}")
    screen = make_screen(as_json=as_json)
    # warnings would break the bar
    quiet = settings.model_copy(update={"log_level": "error"})
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    runner = Supervisor(log, quiet, only=run)
    watch = _Watch(commands, run, interruption, screen)
    runner.start()
    try:
        try:
            state = follow(log, run, screen, watch.is_over)
            screen.close()
            if interruption.count > 1 and state not in ENDED:
                runner.stop(grace=0.0)
        finally:
            try:
                screen.close()
                if interruption.count < 2 and _is_waiting(log, run):
                    commands.pause(run)
            finally:
                runner.stop()
        finish(log, run, interruption, as_json=as_json)
    except UNREACHABLE:
        raise CommandError(
            "the database cannot be reached; resume run {run} from its last checkpoint with: {command}",
            run=run,
            command=_resuming(run),
            exit_code=interruption.code if interruption.count else Code.FAILED,
        ) from None


class _Watch:
    """Requests a pause when interrupted, and decides when to stop following the run."""

    def __init__(self, commands: "RunService", run: int, interruption: Interruption, screen: "Screen") -> None:
        self._commands, self._run, self._interruption, self._screen = commands, run, interruption, screen
        self._requested, self._last = False, ""

    def is_over(self, state: RunState) -> bool:
        from app.runs.log.database import UNREACHABLE

        if has_stopped(state):
            return True
        if self._interruption.count and not self._requested:
            try:
                self._commands.pause(self._run)
                self._requested = True
                self._print("pausing after this batch; Ctrl+C again ends at once")
            except UNREACHABLE:  # requested again at the next poll
                self._print("pausing once the database can be reached; Ctrl+C again ends at once")
        return self._interruption.count > 1

    def _print(self, text: str) -> None:
        if text != self._last:
            self._last = text
            self._screen.close()
            print_note(text)


def _is_waiting(log: "EventLog", run: int) -> bool:
    status = log.status(run)
    return status is not None and not has_stopped(RunState(status["state"]))


def _resuming(run: int) -> str:
    return f"{program()} runs resume {run}"


def finish(log: "EventLog", run: int, interruption: Interruption, *, as_json: bool) -> None:
    """Print the outcome of a run. Raises CommandError or typer.Exit unless it succeeded."""
    row: dict[str, Any] = log.run(run)
    state = RunState(row["state"])
    if state == RunState.SUCCEEDED:
        if not as_json:
            say(f"run {run}: the model {row['model']}, {percent(row['test_accuracy'])} of the test images")
        return
    if state in ENDED:
        raise CommandError(ended_message(run, state, row["error"]), exit_code=Code.NOT_TRAINED)
    epoch = (row["metrics"] or {}).get("epoch", 0)
    print_note(f"run {run} is {state} after epoch {epoch}; to go on: {_resuming(run)}")
    raise typer.Exit(interruption.code if interruption.count else Code.NOT_TRAINED)
