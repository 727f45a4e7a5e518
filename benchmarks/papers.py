"""Digits on papers as people bring them: `python -m benchmarks.papers [MODEL]`, by default the default model.

MNIST's training digits, enlarged and written in dark ink on sheets that are clean, ruled, squared, with a margin, a
box, an underline, punch holes, or a table beside them, as JPEGs; and cut to the box of their ink in both polarities, as
PNGs. Each is read as the app reads a file; the drawings depend on nothing but this file.
"""

import io
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from app.data import DatasetCatalog, Split, from_image
from app.models import ModelStore, Predictor
from app.settings import SHIPPED_MODELS, Settings

SEED = 20_261_130
SHEETS, CROPS = 100, 300
SIZES = ((240, 180), (320, 240), (480, 360), (300, 300))
INKS = ((20, 40, 140), (15, 15, 15), (60, 60, 70), (30, 30, 120))
PAPERS = ((252, 249, 242), (255, 255, 255), (245, 245, 240))
PALE = ((168, 200, 226), (150, 180, 215), (190, 200, 210), (140, 170, 200))
DARK = ((110, 80, 50), (60, 60, 60), (150, 120, 90), (20, 20, 20))
ENLARGED = (1, 4, 8)

Images: TypeAlias = NDArray[np.uint8]
Color: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True)
class Sheet:
    """A sheet before the digit is written: `box` is that of its ink, (left, top, right, bottom)."""

    draw: ImageDraw.ImageDraw
    width: int
    height: int
    box: tuple[float, float, float, float]
    ink: Color
    rng: np.random.Generator

    @property
    def pen(self) -> int:
        """The width of a line."""
        return max(1, round(self.height / 180 * self.rng.choice([1, 1, 1.5])))

    def any_of(self, colors: tuple[Color, ...]) -> Color:
        """One of the colours."""
        return colors[int(self.rng.integers(len(colors)))]


def main() -> None:
    settings = Settings()
    store = ModelStore(settings.home, SHIPPED_MODELS)
    name = (sys.argv[1:] or [str(store.default())])[0]
    predictor = Predictor(*store.load_with_detector(name))
    digits = DatasetCatalog.from_settings(settings).load("mnist").train
    print("| brought | pictures | read right | wrong and taken for a digit |\n|---|---|---|---|")
    for kind, files, labels in brought(digits):
        predicted = predictor.predict([from_image(file) for file in files])
        right = [one.label == label for one, label in zip(predicted, labels, strict=True)]
        wrong = sum(not is_right and one.is_digit for one, is_right in zip(predicted, right, strict=True))
        print(f"| {kind} | {len(files)} | {sum(right)} | {wrong} |", flush=True)


def brought(digits: Split) -> Iterator[tuple[str, list[bytes], list[str]]]:
    """Each kind, with its files and their labels."""
    for number, (kind, clutter) in enumerate(CLUTTER.items()):
        rng = np.random.default_rng([SEED, number])
        rows = rng.choice(len(digits), SHEETS, replace=False)
        yield kind, [sheet(digits.images[row], clutter, rng) for row in rows], [str(digits.labels[row]) for row in rows]
    rows = np.random.default_rng(SEED).choice(len(digits), CROPS, replace=False)
    labels = [str(digits.labels[row]) for row in rows]
    for factor in ENLARGED:
        crops = [cropped(digits.images[row], factor) for row in rows]
        yield f"cut to the ink, ×{factor}, light on dark", [_file(crop) for crop in crops], labels
        yield f"cut to the ink, ×{factor}, dark on light", [_file(255 - crop) for crop in crops], labels


