"""The declared labels of a drawing set, stored with it before the first drawing."""

import json
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from app.data.drawings.drawing import check_label
from app.errors import InputError
from app.nn import abbreviate
from app.storage.atomic import write_atomic

logger = logging.getLogger("digitpad")

FILE = "labels.json"
LEAST, MOST = 2, 1000
LARGEST_FILE = 1_000_000


def check_labels(labels: object) -> tuple[str, ...]:
    """The distinct labels, composed as those of drawings. Raises ValueError."""
    if not isinstance(labels, list | tuple):
        raise InputError("expected a list of labels; got {value}", field="labels", value=abbreviate(labels))
    if len(labels) > MOST:
        raise InputError("expected at most {most} labels; got {count}", field="labels", most=MOST, count=len(labels))
    checked = tuple(dict.fromkeys(check_label(label) for label in labels))
    if len(checked) < LEAST:
        raise InputError(
            "expected at least {least} different labels; got {count}", field="labels", least=LEAST, count=len(checked)
        )
    return checked


def write_declared(folder: Path, labels: Sequence[str]) -> None:
    """Store the labels of the set in `folder`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(list(labels), ensure_ascii=False).encode()
    write_atomic(folder / FILE, data, prefix=f".{FILE}.")


def read_declared(folder: Path) -> tuple[str, ...]:
    """The declared labels of the set in `folder`; empty if there are none. A damaged file is logged and ignored."""
    try:
        with (folder / FILE).open("rb") as file:
            return check_labels(json.loads(file.read(LARGEST_FILE)))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        logger.warning("the labels that were declared for the set %s cannot be used: %s", folder.name, reason)
        return ()


def in_order(declared: Sequence[str], labels: Iterable[str]) -> list[str]:
    """The distinct labels: those that were declared in the order in which they were typed, then the others, sorted."""
    found = set(labels)
    return [label for label in declared if label in found] + sorted(found - set(declared))


def declared_at(folder: Path) -> float:
    """The time of the last declaration for the set in `folder`, in seconds since the epoch. Raises OSError."""
    return (folder / FILE).stat().st_mtime


def remove_declared(folder: Path) -> None:
    """Remove the labels of the set in `folder`, and the folder if it is empty then. Raises OSError."""
    (folder / FILE).unlink(missing_ok=True)
    with suppress(OSError):  # not empty
        folder.rmdir()
