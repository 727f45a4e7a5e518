"""Zips of images, as people make them."""

import zipfile
from io import BytesIO

import numpy as np
from PIL import Image


def png(label: str = "up", number: int = 0, size: int = 40) -> bytes:
    """A bar that stands ("up") or lies, dark on white."""
    pixels = np.full((size, size), 255, np.uint8)
    bar = pixels if label == "up" else pixels.T
    place = 12 + number % 10
    bar[6:34, place : place + 4] = 0
    packed = BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return packed.getvalue()


def zip_of(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files by path."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return packed.getvalue()


def bar_files(each: int = 7, within: str = "") -> dict[str, bytes]:
    """Images of two labels, a folder for each."""
    return {f"{within}{label}/{number}.png": png(label, number) for label in ("up", "flat") for number in range(each)}


def bars_csv(rows: int = 24, *, header: bool = True) -> bytes:
    """A table as Kaggle has MNIST, of two labels, 3 and 7."""
    names = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    lines = [names] if header else []
    for row in range(rows):
        image = np.zeros((28, 28), np.uint8)
        (image if row % 2 else image.T)[5 + row % 18] = 200
        lines.append(",".join(["7" if row % 2 else "3", *map(str, image.ravel().tolist())]))
    return "\n".join(lines).encode()
