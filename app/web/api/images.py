"""Pictures of 28×28 in JSON: far shorter than lists of numbers, and read by a browser with `atob`."""

from base64 import b64encode

import numpy as np
from numpy.typing import NDArray


def encoded(image: NDArray[np.uint8]) -> str:
    """Base64 of the bytes of an image, uint8 (H, W), 0 is paper and 255 is ink, row by row from the top."""
    return b64encode(np.ascontiguousarray(image, np.uint8).tobytes()).decode("ascii")
