"""Real exports to ONNX of PyTorch, Keras and scikit-learn, of networks that digitpad takes in.

    python -m tests.models.formats.make_exports FOLDER

writes those whose packages are installed, and says of the others what they need.
"""

import os
import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np


def missing(name):
    """The packages that the export needs and that are not installed."""
    return [package for package in EXPORTS[name][0] if find_spec(package) is None]


def make(name):
    """The bytes of the ONNX file."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # the exporters' own
        path = Path(folder, "model.onnx")
        EXPORTS[name][1](path)
        return path.read_bytes()


def from_torch(head, *, end=None, shape=(1, 28, 28), **options):
    """An export of PyTorch: what comes before the first layer, and after the last."""

    def write(path):
        import torch

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = torch.nn.Sequential(
                    *(torch.nn.Linear(784, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Dropout(0.5)),
                    torch.nn.Linear(16, 10),
                )

            def forward(self, x):
                y = self.layers(head(x))
                return y if end is None else end(y)

        torch.manual_seed(0)
        torch.onnx.export(Net().eval(), (torch.rand(2, *shape),), str(path), external_data=False, **options)

    return write


def torch_sequential(**options):
    def write(path):
        from torch import nn, onnx, rand

        layers = (nn.Linear(784, 16), nn.ReLU6(), nn.Hardtanh(0, float("inf")), nn.Tanh(), nn.LeakyReLU(0.1))
        model = nn.Sequential(nn.Flatten(), layers[0], nn.ReLU(), *layers[2:], nn.Linear(16, 10), nn.LogSoftmax(1))
        onnx.export(model.eval(), (rand(1, 1, 28, 28),), str(path), external_data=False, **options)

    return write


def from_keras(*kinds, shape=(28, 28, 1)):
    def write(path):
        os.environ.setdefault("KERAS_BACKEND", "torch")
        import keras

        layers = [getattr(keras.layers, kind)(*values) for kind, *values in kinds]
        model = keras.Sequential([keras.Input(shape), *layers])
        model(np.zeros((1, *shape), np.float32))
        model.export(str(path), format="onnx", verbose=False)

    return write


def from_sklearn(**options):
    def write(path):
        from skl2onnx import to_onnx
        from sklearn.neural_network import MLPClassifier

        images = np.random.default_rng(0).random((100, 784)).astype(np.float32)
        classifier = MLPClassifier((16,), max_iter=3, random_state=0).fit(images, np.arange(100) % 10)
        path.write_bytes(to_onnx(classifier, images[:1], **options).SerializeToString())

    return write


TORCH, KERAS, SKLEARN = ("torch", "onnxscript"), ("keras", "torch", "onnxscript"), ("sklearn", "skl2onnx")
OLD = {"dynamo": False, "dynamic_axes": {"x": {0: "n"}}, "input_names": ["x"]}
NEW = {"dynamo": True, "dynamic_shapes": ({0: "n"},)}
HEADS = {
    "flatten": lambda x: x.flatten(1),
    "view with a size": lambda x: x.view(x.size(0), -1),
    "view with all sizes": lambda x: x.view(x.size(0), x.size(1) * x.size(2) * x.size(3)),
    "view": lambda x: x.view(-1, 784),
    "normalized": lambda x: ((x - 0.1307) / 0.3081).flatten(1),
    "inverted": lambda x: (1 - x).reshape(x.shape[0], -1),
    "transposed": lambda x: x.transpose(2, 3).flatten(1),
    "squeezed": lambda x: x.squeeze(1).flatten(1),
}
DENSE = [("Dense", 16, "relu"), ("Dropout", 0.5), ("Dense", 10, "softmax")]
EXPORTS = {
    **{f"torch, {name}": (TORCH[:1], from_torch(head, **OLD)) for name, head in HEADS.items()},
    **{f"torch, {name}, dynamo": (TORCH, from_torch(head, **NEW)) for name, head in HEADS.items()},
    "torch, static": (TORCH[:1], from_torch(HEADS["view with a size"], dynamo=False)),
    "torch, static, dynamo": (TORCH, from_torch(HEADS["view with a size"], dynamo=True)),
    "torch, unfolded": (TORCH[:1], from_torch(HEADS["view with a size"], **OLD, do_constant_folding=False)),
    "torch, old operators": (TORCH[:1], from_torch(HEADS["view with a size"], **OLD, opset_version=9)),
    "torch, log-softmax": (TORCH[:1], from_torch(HEADS["view"], end=lambda y: y.log_softmax(1), **OLD)),
    "torch, probabilities": (TORCH, from_torch(HEADS["view"], end=lambda y: y.softmax(-1), **NEW)),
    "torch, activations": (TORCH[:1], torch_sequential(dynamo=False)),
    "torch, activations, dynamo": (TORCH, torch_sequential(dynamo=True)),
    "keras": (KERAS, from_keras(("Flatten",), *DENSE)),
    "keras, normalized": (
        KERAS,
        from_keras(("Rescaling", 2.0, -1.0), ("Flatten",), ("Dense", 16, "relu"), ("BatchNormalization",), *DENSE[2:]),
    ),
    "keras, reshaped": (KERAS, from_keras(("Reshape", (784,)), *DENSE, shape=(28, 28))),
    "scikit-learn": (SKLEARN, from_sklearn(options={"zipmap": False})),
    "scikit-learn, a map": (SKLEARN, from_sklearn()),
}


def main(folder):
    for name in EXPORTS:
        lacking = missing(name)
        if lacking:
            sys.stdout.write(f"{name}: needs {', '.join(lacking)}\n")
        else:
            Path(folder, f"{name.replace(', ', '-').replace(' ', '-')}.onnx").write_bytes(make(name))


if __name__ == "__main__":
    main(sys.argv[1])
