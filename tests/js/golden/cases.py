"""Drawings and models whose answers are recorded, for the script that records them and for the tests."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from app.data import drawing_from_strokes
from app.models import ModelCard, Predictor
from app.models.ood.detector import BASIS, MEAN, OutOfDistributionDetector
from app.models.ood.outlier_head import NAMES
from app.models.responses import predict_drawings, to_response
from app.nn import Network
from app.nn.arrays import Array
from tests.support.drawings import FIXTURES
from tests.support.networks import CALIBRATION, DIGITS, conv, dense, kinds

SMALL_PIXELS = 14 * 14
COMPONENTS = 4
HEAD_UNITS = 32
"""The units of the outlier head."""
GAIN = 3.0


@dataclass(frozen=True)
class Case:
    """A model, the arrays of its detector, and the names of the drawings that it reads."""

    card: ModelCard
    network: Network
    arrays: dict[str, Array]
    drawings: tuple[str, ...]

    def responses(self) -> list[dict[str, Any]]:
        """The server's answers to its drawings, with the 28×28 that the network saw as an array."""
        rejection = self.card.calibration and self.card.calibration.rejection
        features = self.network.feature_count
        detector = rejection and OutOfDistributionDetector(rejection, len(DIGITS), self.arrays, features=features)
        prepared = [drawing_from_strokes(DRAWINGS[name]) for name in self.drawings]
        predictor = Predictor(self.card, self.network, detector)
        responses = []
        for drawing, whole, parts in zip(prepared, *predict_drawings(predictor, prepared), strict=True):
            response = to_response(drawing, whole, parts, model=self.card.name, with_input=False)
            response["input"] = drawing.whole.pixels
            for digit, part in zip(response.get("digits", []), drawing.parts, strict=True):
                digit["input"] = part.prepared.pixels
            responses.append(response)
        return responses


def drawings() -> dict[str, list[list[list[float]]]]:
    """The recorded drawings by name, and rare ones: numbers of several digits, and what limits are for."""
    found = {
        f"{drawing.get('name', 'drawing')} {index}": drawing["strokes"]
        for file in ("strokes.json", "drawings.json")
        for index, drawing in enumerate(json.loads((FIXTURES / file).read_text())["drawings"])
    }
    digits = [found[f"digit {digit} {digit}"] for digit in range(10)]
    upright = [[0, 0], [0, 100]]
    beside = [[[0, 50], [100, 50]], [[0, 0], [100, 0]]]
    return found | {
        "no stroke": [],
        "one point": [[[5, 5]]],
        "points in one place": [[[0, 0], [0, 0]], [[0, 0]]],
        "one point many times in a stroke": [[[10, 10], [10, 10], [10, 10], [90, 60], [90, 60]]],
        "as large as numbers are": [[[1e308, -1e308], [-1e308, 1e308]]],
        "as small as numbers are": [[[5e-324, 0], [0, 1e-323]], [[0, 0], [1e-323, 1e-323]]],
        "far from the origin": [[[x + 1e9, y - 1e9] for x, y in stroke] for stroke in digits[3]],
        "an upright line": [upright],
        "a level line": [[[0, 0], [100, 0]]],
        **{f"a blot {width} wide": blot(width, width) for width in range(28, 51, 2)},
        **{f"a blot {top} wide at its top": blot(top, 50) for top in range(0, 40, 2)},
        **{f"a foot of {foot}": [[[0, 0], [0, 100], [foot, 100]]] for foot in range(5, 85, 5)},
        "two digits": row([digits[4], digits[2]], 120),
        "a number": row(digits, 60),
        "an equals sign": beside,
        "a bar that hangs over": [upright, [[-20, -30], [30, -30]], [[70, 0], [100, 100]]],
        **{
            f"a gap of {tenths / 10}": [upright, [[tenths / 10, 0], [tenths / 10, 100]]] for tenths in range(80, 140, 2)
        },
        **{f"bars that share {share}": [[[0, 0], [100, 0]], [[100 - share, 60], [200, 60]]] for share in range(20, 34)},
        "all that is a number": marks(32),
        "more than a number": marks(33),
        "as many parts as are told apart": [*marks(2), *([[100, 100]] for _ in range(126))],
        "more parts than are told apart": [*marks(2), *([[100, 100]] for _ in range(127))],
        **{
            f"a level gap of {tenths / 10}": [[[0, 0], [1000, 0]], [[1000 + tenths / 10, 0], [2000, 0]]]
            for tenths in range(40, 70)
        },
    }


def blot(top: float, bottom: float) -> list[list[list[float]]]:
    """Level lines close below one another, from `top` to `bottom` wide."""
    widths = [(y, top + (bottom - top) * y / 50) for y in range(0, 51, 2)]
    return [[[side * width / 2, y] for y, width in widths for side in (-1, 1)]]


