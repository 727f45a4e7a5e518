"""Bundled files: next to `app/` in a checkout, in `app/_data` in an installation."""

from importlib.resources import files
from pathlib import Path

_PACKAGE = Path(str(files("app"))).resolve()
_INSTALLED = _PACKAGE / "_data"
"""The bundled files of a wheel; see `force-include` in pyproject.toml."""


def is_installed() -> bool:
    """True in an installed wheel, False in a checkout."""
    return _INSTALLED.is_dir()


def bundled(name: str) -> Path:
    """The bundled folder `templates`, `static` or `model_store`."""
    return (_INSTALLED if is_installed() else _PACKAGE.parent) / name