def sheet(digit: Images, clutter: Callable[[Sheet], None], rng: np.random.Generator) -> bytes:
    """A JPEG of a digit on a sheet with things beside it."""
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    paper = Image.new("RGB", (width, height), PAPERS[int(rng.integers(len(PAPERS)))])
    side = int(rng.uniform(0.38, 0.55) * height * 28 / 20)
    left = int(width / 2 + rng.uniform(-0.08, 0.08) * width - side / 2)
    top = int(height / 2 + rng.uniform(-0.06, 0.06) * height - side / 2)
    mask = Image.new("L", (width, height))
    mask.paste(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC), (left, top))
    bounds = mask.point(lambda tone: 255 * (tone > 80)).getbbox()
    assert bounds is not None
    ink = INKS[int(rng.integers(len(INKS)))]
    clutter(Sheet(ImageDraw.Draw(paper), width, height, bounds, ink, rng))
    paper.paste(ink, mask=mask)
    if rng.random() < 0.5:
        paper = paper.filter(ImageFilter.GaussianBlur(0.6))
    return _file(np.asarray(paper), "JPEG", quality=int(rng.integers(80, 95)))


def cropped(digit: Images, factor: int) -> Images:
    """A digit so many times as large, cut to the box of its ink."""
    side = digit.shape[0] * factor
    large = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC))
    rows, columns = np.flatnonzero((large > 64).any(axis=1)), np.flatnonzero((large > 64).any(axis=0))
    return large[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _ruled(to: Sheet, *, is_squared: bool = False) -> None:
    step, color, pen = int(to.rng.uniform(0.13, 0.24) * to.height), to.any_of(PALE), to.pen
    for y in range(int(to.rng.integers(5, step)), to.height, step):
        to.draw.line([(0, y), (to.width, y)], fill=color, width=pen)
    for x in range(int(to.rng.integers(5, step)), to.width, step) if is_squared else ():
        to.draw.line([(x, 0), (x, to.height)], fill=color, width=pen)


def _margin(to: Sheet) -> None:
    x = to.rng.uniform(0.05, 0.12) * to.width
    to.draw.line([(x, 0), (x, to.height)], fill=(200, 80, 70), width=to.pen)


def _boxed(to: Sheet) -> None:
    apart = to.rng.uniform(0.06, 0.14) * to.height
    left, top, right, bottom = to.box
    frame = (
        max(left - apart, 1),
        max(top - apart, 1),
        min(right + apart, to.width - 2),
        min(bottom + apart, to.height - 2),
    )
    to.draw.rectangle(frame, outline=to.any_of((INKS[1], *PALE[:2])), width=to.pen + int(to.rng.integers(2)))


def _underlined(to: Sheet) -> None:
    left, _, right, bottom = to.box
    half, tilt = to.rng.uniform(0.12, 0.25) * to.width, to.rng.uniform(-0.02, 0.02) * to.height
    middle, y = (left + right) / 2, bottom + to.rng.uniform(0.03, 0.12) * to.height
    line = [(middle - half, y - tilt), (middle + half, y + tilt)]
    to.draw.line(line, fill=to.ink, width=to.pen + int(to.rng.integers(3)))


def _holes(to: Sheet) -> None:
    radius, x, color = to.rng.uniform(0.035, 0.055) * to.height, 0.07 * to.width, to.any_of(DARK)
    for y in (to.height / 4, to.height * 3 / 4):
        to.draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=color)


def _table(to: Sheet) -> None:
    wide, lean = to.rng.uniform(0.08, 0.14), to.rng.uniform(-0.03, 0.03)
    corners = np.array([(0, 0), (wide + lean, 0), (wide - lean, 1), (0, 1)])
    side = int(to.rng.integers(4))
    corners = corners[:, ::-1] if side > 1 else corners
    corners = 1 - corners if side % 2 else corners
    to.draw.polygon([(x * to.width, y * to.height) for x, y in corners.tolist()], fill=to.any_of(DARK))


CLUTTER: Mapping[str, Callable[[Sheet], None]] = {
    "clean": lambda to: None,
    "ruled": _ruled,
    "squared": partial(_ruled, is_squared=True),
    "a red margin": _margin,
    "in a box": _boxed,
    "underlined": _underlined,
    "punch holes": _holes,
    "a table beside it": _table,
}


def _file(pixels: Images, kind: str = "PNG", **options: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


if __name__ == "__main__":
    main()
