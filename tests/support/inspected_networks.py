"""Small networks of every kind in a store, and a drawing for them."""

import base64
from pathlib import Path

import numpy as np

from app.data import from_strokes
from app.learn.inspection.subject import InspectedNetwork, open_subject
from app.models import ModelCard, ModelStore
from app.nn import Network
from tests.support.drawings import recorded

LABELS = list("0123456789")
PIXELS = from_strokes(recorded()["digit 3"]["strokes"]).pixels

NETWORKS = {
    "mlp": (["dense 20", "relu", "dense 10"], "cross_entropy"),
    "smoothed": (
        ["dense 12", "batch_norm", "tanh", "dropout", "dense 10"],
        {"type": "cross_entropy", "label_smoothing": 0.1},
    ),
    "softmax": (["dense 12", "sigmoid", "dense 10", "softmax"], "squared_error"),
    "sigmoid": (["flatten", "dense 9", "gelu", "dense 10", "sigmoid"], "squared_error"),
    "cnn": (
        [
            *(
                {"type": "conv2d", "filters": 3, "kernel_size": 5, "stride": 1, "padding": 2},
                "batch_norm",
                "leaky_relu",
            ),
            *("max_pool2d", {"type": "conv2d", "filters": 4, "kernel_size": 2, "stride": 2, "padding": 1}, "relu"),
            *("average_pool2d", "flatten", "dense 11", "relu", "dense 10"),
        ],
        "cross_entropy",
    ),
    "flat": (
        [
            {"type": "conv2d", "filters": 2, "kernel_size": 4, "stride": 4},
            *("flatten", "batch_norm", "tanh", "dense 10"),
        ],
        "cross_entropy",
    ),
    "perceptron": (["dense 10", "step"], "squared_error"),
}
FIELDS = {"dropout": {"rate": 0.4}}


def layer(spec: object) -> object:
    if not isinstance(spec, str):
        return spec
    kind, _, units = spec.partition(" ")
    return {"type": kind, **FIELDS.get(kind, {}), **({"units": int(units)} if units else {})}


def save(home: Path, name: str, layers: list[object], loss: object, dtype: str = "float32") -> ModelStore:
    """A store with a network whose weights, and running means and variances, are drawn by a seed."""
    network = Network.from_spec({"layers": list(map(layer, layers))}, input_shape=(28, 28), dtype=dtype)
    network.initialize(7)
    rng = np.random.default_rng(8)
    network.params[network.decayed :] += 0.1 * rng.standard_normal(network.params.size - network.decayed)
    for one in network.layers:
        for array in one.state.values():
            array += 0.1 * rng.random(array.shape)
    store = ModelStore(home)
    values = {
        "name": name,
        "network": network.spec(),
        "dtype": dtype,
        "labels": LABELS,
        "input_scale": 255,
        "recipe": "custom",
        "dataset": "strokes",
        "config": {"loss": loss},
        "seed": 7,
        "created": "2026-01-01T00:00:00Z",
        "software": {},
        "parameters": network.params.size,
        "sha256": "0" * 64,
    }
    store.save(ModelCard.model_validate(values), network, replace=True)
    return store


def subject(home: Path, name: str, dtype: str | None = "float64") -> InspectedNetwork:
    """One of NETWORKS with the drawing of a 3 before it, a network of its own at every call."""
    return open_subject(save(home, name, *NETWORKS[name]), name, PIXELS, dtype=dtype)


def values(picture: dict) -> np.ndarray:
    """The numbers of a picture, as a browser reads them."""
    return np.frombuffer(base64.b64decode(picture["values"]), "<f4").reshape(picture["shape"])
