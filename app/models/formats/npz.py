"""Export for NumPy: `numpy.load(file)` gives the arrays and the card as JSON.

Entries: the weights as in `Network.weights()` ("0.weight" is the first layer's; a dense layer's is (inputs, units), a
convolution's (filters, channels, height, width)), those of the calibration ("rejection.mean", ...), and `model`, a
text: the model card as JSON, whose `network` describes the layers.
"""

from io import BytesIO

import numpy as np
from safetensors.numpy import load

from app.models.formats.source import Source

MODEL = "model"
"""The entry with the card."""


def write(source: Source) -> bytes:
    """The bytes of the `.npz`."""
    file = BytesIO()
    arrays = dict(sorted(load(source.weights).items()))
    np.savez_compressed(file, allow_pickle=False, **{MODEL: np.array(source.card.model_dump_json())}, **arrays)
    return file.getvalue()
