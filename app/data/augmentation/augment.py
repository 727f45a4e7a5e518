"""Augmentation: random changes of the training images, new in every epoch.

Affine and elastic warps are those of Simard, Steinkraus and Platt 2003 ("Best practices for convolutional neural
networks applied to visual document analysis"); the width of strokes changes by grey-scale dilation and erosion.
"""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.data.augmentation.warp import Warp
from app.data.dataset import ImageArray
from app.errors import InputError, message_of
from app.nn import abbreviate
from app.nn.arrays import Buffers

AUGMENTATION = 3
"""The purpose, in `default_rng([seed, epoch, purpose, chunk])`, of the augmentation; the engine's are 0, 1 and 2."""
CHUNK = 500
"""Images per random generator; their buffers fit a processor's cache."""
INK = 255.0

RANGES: dict[str, tuple[float, float]] = {
    "share": (0, 1),
    "rotation": (0, 180),
    "scale": (0, 0.9),
    "stretch": (0, 0.9),
    "shear": (0, 2),
    "shift": (0, 14),
    "elastic": (0, 10),
    "smoothness": (1.5, 14),
    "thicken": (0, 3),
    "thin": (0, 3),
    "blur": (0, 1),
    "cutout": (0, 1),
    "cutout_size": (1, 28),
    "noise": (0, 1),
}
"""The lowest and the highest value of each field."""

FloatImages = NDArray[np.float32]


@dataclass(frozen=True)
class Augmentation:
    """The ranges of random changes; unless stated otherwise an amount is uniform between its negative and itself.

    A fraction `share` of the images is changed. `rotation` is in degrees; `scale` 0.1 makes a digit up to a tenth
    larger or smaller, `stretch` up to a tenth wider and lower, or narrower and higher, `shear` moves each row by up to
    that many pixels per pixel of height; `shift` is in pixels, along each axis.

    `elastic` is the standard deviation, in pixels, of each point's displacement, and `smoothness` the width, in pixels,
    of the Gaussian that smooths the displacements. Simard's σ = 4, α = 34 is 1.4 and 4.

    Strokes become up to `thicken` pixels wider on each side, or up to `thin` narrower. `blur` is the largest weight of
    the image smoothed with (1, 2, 1)/4 along both axes. A fraction `cutout` of the images loses a square with sides of
    1 to `cutout_size` pixels (DeVries and Taylor 2017). `noise` is the largest standard deviation of noise added to
    each pixel, as a share of full ink.
    """

    share: float = 1.0
    rotation: float = 0.0
    scale: float = 0.0
    stretch: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    smoothness: float = 4.0
    thicken: float = 0.0
    thin: float = 0.0
    blur: float = 0.0
    cutout: float = 0.0
    cutout_size: float = 8.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise InputError(
                    "expected a number from {low} to {high}; got {value}",
                    field=name,
                    low=f"{low:g}",
                    high=f"{high:g}",
                    value=abbreviate(value),
                )

    def spec(self) -> dict[str, Any]:
        """All fields as plain JSON."""
        return asdict(self)


def make_augmentation(spec: object) -> Augmentation | None:
    """The augmentation of a config's `augmentation`, an object or null. Raises ValueError that names the field."""
    if spec is None:
        return None
    if not isinstance(spec, dict):
        raise InputError("expected an object or null; got {value}", field="augmentation", value=abbreviate(spec))
    known = [field.name for field in fields(Augmentation)]
    for name in spec:
        if name not in known:
            raise InputError(
                "unknown field; expected some of {names}",
                field=f"augmentation.{str(name)[:80]}",
                names=", ".join(known),
            )
    try:
        return Augmentation(**spec)
    except ValueError as error:
        raise InputError(message_of(error).within("augmentation")) from None


