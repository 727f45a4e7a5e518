"""The hands that models read: `python -m benchmarks.hands [--write] [MODEL ...]`, by default the default model.

Two tables: the test images of MNIST, `strokes` and `pendigits`, and drawings in each style of
`benchmarks.robust_drawings`, whose shapes no model has learned. With `--write` the second is also written into the
models' cards as `styles`, with the images that were misread; the first is measured by every training on a mixture.
"""

import base64
import sys
from collections.abc import Iterator
from itertools import groupby

import numpy as np

from app.data import DatasetCatalog, DatasetUnavailable, PreparedImage, from_pixels, from_strokes
from app.models import ModelStore, Prediction, Predictor
from app.models.card import MisreadDrawing, StyleResult
from app.nn import Predictions
from app.settings import SHIPPED_MODELS, Settings
from benchmarks.robust_drawings import drawings

SOURCES = ("mnist", "strokes", "pendigits")
HANDS = 20
"""Drawings of each style."""
BATCH = 250
WRITE = "--write"


def main() -> None:
    settings = Settings()
    store = ModelStore(settings.home, SHIPPED_MODELS)
    catalog = DatasetCatalog.from_settings(settings)
    for name in [name for name in sys.argv[1:] if name != WRITE] or [str(store.default())]:
        predictor = Predictor(*store.load_with_detector(name))
        print(
            f"{name}\n\n| test images of | images | read right | calibration error | refused |\n|---|---|---|---|---|"
        )
        for source in SOURCES:
            print(source_line(predictor, catalog, source), flush=True)
        print("\n| style | drawings | read right | refused | misread as |\n|---|---|---|---|---|")
        results = list(styles(predictor))
        for result in results:
            said = " ".join(misread.said for misread in result.misread)
            shares = f"{_percent(result.accuracy)} | {_percent(result.refused)}"
            print(f"| {result.style} | {result.count} | {shares} | {said} |")
        total = sum(result.count for result in results)
        right = sum(result.accuracy * result.count for result in results) / total
        refused = sum(result.refused * result.count for result in results) / total
        print(f"| all | {total} | {_percent(right)} | {_percent(refused)} | |\n", flush=True)
        if WRITE in sys.argv[1:]:
            store.update_card(name, styles=[result.model_dump() for result in results])
            print(f"written into the card of {name}")


def source_line(predictor: Predictor, catalog: DatasetCatalog, source: str) -> str:
    """The line of a data set's test images, which are read as they are."""
    try:
        test = catalog.load(source).test
    except DatasetUnavailable as error:
        return f"| {source} | {error} | | | |"
    predicted = _predict(predictor, [from_pixels(image / np.float32(255)) for image in test.images])
    probabilities = np.array([list(one.probabilities.values()) for one in predicted])
    found = Predictions.of(probabilities, test.labels)
    refused = float(np.mean([one.is_digit is False for one in predicted]))
    error = found.reliability().error
    return f"| {source} | {len(test):,} | {_percent(found.accuracy)} | {error:.4f} | {_percent(refused)} |"


def styles(predictor: Predictor) -> Iterator[StyleResult]:
    """The results on each style."""
    for (label, style), group in groupby(drawings(HANDS), key=lambda one: (one["label"], one["style"])):
        prepared = [from_strokes(one["strokes"]) for one in group]
        predicted = _predict(predictor, prepared)
        misread = [
            MisreadDrawing(
                said=one.label,
                probability=round(one.probabilities[one.label], 4),
                pixels=base64.b64encode(np.round(image.pixels * 255).astype(np.uint8).tobytes()).decode(),
            )
            for one, image in zip(predicted, prepared, strict=True)
            if one.label != label and one.label is not None
        ]
        yield StyleResult(
            style=style,
            label=label,
            count=len(predicted),
            accuracy=round(1 - len(misread) / len(predicted), 6),
            refused=float(np.mean([one.is_digit is False for one in predicted])),
            misread=misread,
        )


def _predict(predictor: Predictor, images: list[PreparedImage]) -> list[Prediction]:
    return [
        prediction
        for begin in range(0, len(images), BATCH)
        for prediction in predictor.predict(images[begin : begin + BATCH])
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


if __name__ == "__main__":
    main()
