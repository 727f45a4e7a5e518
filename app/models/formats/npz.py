"""A model for NumPy alone: `numpy.load(file)` gives its arrays and, as JSON, what they belong to.

Entries: the weights as `Network.weights()` names them ("0.weight" is that of the first layer; a dense one's is (inputs,
units), a convolution's (filters, channels, height, width)), those of the calibration ("rejection.mean", ...), and
`model`, a text: the model card as JSON, whose `network` is the description of the layers.
"""

from io import BytesIO

import numpy as np
from safetensors.numpy import load

from app.models.formats.source import Source

MODEL = "model"
"""The entry that holds the card."""


def write(source: Source) -> bytes:
    """The bytes of the `.npz`."""
    file = BytesIO()
    arrays = dict(sorted(load(source.weights).items()))
    np.savez_compressed(file, allow_pickle=False, **{MODEL: np.array(source.card.model_dump_json())}, **arrays)
    return file.getvalue()
