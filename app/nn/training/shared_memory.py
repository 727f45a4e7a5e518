"""The layout of a pool's arrays in shared memory."""

import mmap
from typing import Any

import numpy as np

from app.nn.arrays import Array, Shape
from app.nn.training.replica import SharedArrays
from app.nn.training.snapshot import RANDOM_WORDS

LINE = 64
"""Bytes of a cache line; two processes must not write to the same one at the same time."""


def plan_memory(
    params: Array, x_shape: Shape, x_dtype: Any, t: Array, slots: list[str], sums: int, count: int
) -> dict[str, Any]:
    """The place of each array in the shared memory: name → [offset, dtype, shape].

    `slots` are the optimizer's, `sums` is how many numbers a layer adds up at a time, `count` the number of processes.
    """
    arrays: dict[str, tuple[str, Shape]] = {
        "flags": ("int64", (count * LINE // 8,)),
        "job": ("float64", (8,)),
        "results": ("float64", (count, LINE // 8)),
        "random": ("uint64", (count, RANDOM_WORDS)),
        "sums": ("float64", (2, count, -(-sums * 8 // LINE) * LINE // 8)),
        "order": ("int64", x_shape[:1]),
        "x": (str(x_dtype), x_shape),
        "t": (str(t.dtype), t.shape),
        "params": (str(params.dtype), params.shape),
        **{f"grads{rank}": (str(params.dtype), params.shape) for rank in range(count)},
        **{f"state.{slot}": (str(params.dtype), params.shape) for slot in slots},
    }
    offset, placed = 0, {}
    for name, (dtype, shape) in arrays.items():
        placed[name] = [offset, dtype, list(shape)]
        offset += -(-int(np.prod(shape)) * np.dtype(dtype).itemsize // LINE) * LINE
    return {"arrays": placed, "bytes": offset}


def map_arrays(file: int, plan: dict[str, Any]) -> dict[str, Array]:
    """The arrays of a plan, in the memory of the open file."""
    memory = mmap.mmap(file, plan["bytes"])
    return {
        name: np.ndarray(shape, dtype, buffer=memory, offset=offset)
        for name, (offset, dtype, shape) in plan["arrays"].items()
    }


def memory_of(arrays: dict[str, Array], slots: list[str], count: int) -> SharedArrays:
    """The `SharedArrays` of the mapped arrays."""
    return SharedArrays(
        x=arrays["x"],
        t=arrays["t"],
        order=arrays["order"],
        params=arrays["params"],
        grads=[arrays[f"grads{rank}"] for rank in range(count)],
        state={slot: arrays[f"state.{slot}"] for slot in slots},
        results=arrays["results"],
        random=arrays["random"],
        sums=arrays["sums"],
    )
