"""What is said of a drawing, as JSON: the same over HTTP and on the command line."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.data import Prepared, Sheet
from app.models.predictor import Prediction, Predictor

PIXEL_DIGITS = 4


def read_sheets(predictor: Predictor, sheets: Sequence[Sheet]) -> tuple[list[Prediction], list[list[Prediction]]]:
    """What a model says of each sheet as a whole, and of each of its parts; all are read at once.

    Raises DamagedModelError.
    """
    images = [sheet.whole for sheet in sheets]
    images += [part.prepared for sheet in sheets for part in sheet.parts]
    said = predictor.predict(images)
    others = iter(said[len(sheets) :])
    return said[: len(sheets)], [[next(others) for _ in sheet.parts] for sheet in sheets]


def answer(
    sheet: Sheet, whole: Prediction, parts: Sequence[Prediction], *, model: str, with_input: bool
) -> dict[str, Any]:
    """The answer to a sheet, of which `whole` and `parts` were said."""
    told = {**describe(whole, sheet.whole, with_input), "blank": sheet.whole.blank, "model": model}
    if sheet.parts:
        told["is_digit"], told["score"] = False, None if whole.score is None else 0.0
        told["digits"] = [
            {"box": part.box, **describe(one, part.prepared, with_input)}
            for part, one in zip(sheet.parts, parts, strict=True)
        ]
        told["reading"] = _reading(parts)
    return told


def describe(said: Prediction, image: Prepared, with_input: bool) -> dict[str, Any]:
    """What was said of an image, and with `with_input` the 28×28 itself, as JSON."""
    told: dict[str, Any] = {
        "label": said.label,
        "probabilities": said.probabilities,
        "is_digit": said.is_digit,
        "score": said.score,
    }
    if with_input:
        told["input"] = rounded(image.pixels)
    return told


def rounded(pixels: NDArray[np.floating]) -> list[list[float]]:
    """Pixels (H, W), 0 to 1, as JSON."""
    return [[round(value, PIXEL_DIGITS) for value in row] for row in pixels.tolist()]


def _reading(said: Sequence[Prediction]) -> str:
    """What the parts say, "2025"; labels of several letters are kept apart."""
    labels = [one.label if one.is_digit and one.label is not None else "?" for one in said]
    return ("" if all(len(label) == 1 for label in labels) else " ").join(labels)
