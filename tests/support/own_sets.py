"""Data sets of the user's own, below a folder `data`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.data import Dataset, DatasetCatalog, DatasetInfo


def catalog(tmp_path: Path) -> DatasetCatalog:
    return DatasetCatalog(tmp_path / "cache", tmp_path / "data")


def load(name: str, tmp_path: Path) -> Dataset:
    return catalog(tmp_path).load(name)


def info(name: str, tmp_path: Path) -> DatasetInfo:
    return catalog(tmp_path).info(name)


def picture(path: Path, number: int, size: int = 40) -> None:
    """A bar that stands or lies, dark on white."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size, size), 255, np.uint8)
    place = 8 + number % 10
    if path.parent.name in ("up", "1"):
        pixels[6:34, place + 8 : place + 12] = 0
    else:
        pixels[place + 8 : place + 12, 6:34] = 0
    Image.fromarray(pixels).save(path)


def bar_images(count: int) -> NDArray[np.uint8]:
    """Images of bars that lie and stand in turn, light on black."""
    images = np.zeros((count, 28, 28), np.uint8)
    for number, image in enumerate(images):
        (image if number % 2 else image.T)[5 + number % 18] = 200
    return images
