"""The command line."""

import os
import sys
from collections.abc import Sequence

import typer

from app.cli import engine
from app.cli.data import data
from app.cli.doctor import doctor
from app.cli.evaluate import evaluate
from app.cli.models import export, models
from app.cli.output import Code, CommandError, close_output, print_note, speak_any_terminal
from app.cli.predict import predict
from app.cli.recipes import recipes
from app.cli.runs import runs
from app.cli.serve import serve
from app.cli.train import train

TRACEBACK = "DIGITPAD_TRACEBACK"
"""The environment variable that shows the traceback of unexpected errors."""
_CODES = (
    "Exit codes: 0 done, 1 failed, 2 wrong use or settings, 3 a training without a model, 130 Ctrl+C, "
    "141 the reader of the output is gone, 143 SIGTERM. Settings are DIGITPAD_* in the environment or in .env."
)


def _version(requested: bool) -> None:
    if requested:
        from app import __version__

        typer.echo(f"digitpad {__version__}")
        raise typer.Exit


cli = typer.Typer(
    help="Draw a digit and watch a neural network, written in NumPy, read it.",
    epilog=_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@cli.callback()
def _options(
    version: bool = typer.Option(False, "--version", is_eager=True, callback=_version, help="Show the version."),
) -> None:
    """Draw a digit and watch a neural network, written in NumPy, read it."""


cli.command()(serve)
cli.command()(train)
cli.command()(evaluate)
cli.command()(predict)
cli.command()(export)
cli.command()(doctor)
for name, group in (("runs", runs), ("models", models), ("data", data), ("recipes", recipes)):
    cli.add_typer(group, name=name)
cli.command("gradient-check")(engine.check_gradient)
cli.command()(engine.augment)
cli.command("default-model")(engine.default_model)
cli.command("teaching-model")(engine.teaching_model)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit with the command's code.

    Others on this machine can read none of the files that it makes: models, drawings and the log are the user's.
    """
    os.umask(0o077)
    speak_any_terminal()
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = cli(arguments, prog_name="digitpad", standalone_mode=False)
        sys.stdout.flush()
        return int(code or Code.DONE)
    except CommandError as failure:
        print_note(str(failure))
        return failure.exit_code
    except typer.TyperException as wrong:
        return _explain(wrong)
    except KeyboardInterrupt:
        return Code.INTERRUPTED
    except typer.Abort:
        print_note("nothing is changed")
        return Code.FAILED
    except BrokenPipeError:
        close_output()
        return Code.PIPE_CLOSED
    except SystemExit as exit_:  # raised by Typer when the reader of the output is gone
        if not isinstance(exit_.__context__, BrokenPipeError):
            raise
        close_output()
        return Code.PIPE_CLOSED
    except Exception as error:  # unexpected errors are reported in one line
        if os.environ.get(TRACEBACK):
            raise
        summary = f"{type(error).__name__}: {error}".splitlines()[0]
        print_note(f"this should not have happened: {summary} (with {TRACEBACK}=1 it says where)")
        return Code.FAILED


def _explain(wrong: typer.TyperException) -> int:
    """Print the error in the command line, and a hint for help."""
    context = getattr(wrong, "ctx", None)
    message = _invalid_value(wrong) or wrong.format_message()
    if message.strip():
        help_ = "" if context is None else f" (see {context.command_path} --help)"
        print_note(f"{' '.join(message.split())}{help_}")
    return wrong.exit_code


def _invalid_value(wrong: typer.TyperException) -> str | None:
    """The message for a value that Pydantic refuses, None for another error; Typer shows Pydantic's own text."""
    from pydantic import ValidationError

    from app.i18n.pydantic_errors import pydantic_message

    if not isinstance(wrong, typer.BadParameter) or wrong.param is None:
        return None
    if not isinstance(wrong.__cause__, ValidationError):
        return None
    entry = {**wrong.__cause__.errors()[0], "loc": (wrong.param.opts[0],)}
    choices = wrong.param.type_descriptor.choices
    if choices is not None:
        entry |= {"type": "enum", "ctx": {"expected": ", ".join(map(str, choices))}}
    return pydantic_message(entry)
