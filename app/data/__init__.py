"""Data sets by name, and the one preprocessing."""

from app.data.catalog import DatasetInfo, list_datasets, load_dataset
from app.data.dataset import Dataset, DatasetUnavailable, Split, split_validation
from app.data.preprocessing.pipeline import Steps
from app.data.preprocessing.prepare import (
    Part,
    Prepared,
    Sheet,
    from_image,
    from_pixels,
    from_strokes,
    sheet_of_image,
    sheet_of_strokes,
)
from app.data.preprocessing.validate import MAX_POINTS
from app.data.sources.synthetic import make_strokes

__all__ = [
    "MAX_POINTS",
    "Dataset",
    "DatasetInfo",
    "DatasetUnavailable",
    "Part",
    "Prepared",
    "Sheet",
    "Split",
    "Steps",
    "from_image",
    "from_pixels",
    "from_strokes",
    "list_datasets",
    "load_dataset",
    "make_strokes",
    "sheet_of_image",
    "sheet_of_strokes",
    "split_validation",
]
