"""The complete state of a training between two batches, from which it can be resumed exactly."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from app.nn.arrays import Array
from app.nn.errors import SpecError
from app.nn.spec import abbreviate

RANDOM_WORDS = 6
"""64-bit integers that hold the state of NumPy's PCG64: two of 128 bits, and the unused half of a draw."""

_HALF = 2**64


@dataclass(frozen=True)
class Snapshot:
    """The state after `epoch` epochs and `batch` batches of the next one.

    `arrays` are the network's ("network.0.weight", ...), the optimizer's as long as the network's parameters
    ("optimizer.velocity", ...), those of the epoch with the smallest validation loss ("best.0.weight", ...), if there
    was one, and the mean over the last `averaged` epochs so far ("average.0.weight", ...). The other fields are
    numbers: the optimizer's steps, the sums over the batches of the current epoch, the state of each process's
    generator in it, and the best epoch with its loss.
    """

    epoch: int
    batch: int
    steps: int
    arrays: dict[str, Array]
    loss: float = 0.0
    correct: int = 0
    seconds: float = 0.0
    random: list[list[int]] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float | None = None
    averaged: int = 0

    def numbers(self) -> dict[str, Any]:
        """All fields but the arrays, as plain JSON; JSON keeps floats exactly."""
        return {key: value for key, value in asdict(self).items() if key != "arrays"}

    def part(self, name: str) -> dict[str, Array]:
        """The arrays of the part "network", "optimizer", "best" or "average", by name."""
        return {key.removeprefix(f"{name}."): array for key, array in self.arrays.items() if key.startswith(f"{name}.")}

    def without_best(self) -> "Snapshot":
        """A copy without the best epoch so far."""
        arrays = {key: array for key, array in self.arrays.items() if not key.startswith("best.")}
        return replace(self, arrays=arrays, best_epoch=0, best_loss=None)

    @classmethod
    def of(cls, numbers: Mapping[str, Any], arrays: dict[str, Array]) -> "Snapshot":
        """The snapshot of `numbers()` and `arrays`. Raises ValueError if they are invalid."""
        try:
            snapshot = cls(arrays=arrays, **numbers)
        except TypeError:
            raise SpecError("expected the numbers of a snapshot; got others", field="snapshot") from None
        for name in ("epoch", "batch", "steps", "correct", "best_epoch", "averaged"):
            value = getattr(snapshot, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise SpecError(
                    "expected a whole number ≥ 0; got {value}", field=f"snapshot.{name}", value=abbreviate(value)
                )
        return snapshot


def prefixed(name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Copies of `arrays` with the prefix "name.", as a part of a snapshot."""
    return {f"{name}.{key}": array.copy() for key, array in arrays.items()}


def write_random(generator: np.random.Generator, words: Array) -> None:
    """Write the state of a generator (a PCG64) into RANDOM_WORDS 64-bit integers."""
    state = generator.bit_generator.state
    inner = state["state"]
    words[:] = [
        *(inner["state"] // _HALF, inner["state"] % _HALF, inner["inc"] // _HALF, inner["inc"] % _HALF),
        *(state["has_uint32"], state["uinteger"]),
    ]


def read_random(generator: np.random.Generator, words: Array) -> None:
    """Restore the state of a generator (a PCG64) that `write_random` wrote."""
    high, low, inc_high, inc_low, has_uint32, uinteger = (int(word) for word in words)
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": high * _HALF + low, "inc": inc_high * _HALF + inc_low},
        "has_uint32": has_uint32,
        "uinteger": uinteger,
    }
