"""Recorded drawings, and the same drawings as pictures, for the tests of this room."""

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from app.data.preprocessing.rasterize import BOX_SIZE, STROKE_WIDTH

FIXTURES = Path(__file__).parent.parent / "fixtures"
CANVAS = 560
SMOOTHING = 4
LARGE = 1000
"""Pixels of a canvas from which on an edge needs no smoothing."""


def recorded() -> dict[str, dict[str, Any]]:
    drawings = json.loads((FIXTURES / "strokes.json").read_text())["drawings"]
    return {drawing["name"]: drawing for drawing in drawings}


def standard_brush(strokes: list[Any]) -> float:
    """The brush, in the drawing's unit, that is the fraction of the drawing that strokes are rendered with."""
    points = np.array([point for stroke in strokes for point in stroke])
    return float(np.ptp(points, axis=0).max()) * STROKE_WIDTH / (BOX_SIZE - STROKE_WIDTH)


def picture(strokes: list[Any], brush: float, *, ink: int = 0, paper: int = 255, size: int = CANVAS) -> Image.Image:
    """Paint strokes on a square canvas with a round brush and soft edges, without any code of the app."""
    fine = SMOOTHING if size <= LARGE else 1
    canvas = Image.new("L", (size * fine, size * fine), paper)
    draw = ImageDraw.Draw(canvas)
    radius = brush * fine / 2
    for stroke in strokes:
        path = [(x * fine, y * fine) for x, y in stroke]
        draw.line(path, fill=ink, width=round(2 * radius))
        for x, y in path:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    return canvas.resize((size, size), Image.Resampling.BOX)


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


THREE = recorded()["digit 3"]["strokes"]
PNG = encode(picture(THREE, standard_brush(THREE)))


def image(pixels: str) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """The 28×28 pixels of an answer."""
    return np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(28, 28)
