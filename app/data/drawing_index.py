"""What is in a set of drawings, so that its files need not be read again each time that this is asked."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from app.data.drawing import read_drawing
from app.data.drawing_files import reason_of, stamped

SETTLED_NS = 1_000_000_000
"""A folder changed less than this before it was looked at may change again within one tick of its clock."""


@dataclass
class Index:
    """What one set's folder held when it was last looked at."""

    stamp: int = -1
    labels: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    """When each file was written, in ns, and its inode."""
    distinct: int | None = None
    """How many drawings differ in their strokes, once that was asked."""


def read_index(folder: Path, name: str, changed: int, known: Index) -> Index:
    """What is in the folder of set `name`, which `changed` at that time, in ns.

    Files that are in `known` are not read again, unless another was put in their place.
    """
    settled = time.time_ns() - changed > SETTLED_NS
    index = Index(stamp=changed if settled else -1)
    for drawing_id, file in stamped(folder):
        index.files[drawing_id] = file
        if drawing_id in known.labels and known.files.get(drawing_id) == file:
            index.labels[drawing_id] = known.labels[drawing_id]
            continue
        try:
            index.labels[drawing_id] = read_drawing(folder / f"{drawing_id}.json", name).label
        except FileNotFoundError:
            continue  # removed since
        except (ValueError, OSError) as error:
            index.damaged[drawing_id] = reason_of(error)
    return index
