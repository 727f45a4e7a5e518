"""Data sets by name, and the preprocessing of drawings."""

from app.data.catalog import DatasetCatalog, DatasetInfo
from app.data.dataset import Dataset, DatasetUnavailable, Split, split_validation
from app.data.preprocessing.pipeline import PipelineSteps
from app.data.preprocessing.prepare import (
    PreparedDrawing,
    PreparedImage,
    Segment,
    drawing_from_image,
    drawing_from_strokes,
    from_image,
    from_pixels,
    from_strokes,
)
from app.data.preprocessing.validate import MAX_POINTS
from app.data.sources.synthetic import make_strokes

__all__ = [
    "MAX_POINTS",
    "Dataset",
    "DatasetCatalog",
    "DatasetInfo",
    "DatasetUnavailable",
    "PipelineSteps",
    "PreparedDrawing",
    "PreparedImage",
    "Segment",
    "Split",
    "drawing_from_image",
    "drawing_from_strokes",
    "from_image",
    "from_pixels",
    "from_strokes",
    "make_strokes",
    "split_validation",
]
