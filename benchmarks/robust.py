"""The robustness of models: `python -m benchmarks.robust [--write] [MODEL ...]`, by default of the default model.

With `--write` the table is also written into the models' cards as `robustness`, without the rows of single digits.

A table of accuracies on drawings unlike MNIST (`benchmarks.robust_drawings`), on the recorded drawings of the tests,
and on MNIST's test images moved, turned, blurred, noisy, thickened, thinned, inverted, or photographed. Pictures in
other formats than MNIST's go through the app's own preprocessing, as a user's would.
"""

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from app.data import DatasetCatalog, PreparedImage, Split, from_image, from_pixels, from_strokes
from app.models import ModelStore, Predictor
from app.models.card import RobustnessResult
from app.settings import SHIPPED_MODELS, Settings
from benchmarks.robust_drawings import drawings

Images: TypeAlias = NDArray[np.uint8]
Change: TypeAlias = Callable[[Image.Image, np.random.Generator], Image.Image]
Kind: TypeAlias = tuple[str, list[PreparedImage], list[str]]
"""The title of a row of the table, its images, and their labels."""

COUNT = 1_000
"""The step through MNIST's test images, which covers all its writers."""
SEED = 20_260_601
BATCH = 250
ENLARGED = 8
WRITE, SINGLE = "--write", "drawings of "
FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures"


def main() -> None:
    settings = Settings()
    store = ModelStore(settings.home, SHIPPED_MODELS)
    names = [name for name in sys.argv[1:] if name != WRITE] or [str(store.default())]
    predictors = [Predictor(*store.load_with_detector(name)) for name in names]
    readings: dict[str, list[RobustnessResult]] = {name: [] for name in names}
    mnist = DatasetCatalog.from_settings(settings).load("mnist").test
    print(f"| on | images | {' | '.join(names)} |\n|---|---|{'---|' * len(names)}")
    for kind, images, labels in chain(drawn(), changed(mnist)):
        shares = [accuracy(predictor, images, labels) for predictor in predictors]
        shown = " | ".join(f"{100 * share:.2f} %" for share in shares)
        print(f"| {kind} | {len(labels)} | {shown} |", flush=True)
        for name, share in zip(names, shares, strict=True):
            if not kind.startswith(SINGLE):
                readings[name].append(RobustnessResult(kind=kind, accuracy=round(share, 6), count=len(labels)))
    if WRITE in sys.argv[1:]:
        for name in names:
            store.update_card(name, robustness=[reading.model_dump() for reading in readings[name]])
            print(f"written into the card of {name}")


def accuracy(predictor: Predictor, images: list[PreparedImage], labels: list[str]) -> float:
    """The accuracy."""
    predicted = [
        prediction.label
        for begin in range(0, len(images), BATCH)
        for prediction in predictor.predict(images[begin : begin + BATCH])
    ]
    return float(np.mean([prediction == label for prediction, label in zip(predicted, labels, strict=True)]))


def drawn() -> Iterator[Kind]:
    """Drawings by hands of other parametrisations."""
    found = list(drawings())
    recorded = json.loads((FIXTURES / "drawings.json").read_text())["drawings"]
    yield "drawings in unlike styles", *_prepared(found)
    yield "recorded drawings of the tests", *_prepared([one for one in recorded if one["label"] is not None])
    for label in "0123456789":
        yield f"{SINGLE}{label}", *_prepared([one for one in found if one["label"] == label])


def _prepared(found: list[dict[str, Any]]) -> tuple[list[PreparedImage], list[str]]:
    return [from_strokes(one["strokes"]) for one in found], [one["label"] for one in found]


def changed(mnist: Split) -> Iterator[Kind]:
    """MNIST's test images unchanged, and transformed, with a separate generator for each kind."""
    step = len(mnist) // COUNT
    images, labels = mnist.images[::step], [str(label) for label in mnist.labels[::step]]
    yield "MNIST's whole test set", [_whole(image) for image in mnist.images], [str(label) for label in mnist.labels]
    for number, (kind, change) in enumerate(AS_THEY_ARE.items()):
        rng = np.random.default_rng([SEED, number])
        yield f"MNIST, {kind}", [_whole(np.asarray(change(Image.fromarray(i), rng))) for i in images], labels
    for number, (kind, change) in enumerate(AS_PICTURES.items()):
        rng = np.random.default_rng([SEED, 100 + number])
        yield f"MNIST as a picture, {kind}", [_picture(image, change, rng) for image in images], labels


def _whole(image: Images) -> PreparedImage:
    return from_pixels(image.astype(np.float32) / np.float32(255))


def _picture(image: Images, change: Change, rng: np.random.Generator) -> PreparedImage:
    """Enlarge like a photograph of paper, transform, and read as the app reads a file."""
    side = image.shape[0] * ENLARGED
    large = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    change(large, rng).save(file, "PNG")
    return from_image(file.getvalue())


def _shift(pixels: int) -> Change:
    def change(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        right, down = (int(rng.choice([-pixels, pixels])) for _ in range(2))
        return image.transform(image.size, Image.Transform.AFFINE, (1, 0, right, 0, 1, down))

    return change


def _turn(degrees: float) -> Change:
    def change(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        return image.rotate(float(rng.choice([-degrees, degrees])), Image.Resampling.BICUBIC)

    return change


def _noise(deviation: float) -> Change:
    def change(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        grey = np.asarray(image, float) + rng.normal(0, deviation * 255, image.size[::-1])
        return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))

    return change


def _blur(radius: float) -> Change:
    return lambda image, rng: image.filter(ImageFilter.GaussianBlur(radius))


def _thick(size: int) -> Change:
    return lambda image, rng: image.filter(ImageFilter.MaxFilter(size))


def _thin(size: int) -> Change:
    return lambda image, rng: image.filter(ImageFilter.MinFilter(size))


def _light(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Dark ink on paper with light from one side, slightly blurred and noisy."""
    paper = ImageOps.invert(image).filter(ImageFilter.GaussianBlur(2))
    across = np.linspace(0.55, 1, image.width)[:: rng.choice([-1, 1])]
    grey = (40 + 0.8 * np.asarray(paper, float)) * across + rng.normal(0, 4, image.size[::-1])
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


AS_THEY_ARE: Mapping[str, Change] = {
    "shifted by 1 pixel": _shift(1),
    "shifted by 2 pixels": _shift(2),
    "shifted by 3 pixels": _shift(3),
    "turned by 10°": _turn(10),
    "turned by 20°": _turn(20),
    "blurred (σ 1 pixel)": _blur(1),
    "noise (σ 0.1)": _noise(0.1),
    "noise (σ 0.25)": _noise(0.25),
    "thick (3×3 maximum)": _thick(3),
}
AS_PICTURES: Mapping[str, Change] = {
    "light on dark": lambda image, rng: image,
    "inverted: dark on light": lambda image, rng: ImageOps.invert(image),
    "shifted by 3 of 28": lambda image, rng: _shift(3 * ENLARGED)(ImageOps.expand(image, 4 * ENLARGED), rng),
    "turned by 20°": _turn(20),
    "blurred (σ 1 of 28)": _blur(ENLARGED),
    "noise (σ 0.1)": _noise(0.1),
    "thick by 1 of 28": _thick(ENLARGED + 1),
    "thin by 1 of 28": _thin(ENLARGED + 1),
    "photographed in a raking light": _light,
}

if __name__ == "__main__":
    main()
