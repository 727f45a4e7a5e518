"""Predictions as JSON, for HTTP and the command line."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.data import PreparedDrawing, PreparedImage
from app.models.predictor import Prediction, Predictor

PIXEL_DIGITS = 4


def predict_drawings(
    predictor: Predictor, drawings: Sequence[PreparedDrawing]
) -> tuple[list[Prediction], list[list[Prediction]]]:
    """The predictions for each drawing as one digit, and for each of its parts, in one batch.

    Raises DamagedModelError.
    """
    images = [drawing.whole for drawing in drawings]
    images += [part.prepared for drawing in drawings for part in drawing.parts]
    predictions = predictor.predict(images)
    parts = iter(predictions[len(drawings) :])
    return predictions[: len(drawings)], [[next(parts) for _ in drawing.parts] for drawing in drawings]


def to_response(
    drawing: PreparedDrawing, whole: Prediction, parts: Sequence[Prediction], *, model: str, with_input: bool
) -> dict[str, Any]:
    """The answer for a drawing with these predictions for the whole and for its parts."""
    answer = {**prediction_json(whole, drawing.whole, with_input), "blank": drawing.whole.blank, "model": model}
    if drawing.parts:
        answer["is_digit"], answer["score"] = False, None if whole.score is None else 0.0
        answer["digits"] = [
            {"box": part.box, **prediction_json(prediction, part.prepared, with_input)}
            for part, prediction in zip(drawing.parts, parts, strict=True)
        ]
        answer["reading"] = _reading(parts)
    return answer


def prediction_json(prediction: Prediction, image: PreparedImage, with_input: bool) -> dict[str, Any]:
    """A prediction, and with `with_input` the 28×28 itself, as JSON."""
    answer: dict[str, Any] = {
        "label": prediction.label,
        "probabilities": prediction.probabilities,
        "is_digit": prediction.is_digit,
        "score": prediction.score,
    }
    if with_input:
        answer["input"] = pixels_json(image.pixels)
    return answer


def pixels_json(pixels: NDArray[np.floating]) -> list[list[float]]:
    """Pixels (H, W), 0 to 1, as JSON."""
    return [[round(value, PIXEL_DIGITS) for value in row] for row in pixels.tolist()]


def _reading(predictions: Sequence[Prediction]) -> str:
    """The labels of the parts, such as "2025"; labels of several letters are separated by spaces."""
    labels = [part.label if part.is_digit and part.label is not None else "?" for part in predictions]
    return ("" if all(len(label) == 1 for label in labels) else " ").join(labels)
