"""Files in MNIST's format for tests to read."""

import gzip
import struct
from pathlib import Path

import numpy as np

from app.data.sources.idx import UNSIGNED_BYTE, ByteArray


def write_idx(path: Path, array: ByteArray, *, compress: bool = False) -> None:
    """Write a uint8 array as IDX, gzipped if `compress`."""
    data = struct.pack(f">BBBB{array.ndim}I", 0, 0, UNSIGNED_BYTE, array.ndim, *array.shape)
    data += np.ascontiguousarray(array).tobytes()
    path.write_bytes(gzip.compress(data, mtime=0) if compress else data)
