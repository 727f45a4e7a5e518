"""The time of preprocessing, and the share of smoothing and levelling: `python -m benchmarks.prepare`.

Each kind of picture is prepared with both steps and without, alternating; the ratio is that of the medians. Pixels are
measured with and without noise: without it they stay unchanged.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.data import from_pixels
from app.data.preprocessing.ink import find_ink
from app.data.preprocessing.pipeline import prepare_ink
from tests.support.drawings import picture, recorded

SIDES = (28, 224, 1_000)
NOISE = 0.1
ROUNDS = 15

Grey = NDArray[np.uint8]


def main() -> None:
    drawn = picture(recorded()["digit 3"]["strokes"], 30, ink=20, paper=235)
    print("| picture | clean | noisy | in a raking light | the same, noisy |\n|---|---|---|---|---|")
    for side in SIDES:
        clean = np.asarray(drawn.resize((side, side), Image.Resampling.BOX)).astype(float) / 255
        noise = np.random.default_rng(0).normal(0, NOISE, clean.shape)
        light = np.linspace(0.5, 1, side)
        kinds = [clean, clean + noise, clean * light, clean * light + noise]
        print(f"| {side}×{side} | {' | '.join(map(_compared, map(_grey, kinds)))} |", flush=True)
    ink = prepare_ink(1 - clean.astype(np.float32))
    noisy = np.clip(ink + np.random.default_rng(0).normal(0, NOISE, ink.shape), 0, 1)
    times = _medians(lambda: from_pixels(ink), lambda: from_pixels(noisy))
    print(f"\n784 pixels: {times[0]:.2f} ms without noise, {times[1]:.2f} ms with it")


def _grey(tones: NDArray[np.float64]) -> Grey:
    return np.clip(tones * 255, 0, 255).astype(np.uint8)


def _compared(grey: Grey) -> str:
    with_both, without = _medians(
        lambda: _prepare(grey, steps=True),
        lambda: _prepare(grey, steps=False),
    )
    return f"{with_both:.2f} ms ({with_both / without:.2f} times)"


def _prepare(grey: Grey, *, steps: bool) -> None:
    found = find_ink(grey, smooth=steps, even_out=steps, clear=steps)
    if found is not None:
        prepare_ink(found.ink)


def _medians(*calls: Callable[[], object]) -> list[float]:
    """The median times of the calls in milliseconds, alternating so that other load affects all of them."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            taken.append(1e3 * (time.perf_counter() - start))
    return [statistics.median(taken) for taken in times]


if __name__ == "__main__":
    main()
