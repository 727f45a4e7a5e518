"""The page of the engine: everything that `app.nn` offers, from its signatures and docstrings."""

import ast
import inspect
import textwrap
from dataclasses import is_dataclass
from functools import cached_property
from typing import Any

import app.nn as engine
from docs.markdown import Undocumented, prose

GROUPS = {
    "app.nn.network": "Networks",
    "app.nn.training.trainer": "Training",
    "app.nn.training.options": "Training",
    "app.nn.layers.core": "Layers",
    "app.nn.layers.activations": "Layers",
    "app.nn.layers.convolution": "Layers",
    "app.nn.layers.pooling": "Layers",
    "app.nn.layers.normalization": "Layers",
    "app.nn.initializers": "Initial weights",
    "app.nn.losses": "Losses",
    "app.nn.optimizers": "Optimizers",
    "app.nn.schedules": "Schedules",
    "app.nn.evaluation": "Measuring",
    "app.nn.gradient_check": "Measuring",
    "app.nn.statistics": "Measuring",
}
LONGEST = 90
"""Characters of a signature that stands on one line."""
ORDER = ("Networks", "Training", "Layers", "Initial weights", "Losses", "Optimizers", "Schedules", "Measuring", "Tools")
TABLES = ("LAYERS", "INITIALIZERS", "LOSSES", "OPTIMIZERS", "SCHEDULES")


def names() -> str:
    """Every public name. Raises Undocumented."""
    by_group: dict[str, list[str]] = {title: [] for title in ORDER}
    for name in sorted(engine.__all__, key=str.lower):
        if name in TABLES:
            continue
        thing = getattr(engine, name)
        text = _class(name, thing) if inspect.isclass(thing) else _function(name, thing, "###")
        by_group[GROUPS.get(thing.__module__, "Tools")].append(text)
    by_group["Tools"].append(_tables())
    return "\n".join(f"## {title}\n\n" + "\n".join(texts) for title, texts in by_group.items())


def _class(name: str, thing: type) -> str:
    parts = [f"### {name}\n\n{_code(name, thing)}\n{_text(name, thing)}\n"]
    for key, member in vars(thing).items():
        if key.startswith("_"):
            continue
        inherited = next((vars(base)[key] for base in thing.__mro__[1:] if key in vars(base)), None)
        if isinstance(member, (classmethod, staticmethod)) or inspect.isfunction(member):
            called = getattr(thing, key)
            if not called.__doc__ and inherited is not None:
                continue  # told at the base class
            parts.append(_function(f"{name}.{key}", called, "####"))
        elif isinstance(member, property | cached_property) and (member.__doc__ or inherited is None):
            parts.append(f"#### {name}.{key}\n\n{_text(f'{name}.{key}', member)}\n")
    return "\n".join(parts)


def _function(name: str, thing: Any, heading: str) -> str:
    return f"{heading} {name}\n\n{_code(name, thing)}\n{_text(name, thing)}\n"


def _code(name: str, thing: Any) -> str:
    """The signature as the source has it, in a block."""
    taken, given = _class_signature(thing) if inspect.isclass(thing) else _signature(_parsed(thing))
    line = f"{name}({', '.join(taken)}){given}"
    if len(line) > LONGEST:
        line = "".join([f"{name}(\n", *(f"    {one},\n" for one in taken), f"){given}"])
    return f"```text\n{line}\n```\n"


def _parsed(thing: Any) -> Any:
    return ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]


def _class_signature(thing: type) -> tuple[list[str], str]:
    if is_dataclass(thing):
        lines = [one for one in _parsed(thing).body if isinstance(one, ast.AnnAssign)]
        return [ast.unparse(one) for one in lines if not ast.unparse(one.annotation).startswith("ClassVar")], ""
    makers = (vars(one)["__init__"] for one in thing.__mro__ if inspect.isfunction(vars(one).get("__init__")))
    maker = next(makers, None)
    return ([], "") if maker is None else _signature(_parsed(maker))


def _signature(function: ast.FunctionDef) -> tuple[list[str], str]:
    given = "" if function.returns is None or ast.unparse(function.returns) == "None" else ast.unparse(function.returns)
    taken = function.args
    texts = [_argument(one, default) for one, default in _with_defaults(taken.args, taken.defaults)]
    texts = [text for text in texts if text not in ("self", "cls")]
    texts += [f"*{_argument(taken.vararg, None)}"] if taken.vararg else ["*"] if taken.kwonlyargs else []
    texts += [_argument(one, default) for one, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True)]
    return texts, f" -> {given.strip(chr(39))}" if given else ""


def _with_defaults(taken: list[ast.arg], defaults: list[ast.expr]) -> list[tuple[ast.arg, ast.expr | None]]:
    return list(zip(taken, [*[None] * (len(taken) - len(defaults)), *defaults], strict=True))


def _argument(one: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(one) + ("" if default is None else f" = {ast.unparse(default)}")


def _text(name: str, thing: Any) -> str:
    text = inspect.cleandoc(thing.__doc__ or "")
    if not text or text.startswith(f"{name}("):  # dataclasses write that themselves
        raise Undocumented(f"{name} of the engine has no docstring")
    return prose(text)


def _tables() -> str:
    lines = [f"- `{name}`: {', '.join(f'`{key}`' for key in getattr(engine, name))}" for name in TABLES]
    return "### Tables\n\nWhat a spec may name as its `type`:\n\n" + "\n".join(lines) + "\n"
