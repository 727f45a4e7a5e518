"""The files that digitpad brings along: beside `app/` in a checkout, in `app/_data` where it is installed."""

from importlib.resources import files
from pathlib import Path

_PACKAGE = Path(str(files("app"))).resolve()
_INSTALLED = _PACKAGE / "_data"
"""Where the wheel has what a checkout has beside `app/`; see `force-include` in pyproject.toml."""


def is_installed() -> bool:
    """Whether this is a wheel's copy, whose files nobody changes, and not a checkout."""
    return _INSTALLED.is_dir()


def bundled(name: str) -> Path:
    """The folder `templates`, `static` or `model_store` that digitpad brings along."""
    return (_INSTALLED if is_installed() else _PACKAGE.parent) / name
