"""scikit-learn's `MLPClassifier` as a model of digitpad."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from app import __version__
from app.data.preprocessing.normalize import IMAGE_SIZE
from app.errors import InputError
from app.models.card import ModelCard
from app.nn import Network
from app.nn.arrays import Array

ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
"""scikit-learn's names of activations, and digitpad's."""


def from_sklearn(
    classifier: Any,
    *,
    name: str = "sklearn",
    labels: Sequence[str] | None = None,
    input_scale: float = 255.0,
    dataset: str = "unknown",
) -> tuple[ModelCard, Network]:
    """The card and the network of a fitted `sklearn.neural_network.MLPClassifier`, for `ModelStore.save`.

    The classifier must be fitted on rows of 784 pixels, ink is 1 and paper 0, or these times 255/`input_scale`: 255 for
    pixels from 0 to 1, 1 for bytes. The network's probabilities equal its `predict_proba`, column for column; `labels`
    name them, by default the classifier's `classes_`. scikit-learn itself is not needed here.

    Raises TypeError if it is not a fitted classifier, ValueError for one of another kind.
    """
    try:
        weights = [np.asarray(array) for array in classifier.coefs_]
        biases = [np.asarray(array) for array in classifier.intercepts_]
        hidden, out, classes = classifier.activation, classifier.out_activation_, list(classifier.classes_)
    except AttributeError as error:
        raise TypeError(f"expected a fitted MLPClassifier; got {type(classifier).__name__} ({error})") from None
    if hidden not in ACTIVATIONS:
        raise InputError(
            "expected one of {names}; got {value}",
            field="activation",
            names=", ".join(ACTIVATIONS),
            value=repr(hidden),
        )
    if len(weights[0]) != IMAGE_SIZE**2:
        raise InputError(
            "expected a classifier of {features} features, 28×28 pixels; got {count}",
            features=IMAGE_SIZE**2,
            count=len(weights[0]),
        )
    if out == "logistic" and weights[-1].shape[1] == 1 and len(classes) == 2:
        # The logistic function of z is the softmax of (0, z).
        weights[-1] = np.concatenate([np.zeros_like(weights[-1]), weights[-1]], axis=1)
        biases[-1] = np.concatenate([np.zeros_like(biases[-1]), biases[-1]])
    elif out != "softmax":
        raise InputError(
            "expected a classifier with one label per sample; got one whose outputs are {activation}",
            activation=repr(out),
        )
    layers: list[dict[str, Any]] = []
    arrays: dict[str, Array] = {}
    for weight, bias in zip(weights, biases, strict=True):
        if layers:
            layers.append({"type": ACTIVATIONS[hidden]})
        arrays |= {f"{len(layers)}.weight": weight, f"{len(layers)}.bias": bias}
        layers.append({"type": "dense", "units": weight.shape[1]})
    dtype = "float32" if weights[0].dtype == np.float32 else "float64"
    network = Network.from_spec({"layers": layers}, input_shape=(IMAGE_SIZE, IMAGE_SIZE), dtype=dtype)
    network.load_weights(arrays)
    card = ModelCard(
        name=name,
        network=network.spec(),
        dtype=dtype,
        labels=[str(label) for label in (classes if labels is None else labels)],
        input_scale=input_scale,
        recipe="sklearn",
        dataset=dataset,
        config={},
        seed=0,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        software={"digitpad": __version__},
        parameters=network.params.size,
        sha256="0" * 64,
    )
    if len(card.labels) != len(classes):
        raise InputError(
            "expected one for each of the {count} classes; got {got}",
            field="labels",
            count=len(classes),
            got=len(card.labels),
        )
    return card, network
