"""Data sets by name, and the one preprocessing."""

from app.data.catalog import DatasetInfo, list_datasets, load_dataset
from app.data.dataset import Dataset, DatasetUnavailable, Split, split_validation
from app.data.preprocessing import MAX_POINTS, Prepared, from_image, from_pixels, from_strokes
from app.data.strokes import make_strokes

__all__ = [
    "MAX_POINTS",
    "Dataset",
    "DatasetInfo",
    "DatasetUnavailable",
    "Prepared",
    "Split",
    "from_image",
    "from_pixels",
    "from_strokes",
    "list_datasets",
    "load_dataset",
    "make_strokes",
    "split_validation",
]
