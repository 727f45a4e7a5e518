"""Data sets by name, and the one preprocessing."""

from app.data.catalog import DatasetInfo, list_datasets, load_dataset
from app.data.dataset import Dataset, DatasetUnavailable, Split, split_validation
from app.data.preprocessing import (
    MAX_POINTS,
    Part,
    Prepared,
    Sheet,
    from_image,
    from_pixels,
    from_strokes,
    sheet_of_image,
    sheet_of_strokes,
)
from app.data.steps import Steps
from app.data.strokes import make_strokes

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
