"""Grey of decoded pictures, from whichever of luminance, opacity, colours and lower bits shows something."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

WORKING_SIZE = 1024
"""The longer side, in pixels, above which a picture is reduced."""

STRIP_PIXELS = 1 << 20
"""Pixels that are turned into grey at one time: a copy of 20 megapixels in colour takes 80 MB."""

LEAST_RANGE = 8
"""The least difference, in tones of 256, of ink from its paper (`ink.MIN_CONTRAST`)."""
CLEAR_RANGE = 32
"""Where the luminance has that range, nothing else is looked at."""
FLAT = 10
"""Where the luminance varies that many times less than the colours, red, green and blue change in opposite directions:
it is yellow on white that is nearest to it, with 9 times."""


def to_grey(image: Image.Image) -> Image.Image:
    """A picture (H, W) in tones of 256, 0 is black: its luminance, on white where it is transparent.

    Where the luminance has no contrast, it is the opacity or the colours, if they have more; the colours of a large
    picture are reduced.
    """
    if image.mode.startswith("I"):
        return _of_16_bits(image)
    if image.mode == "F":
        real = np.nan_to_num(np.asarray(image), nan=0.0, posinf=0.0, neginf=0.0)
        least, most = float(real.min()), float(real.max())
        return Image.fromarray(((real - least) * (255 / (most - least or 1))).astype(np.uint8))
    grey = _by_strips(image, _luminance)
    if _range(grey) >= CLEAR_RANGE:
        return grey
    others = []
    if image.has_transparency_data:
        others.append(_by_strips(image, lambda strip: ImageOps.invert(strip.convert("RGBA").getchannel("A"))))
    if image.has_transparency_data or image.mode not in ("1", "L"):
        others.append(_colours(image))
    best = max([grey, *others], key=_range)
    return best if _range(grey) < LEAST_RANGE or _deviation(grey) * FLAT < _deviation(best) else grey


def _by_strips(
    image: Image.Image, convert: Callable[[Image.Image], Image.Image], mode: str = "L", factor: int = 1
) -> Image.Image:
    """A picture of another mode, reduced by a factor; rows are converted in strips, so that only they are copied."""
    converted = Image.new(mode, (-(-image.width // factor), -(-image.height // factor)))
    rows = factor * max(1, STRIP_PIXELS // (image.width * factor))
    for top in range(0, image.height, rows):
        strip = convert(image.crop((0, top, image.width, min(top + rows, image.height))))
        converted.paste(strip.reduce(factor), (0, top // factor))
    return converted


def _luminance(image: Image.Image) -> Image.Image:
    """The luminance of a picture; what is transparent is white."""
    if not image.has_transparency_data:
        return (image.convert("RGB") if image.mode == "CMYK" else image).convert("L")
    rgba = image.convert("RGBA")
    return Image.composite(rgba.convert("RGB").convert("L"), Image.new("L", image.size, 255), rgba.getchannel("A"))


def _opaque(image: Image.Image) -> Image.Image:
    """A picture in RGB; what is transparent is white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    return Image.composite(rgba.convert("RGB"), Image.new("RGB", image.size, "white"), rgba.getchannel("A"))


def _of_16_bits(image: Image.Image) -> Image.Image:
    """16 bits as 8, which Pillow clips; if only the lower ones are used, such as 8 of 16, those."""
    low, high = (min(max(int(end), 0), 65535) for end in image.getextrema())  # type: ignore[arg-type]
    top = 65535 if (high >> 8) - (low >> 8) >= LEAST_RANGE else max(high, 1)

    def shorten(strip: Image.Image) -> Image.Image:
        deep = np.asarray(strip).clip(0, 65535).astype(np.int64)
        return Image.fromarray((deep >> 8 if top == 65535 else deep * 255 // top).astype(np.uint8))

    return _by_strips(image, shorten)


def _colours(image: Image.Image) -> Image.Image:
    """The position of each colour on the axis along which the colours vary most, as grey; reduced if it is large."""
    image = _by_strips(image, _opaque, "RGB", max(1, max(image.size) // WORKING_SIZE))
    colours = np.asarray(image).reshape(-1, 3).astype(np.float32)
    colours -= colours.mean(axis=0)
    place = (colours @ np.linalg.eigh(colours.T @ colours)[1][:, -1]).reshape(image.height, image.width)
    place -= place.min()
    return Image.fromarray((place * min(1.0, 255 / max(float(place.max()), 1.0))).round().astype(np.uint8))


def _range(grey: Image.Image) -> int:
    low, high = grey.getextrema()
    return int(high) - int(low)  # type: ignore[arg-type]


def _deviation(grey: Image.Image) -> float:
    return float(np.asarray(grey).std())