def row(digits: list[list[list[list[float]]]], gap: float) -> list[list[list[float]]]:
    """Drawings beside one another."""
    found: list[list[list[float]]] = []
    right = 0.0
    for strokes in digits:
        left = min(x for stroke in strokes for x, _ in stroke)
        found += [[[x - left + right, y] for x, y in stroke] for stroke in strokes]
        right = max(x for stroke in found for x, _ in stroke) + gap
    return found


def marks(count: int) -> list[list[list[float]]]:
    """Upright lines beside one another."""
    return [[[50 * index, 0], [50 * index, 100]] for index in range(count)]


DRAWINGS = drawings()


def cases() -> Iterator[Case]:
    """A detector with and without its outlier head, none at all, and no calibration."""
    pooled = [conv(2, 4, stride=3), *kinds("batch_norm", "relu"), {"type": "max_pool2d", "size": 3}]
    some = tuple(DRAWINGS)[::6]
    four = {"residual": (3.0, 0.5), "relative": (0.15, 0.15), "logit": (-0.5, 0.4), "outliers": (2.8, 0.8)}
    three = {"residual": (2.9, 1.0), "relative": (0.05, 0.2), "logit": (1.1, 0.5)}
    yield case("outliers", [*pooled, dense(12), *kinds("tanh"), dense(10)], [28, 28], tuple(DRAWINGS), scales=four)
    yield case("subspaces", [dense(10), *kinds("softmax")], [784], some, scales=three)
    yield case("temperature", [*kinds("flatten"), dense(10)], [1, 28, 28], some, dtype="float64")
    yield case("plain", [*kinds("identity", "flatten"), dense(10)], [4, 14, 14], some, temperature=None)


def case(
    name: str,
    layers: list[dict[str, Any]],
    shape: list[int],
    drawings: tuple[str, ...],
    *,
    dtype: str = "float32",
    temperature: float | None = 0.6,
    scales: Mapping[str, tuple[float, float]] = MappingProxyType({}),
) -> Case:
    """A model whose weights are waves, so that no generator of random numbers has a say in them.

    `scales` are the limit and the spread of each statistic of its detector, if it has one.
    """
    network = Network.from_spec({"layers": layers}, input_shape=tuple(shape), dtype=dtype)
    for number, (key, array) in enumerate(network.weights().items()):
        wave = waves(array.shape, number)
        array[...] = 1.5 + wave / 2 if key.endswith(("gamma", "variance")) else GAIN * wave / np.sqrt(len(array))
    arrays: dict[str, Array] = {}
    rejection: dict[str, Any] = {key: {"limit": limit, "spread": spread} for key, (limit, spread) in scales.items()}
    if scales:
        rejection |= {"components": COMPONENTS, "threshold": 0.4, "false_rejection": 0.01}
        arrays = {MEAN: 0.1 * waves((len(DIGITS), SMALL_PIXELS), 1), BASIS: bases()}
    if "outliers" in scales:
        inputs = 3 + len(DIGITS) + network.feature_count + SMALL_PIXELS
        shapes = ((inputs,), (inputs,), (inputs, HEAD_UNITS), (HEAD_UNITS,), (HEAD_UNITS,), (1,))
        arrays |= {key: waves(shape, number) / 5 for number, (key, shape) in enumerate(zip(NAMES, shapes, strict=True))}
        arrays[NAMES[1]] = np.abs(arrays[NAMES[1]]) + np.float32(0.2)
    calibration = {"temperature": temperature, **CALIBRATION, "rejection": rejection or None}
    card = ModelCard(
        name=name,
        network=network.spec(),
        dtype=dtype,
        labels=DIGITS,
        input_scale=200.0,
        calibration=None if temperature is None else calibration,
        recipe="custom",
        dataset="none",
        config={},
        seed=1,
        created="2026-01-01T00:00:00Z",
        software={},
        parameters=network.params.size,
        sha256="0" * 64,
    )
    return Case(card, network, arrays, drawings)


def waves(shape: tuple[int, ...], number: int) -> Array:
    """Numbers from −1 to 1 without a pattern that a sum would show."""
    return np.sin((1 + number) * np.arange(1.0, np.prod(shape) + 1) ** 2).reshape(shape).astype(np.float32)


def bases() -> Array:
    """Orthonormal vectors (labels, pixels, components): cosines, of other frequencies for each label."""
    frequencies = np.arange(1, len(DIGITS) * COMPONENTS + 1)
    places = np.arange(SMALL_PIXELS) + 0.5
    rows = np.sqrt(2 / SMALL_PIXELS) * np.cos(np.pi / SMALL_PIXELS * np.outer(places, frequencies))
    return np.ascontiguousarray(
        rows.reshape(SMALL_PIXELS, len(DIGITS), COMPONENTS).transpose(1, 0, 2), dtype=np.float32
    )
