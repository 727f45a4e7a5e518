"""The command line, for the reference: every command with its arguments and options."""

from collections.abc import Iterator
from typing import Any

import typer

from app.cli import cli
from docs.markdown import described, table


def commands() -> str:
    """All of it. Raises Undocumented."""
    return "\n".join(_told("digitpad", typer.main.get_command(cli)))


def _told(name: str, command: Any) -> Iterator[str]:
    inner = {key: one for key, one in getattr(command, "commands", {}).items() if not one.hidden}
    taken = [one for one in command.params if not getattr(one, "hidden", False)]
    arguments = [_placeholder(one) for one in taken if _is_argument(one)]
    usage = [name, "[OPTIONS]", *(["COMMAND"] if inner else arguments)]
    described(f"command {name}", command.help)
    yield f"## {name}\n\n```text\n{' '.join(usage)}\n```\n\n{command.help.strip()}\n"
    if taken:
        yield table(("argument or option", "default", "what it does"), [_row(name, one) for one in taken])
    for key, one in inner.items():
        yield from _told(f"{name} {key}", one)


def _row(command: str, one: Any) -> tuple[str, str, str]:
    names = _placeholder(one) if _is_argument(one) else ", ".join([*one.opts, *one.secondary_opts])
    names += f" {one.metavar}" if one.metavar and not _is_argument(one) else ""
    text = described(f"{names} of {command}", getattr(one, "help", None))
    unsaid = one.default in (None, False) or one.default in ([], ()) or callable(one.default)
    return f"`{names}`", "" if unsaid else f"`{one.default}`", text[0].upper() + text[1:]


def _is_argument(one: Any) -> bool:
    return bool(one.param_type_name == "argument")


def _placeholder(argument: Any) -> str:
    name = str(argument.metavar or argument.name).strip("[]").upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"