class Augmenter:
    """Changes images as an `Augmentation` says."""

    def __init__(self, augmentation: Augmentation, size: int = 28) -> None:
        self.augmentation, self._size = augmentation, size
        a = augmentation
        self._buffers = Buffers()
        moves = a.rotation or a.scale or a.stretch or a.shear or a.shift or a.elastic
        self._warp = Warp(size, a.elastic, a.smoothness) if moves else None

    def epoch(self, images: ImageArray, seed: int, epoch: int, out: ImageArray) -> ImageArray:
        """Write the images (N, H, W) of an epoch into `out`; they depend on seed and epoch alone."""
        for number, start in enumerate(range(0, len(images), CHUNK)):
            piece = slice(start, min(start + CHUNK, len(images)))
            rng = np.random.default_rng([seed, epoch, AUGMENTATION, number])
            self.apply(images[piece], rng, out[piece])
        return out

    def apply(self, images: ImageArray, rng: np.random.Generator, out: ImageArray) -> None:
        """Write the changed `images` (n, H, W) into `out`; all random numbers come from `rng`."""
        a, count = self.augmentation, len(images)
        changed: FloatImages = self._buffers.get("changed", images.shape, np.float32)
        np.copyto(changed, images)
        if a.thicken or a.thin:
            change_width(changed, rng.uniform(-a.thin, a.thicken, count).astype(np.float32), self._buffers)
        if self._warp is not None:
            changed = self._warp(changed, *self._matrices(rng, count), rng)
        if a.blur:
            weight = rng.uniform(0, a.blur, count).astype(np.float32)
            rows, blurred = (self._buffers.get(name, images.shape, np.float32) for name in ("rows", "blurred"))
            smoothed(changed, rows, out=blurred)
            blurred -= changed
            blurred *= weight[:, None, None]
            changed += blurred
        if a.cutout:
            self._cut(changed, rng)
        if a.noise:
            amount = rng.uniform(0, a.noise * INK, count).astype(np.float32)
            added = self._buffers.get("added", images.shape, np.float32)
            rng.standard_normal(out=added, dtype=np.float32)
            added *= amount[:, None, None]
            changed += added
        np.rint(changed, out=changed)
        np.clip(changed, 0, INK, out=changed)
        np.copyto(out, changed, casting="unsafe")
        if a.share < 1:
            unchanged = rng.random(count) >= a.share
            out[unchanged] = images[unchanged]

    def _matrices(self, rng: np.random.Generator, count: int) -> tuple[FloatImages, FloatImages]:
        """For each image the map from a position in the result to the source: (n, 2, 2), and a shift (n, 2)."""
        a = self.augmentation
        angle = np.radians(rng.uniform(-a.rotation, a.rotation, count))
        scale = (1 + a.scale) ** rng.uniform(-1, 1, count)
        stretch = (1 + a.stretch) ** (rng.uniform(-1, 1, count) / 2)
        shear = rng.uniform(-a.shear, a.shear, count)
        cos, sin = np.cos(angle), np.sin(angle)
        rows = [[cos + sin * shear, sin], [cos * shear - sin, cos]]
        across, along = 1 / (scale * stretch), stretch / scale
        matrices = np.array([[rows[0][0] * across, rows[0][1] * along], [rows[1][0] * across, rows[1][1] * along]])
        shifts = rng.uniform(-a.shift, a.shift, (count, 2))
        return matrices.transpose(2, 0, 1).astype(np.float32), shifts.astype(np.float32)

    def _cut(self, images: FloatImages, rng: np.random.Generator) -> None:
        a, count = self.augmentation, len(images)
        chosen = np.flatnonzero(rng.random(count) < a.cutout)
        sides = rng.integers(1, math.floor(a.cutout_size) + 1, count)
        corners = rng.integers(0, self._size, (count, 2)) - sides[:, None] // 2
        place = np.arange(self._size)
        inside = [
            (place >= corners[chosen, axis, None]) & (place < (corners[chosen, axis] + sides[chosen])[:, None])
            for axis in (0, 1)
        ]
        images[chosen] *= ~(inside[0][:, :, None] & inside[1][:, None, :])


def change_width(images: FloatImages, amounts: NDArray[np.float32], buffers: Buffers) -> None:
    """Make strokes of images (n, H, W) wider by `amounts` (n,) pixels on each side, or narrower if negative.

    A pixel is a grey-scale dilation or erosion with a cross of five pixels; a fraction is that part of the difference.
    """
    for sign, extreme in ((1, np.maximum), (-1, np.minimum)):
        for step in range(math.ceil(max(float((sign * amounts).max(initial=0)), 0))):
            chosen = np.flatnonzero(sign * amounts > step)
            before, after = (buffers.get(name, (len(chosen), *images.shape[1:]), np.float32) for name in ("old", "new"))
            images.take(chosen, axis=0, out=before, mode="clip")
            np.copyto(after, before)
            extreme(after[:, 1:], before[:, :-1], out=after[:, 1:])
            extreme(after[:, :-1], before[:, 1:], out=after[:, :-1])
            extreme(after[:, :, 1:], before[:, :, :-1], out=after[:, :, 1:])
            extreme(after[:, :, :-1], before[:, :, 1:], out=after[:, :, :-1])
            after -= before
            after *= np.minimum(sign * amounts[chosen] - step, 1)[:, None, None]
            after += before
            images[chosen] = after


def smoothed(images: FloatImages, rows: FloatImages, out: FloatImages) -> None:
    """Images (n, H, W) smoothed with (1, 2, 1)/4 along both axes, with paper around them, written into `out`.

    `rows` is a work array of the same shape.
    """
    np.multiply(images, 2, out=rows)
    rows[:, 1:] += images[:, :-1]
    rows[:, :-1] += images[:, 1:]
    np.multiply(rows, 2, out=out)
    out[:, :, 1:] += rows[:, :, :-1]
    out[:, :, :-1] += rows[:, :, 1:]
    out *= np.float32(1 / 16)
