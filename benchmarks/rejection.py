"""The scores of out-of-distribution detection compared: the share of each kind rejected where 1 % of digits are.

The score in `app/models/ood/detector.py` was chosen by this comparison. The drawings differ from those of a model
card's figures: letters of the Hershey fonts (omitted without `pip install Hershey-Fonts`), crooked lines, blobs,
grains, and digits of the validation images side by side.
"""

import importlib
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from app.data import DatasetCatalog, from_strokes, split_validation
from app.data.preprocessing.normalize import normalize
from app.models.ood.detector import fit_rejection, fit_subspaces, scores_of, statistics_of
from app.nn import NetworkOutput, infer_all
from app.recipes import get_recipe
from app.runs.config.run_config import parse_config
from app.runs.training.run_training import Training
from app.settings import Settings

COUNT = 400
SEED = 5
FONTS = ("futural", "scripts", "timesr", "cursive")
LETTERS = "ABCDEFGHJKLMNPQRTUVWXY"

Images: TypeAlias = NDArray[np.uint8]
Strangeness: TypeAlias = Callable[[Images], NDArray[np.float64]]


def main() -> None:
    settings = Settings()
    dataset = DatasetCatalog.from_settings(settings).load("mnist")
    training = Training(parse_config({**get_recipe("quick").config, "validation": 0.1}), dataset)
    for _ in training.run():
        pass
    train, validation = split_validation(dataset.train, 0.1)
    kinds = {**nondigits(validation.images), "digits": dataset.test.images}
    print(f"| score | {' | '.join(kinds)} |\n|---|{'---|' * len(kinds)}")
    for name, strangeness in scores(training, train, validation).items():
        limit = np.quantile(strangeness(validation.images), 0.99)
        rates = [float(np.mean(strangeness(images) > limit)) for images in kinds.values()]
        print(f"| {name} | {' | '.join(f'{100 * rate:.0f} %' for rate in rates)} |", flush=True)


def scores(training: Training, train: Any, validation: Any) -> dict[str, Strangeness]:
    """Scores of images, by name: larger is less familiar."""
    network, scale = training.network, training.config.input_scale
    arrays = fit_subspaces(train.images, train.labels, 10)
    assert arrays is not None

    def infer(images: Images) -> NetworkOutput:
        return infer_all(network, images, input_scale=scale)

    def logits(images: Images) -> NDArray[np.float64]:
        return infer(images).logits

    def features(images: Images) -> NDArray[np.float64]:
        return infer(images).features.astype(np.float64)

    def log_sum(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        top = rows.max(axis=1)
        return top + np.log(np.exp(rows - top[:, None]).sum(axis=1))

    def statistics(images: Images) -> list[NDArray[np.float64]]:
        return statistics_of(arrays, images, infer(images))

    known = features(train.images)
    means = np.stack([known[train.labels == label].mean(axis=0) for label in range(10)])
    spread = np.cov((known - means[train.labels]).T)
    precision = np.linalg.inv(spread + 0.01 * np.trace(spread) / len(spread) * np.eye(len(spread)))

    def mahalanobis(images: Images) -> NDArray[np.float64]:
        offsets = features(images)[:, None] - means
        return np.einsum("nki,ij,nkj->nk", offsets, precision, offsets, optimize=True).min(axis=1)

    def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
        return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)

    neighbours = unit(known[::5])

    def tenth_neighbour(images: Images) -> NDArray[np.float64]:
        rows = unit(features(images))
        parts = [rows[i : i + 500] @ neighbours.T for i in range(0, len(rows), 500)]
        return np.concatenate([-np.sort(part, axis=1)[:, -10] for part in parts]).astype(np.float64)

    rejection = fit_rejection(arrays, validation.images, infer(validation.images))
    return {
        "largest probability": lambda images: log_sum(logits(images)) - logits(images).max(axis=1),
        "energy": lambda images: -log_sum(logits(images)),
        "largest logit": lambda images: -logits(images).max(axis=1),
        "Mahalanobis, hidden layer": mahalanobis,
        "tenth neighbour, hidden layer": tenth_neighbour,
        "residual": lambda images: statistics(images)[0],
        "residual / ink": lambda images: statistics(images)[1],
        "chosen": lambda images: (
            -scores_of(statistics(images), (rejection.residual, rejection.relative, rejection.logit))
        ),
    }


def nondigits(digits: Images) -> dict[str, Images]:
    rng = np.random.default_rng(SEED)
    kinds = {
        "crooked lines": [_strokes([rng.random((int(rng.integers(8, 60)), 2))]) for _ in range(COUNT)],
        "wandering lines": [_strokes([np.cumsum(rng.normal(0, 1, (40, 2)), axis=0)]) for _ in range(COUNT)],
        "two dots": [_strokes([rng.random((1, 2)), rng.random((1, 2))]) for _ in range(COUNT)],
        "blobs": [_blob(rng) for _ in range(COUNT)],
        "grains": [(rng.random((28, 28)) * (rng.random((28, 28)) < rng.random()) * 255) for _ in range(COUNT)],
        "pairs": [_pair(digits[rng.integers(len(digits), size=2)], int(rng.integers(1, 6))) for _ in range(COUNT)],
    }
    letters = _letters(rng)
    found = {**({"letters": letters} if letters else {}), **kinds}
    return {kind: np.stack(images).astype(np.uint8) for kind, images in found.items()}


def _letters(rng: np.random.Generator) -> list[NDArray[Any]]:
    try:
        module = importlib.import_module("HersheyFonts")
    except ImportError:
        return []
    images = []
    for font in FONTS:
        hershey = module.HersheyFonts()
        hershey.load_default_font(font)
        for letter in LETTERS:
            strokes = [np.array(stroke, float) for stroke in hershey.strokes_for_text(letter)]
            for _ in range(4):
                hand = np.eye(2) + rng.normal(0, 0.12, (2, 2))
                images.append(_strokes([stroke @ hand.T for stroke in strokes]))
    return images


def _strokes(strokes: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    return from_strokes([stroke.tolist() for stroke in strokes]).pixels * np.float32(255)


def _blob(rng: np.random.Generator) -> NDArray[np.float32]:
    grains = Image.fromarray((rng.random((120, 120)) * 255).astype(np.uint8))
    cloud = np.asarray(grains.filter(ImageFilter.GaussianBlur(rng.uniform(3, 14))), np.float32)
    return normalize((cloud >= np.quantile(cloud, rng.uniform(0.6, 0.95))).astype(np.float32)) * np.float32(255)


def _pair(two: Images, gap: int) -> NDArray[np.float32]:
    left, right = (image.astype(np.float32) / np.float32(255) for image in two)
    between = np.zeros((28, gap), np.float32)
    return normalize(np.hstack([left[:, left.any(axis=0)], between, right[:, right.any(axis=0)]])) * np.float32(255)


if __name__ == "__main__":
    main()
