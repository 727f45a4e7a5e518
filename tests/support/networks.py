"""Networks of every kind of layer, with weights as if they had learned, for the tests of what leaves the store."""

import os
from pathlib import Path

import numpy as np

from app.data import DatasetCatalog, PreparedImage
from app.models import ModelCard, Predictor
from app.nn import Network

DIGITS = [str(digit) for digit in range(10)]
CALIBRATION = {
    "fitted_on": {"data": "validation", "samples": 100},
    "measured_on": {"data": "test", "samples": 100},
    "bins": 15,
    "ece_before": 0.1,
    "ece_after": 0.1,
    "nll_before": 0.1,
    "nll_after": 0.1,
}


def dense(units):
    return {"type": "dense", "units": units}


def conv(filters, size, **fields):
    return {"type": "conv2d", "filters": filters, "kernel_size": size, **fields}


def kinds(*types):
    return [{"type": type_} for type_ in types]


RELU, BATCH_NORM = {"type": "relu"}, {"type": "batch_norm"}
LENET = [
    *(conv(6, 5, padding=2), RELU, {"type": "max_pool2d"}, conv(16, 5), RELU, {"type": "max_pool2d"}),
    *(dense(120), RELU, dense(84), RELU, dense(10)),
]
NETWORKS = {
    "lenet": ([28, 28], LENET),
    "batch norm": ([784], [dense(40), BATCH_NORM, RELU, {"type": "dropout", "rate": 0.5}, dense(10)]),
    "batch norm of images": (
        [28, 28],
        [BATCH_NORM, conv(4, 3, padding="same"), BATCH_NORM, RELU, {"type": "average_pool2d", "size": 4}, dense(10)],
    ),
    "flattened and normalized": (
        [1, 28, 28],
        [conv(3, [4, 2], stride=2, padding=0), *kinds("flatten", "batch_norm", "tanh"), dense(10)],
    ),
    "even kernels, windows that overlap": (
        [28, 28],
        [conv(3, 4, padding="same"), {"type": "max_pool2d", "size": 4, "stride": 2}, *kinds("softmax"), dense(10)],
    ),
    "channels of pixels": ([4, 14, 14], [conv(3, 3, padding=1), {"type": "leaky_relu", "slope": 0.2}, dense(10)]),
    "no dense layer": ([28, 28], [conv(5, 14, stride=14), *kinds("sigmoid", "flatten"), {"type": "identity"}]),
    "every activation": (
        [28, 28],
        [
            *(dense(30), {"type": "gelu"}, dense(20), {"type": "gelu", "approximate": "tanh"}),
            *(dense(20), *kinds("sigmoid", "identity"), dense(20), *kinds("tanh"), dense(10)),
        ],
    ),
    "a step": ([28, 28], [dense(30), *kinds("step"), dense(10)]),
    "softmax at the end": ([784], [dense(20), {"type": "leaky_relu"}, dense(10), *kinds("softmax")]),
}

ENDS = {
    "a perceptron": [dense(10), *kinds("step")],
    "batch norm at the end": [dense(10), BATCH_NORM],
    "relu at the end": [dense(10), RELU],
    "sigmoid at the end": [dense(10), *kinds("sigmoid")],
    "batch norm and softmax at the end": [dense(10), BATCH_NORM, *kinds("softmax")],
    "relu and softmax at the end": [dense(10), RELU, *kinds("softmax")],
    "batch norm at the beginning": [BATCH_NORM, *kinds("flatten"), dense(10)],
}
"""Layers of small networks on images, whose ends and beginnings are seldom seen."""


def make(name, *, temperature=0.6, input_scale=255.0, dtype="float32"):
    """The card and the network of that name; its logits are about as large as those of one that has learned."""
    shape, layers = NETWORKS.get(name) or ([1, 28, 28], ENDS[name])
    network = Network.from_spec({"layers": layers}, input_shape=tuple(shape), dtype=dtype)
    network.initialize(1)
    rng = np.random.default_rng(1)
    for key, array in network.weights().items():
        spread = rng.uniform(0.5, 1.5, array.shape)
        if key.endswith(("gamma", "variance")):
            array[...] = spread
        elif not key.endswith("weight"):
            array[...] = rng.normal(0, 0.2, array.shape)
    outputs = network.output_shape[0]
    card = ModelCard(
        name="made",
        network=network.spec(),
        dtype=dtype,
        labels=[*DIGITS, *(f"sign {index}" for index in range(outputs - 10))],
        input_scale=input_scale,
        calibration=None if temperature is None else {"temperature": temperature, **CALIBRATION},
        recipe="custom",
        dataset="none",
        config={},
        seed=1,
        created="2026-01-01T00:00:00Z",
        software={},
        parameters=network.params.size,
        sha256="0" * 64,
    )
    return card, network


def pictures(count, cache_dir):
    """Test images of MNIST, or of `strokes` where it is missing: float32 (count, 28, 28), 0 to 1."""
    folder = os.environ.get("DIGITPAD_DATA_DIR")
    data_dir = Path(folder) if folder and Path(folder).is_dir() else None
    found = DatasetCatalog(cache_dir, data_dir).load("strokes" if data_dir is None else "mnist")
    return found.test.images[:count].astype(np.float32) / 255


def said(card, network, images):
    """The probabilities that /predict gives, float64 (N, labels)."""
    answers = Predictor(card, network).predict([PreparedImage(image, blank=False) for image in images])
    return np.array([list(answer.probabilities.values()) for answer in answers])
