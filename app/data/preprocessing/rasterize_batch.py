"""Batches of drawings: the same images as `draw_strokes` and `normalize` make, in a third of the time.

The disc is swept over many masks in one pass, in bytes if the pen is thin enough.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from app.data.dataset import ImageArray
from app.data.preprocessing.normalize import IMAGE_SIZE, normalize
from app.data.preprocessing.rasterize import SUPERSAMPLING, Box, FloatArray, trace_strokes
from app.errors import InputError

Drawing: TypeAlias = tuple[Sequence[NDArray[np.float64]], float]
"""Strokes, arrays (n, 2) of x, y in any unit, y down, and the pen's width in pixels of the 28×28 image."""

_Trace: TypeAlias = tuple[NDArray[np.bool_], Box]

AT_ONCE = 1_000
"""Masks in memory at a time: 18 MB."""
TOGETHER = 16
"""Masks swept in one pass; as many as fit a core's cache."""
THREADS = 2
"""More gain nothing, as half of the work holds Python's lock."""
BYTE_REACH = 15
"""The largest distance whose square fits a byte."""


def rasterize_batch(drawings: Sequence[Drawing]) -> ImageArray:
    """Draw all as uint8 (N, 28, 28), like drawings of the pad. Raises ValueError for a drawing without a point."""
    if len(drawings) <= TOGETHER:
        return _draw_some(drawings)
    # Such small matrices are not worth BLAS's threads, which wait for each other by spinning.
    with threadpool_limits(1, user_api="blas"):
        return np.concatenate(
            [_draw_some(drawings[begin : begin + AT_ONCE]) for begin in range(0, len(drawings), AT_ONCE)]
        )


def _draw_some(drawings: Sequence[Drawing]) -> ImageArray:
    traces: list[_Trace] = []
    for strokes, width in drawings:
        trace = trace_strokes(strokes, width)
        if trace is None:
            raise InputError("expected strokes with at least one point; got none")
        traces.append(trace)
    radii = np.array([width * SUPERSAMPLING / 2 for _, width in drawings])
    images = np.empty((len(drawings), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    # Masks of one reach and similar size go together, which wastes little work.
    order = sorted(range(len(traces)), key=lambda i: (_reach(float(radii[i])) > BYTE_REACH, *traces[i][0].shape))

    def draw(begin: int) -> None:
        batch = order[begin : begin + TOGETHER]
        inks = sweep_many([traces[i][0] for i in batch], radii[batch])
        for i, ink in zip(batch, inks, strict=True):
            images[i] = np.rint(normalize(ink, traces[i][1]) * 255)

    begins = range(0, len(order), TOGETHER)
    threads = min(THREADS, os.cpu_count() or 1, len(begins))
    if threads < 2:
        for begin in begins:
            draw(begin)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(draw, begins):
                pass
    return images


def sweep_many(masks: Sequence[NDArray[np.bool_]], radii: NDArray[np.float64]) -> list[FloatArray]:
    """`sweep` of each mask with its radius."""
    reach = _reach(float(radii.max()))
    height = max(mask.shape[0] for mask in masks)
    # A margin after each row, so that a shift of the whole array moves nothing from one row into the next.
    width = max(mask.shape[1] for mask in masks) + reach + 1
    far = reach + 1
    down: NDArray[np.uint8] = np.full((height, len(masks), width), far, np.uint8)
    for i, mask in enumerate(masks):
        np.multiply(~mask, np.uint8(far), out=down[: mask.shape[0], i, : mask.shape[1]])
    # The distance to the nearest true pixel above or below: steps of 1, 2, 4, ... reach every number up to their sum.
    step = 1
    while step <= min(reach, height - 1):
        np.minimum(down[step:], down[:-step] + np.uint8(step), out=down[step:])
        np.minimum(down[:-step], down[step:] + np.uint8(step), out=down[:-step])
        step *= 2
    np.minimum(down, np.full_like(down, far if reach > BYTE_REACH else BYTE_REACH), out=down)
    squared = _nearest(down.ravel(), reach).reshape(down.shape)
    coverage = np.sqrt(squared, dtype=np.float32)
    np.subtract((radii + 0.5).astype(np.float32)[:, None], coverage, out=coverage)
    np.clip(coverage, 0.0, 1.0, out=coverage)
    return [coverage[: mask.shape[0], i, : mask.shape[1]] for i, mask in enumerate(masks)]


def _nearest(down: NDArray[np.uint8], reach: int) -> NDArray[Any]:
    """The squared distance to the nearest true pixel, exact up to `reach`, of distances along one axis."""
    if reach > BYTE_REACH:
        away = down.astype(np.int16)
        away *= away
        squared = away.copy()
        for across in range(1, min(reach, len(down) - 1) + 1):
            shifted = away + np.int16(across * across)
            np.minimum(squared[across:], shifted[:-across], out=squared[across:])
            np.minimum(squared[:-across], shifted[across:], out=squared[:-across])
        return squared
    # 255 minus the squared distance: in bytes a difference can be clipped at 0, but a sum cannot be clipped at 255.
    near = np.uint8(255) - down * down
    nearest = near.copy()
    # NumPy compares two byte arrays twenty times as fast as an array and a number.
    less, shifted = np.empty_like(near), np.empty_like(near)
    for across in range(1, min(reach, len(down) - 1) + 1):
        less.fill(across * across)
        np.maximum(near, less, out=shifted)
        shifted -= less
        np.maximum(nearest[across:], shifted[:-across], out=nearest[across:])
        np.maximum(nearest[:-across], shifted[across:], out=nearest[:-across])
    return np.uint8(255) - nearest


def _reach(radius: float) -> int:
    return int(np.ceil(radius + 0.5))
