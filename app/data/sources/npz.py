"""Export of a data set as one .npz file, which `npz:PATH` can load."""

import io

import numpy as np

from app.data.dataset import Dataset


def write_npz(dataset: Dataset) -> bytes:
    """The compressed arrays `x_train`, `y_train`, `x_test`, `y_test`, as Keras names them, and `labels`.

    Images are uint8 (N, 28, 28), 0 is paper and 255 is ink; y (N,) are indices into `labels`, strings.
    """
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        x_train=dataset.train.images,
        y_train=dataset.train.labels,
        x_test=dataset.test.images,
        y_test=dataset.test.labels,
        labels=np.array(dataset.labels),
    )
    return packed.getvalue()
