import numpy as np
import pytest

from app.data.preprocessing import rasterize_batch
from app.data.preprocessing.normalize import apply_rule
from app.data.preprocessing.rasterize import draw_strokes, sweep
from app.data.preprocessing.rasterize_batch import draw_many, sweep_many
from tests.support.drawings import recorded


def one(strokes, width):
    return np.rint(apply_rule(*draw_strokes(strokes, width)) * 255).astype(np.uint8)


def some(count):
    rng = np.random.default_rng(0)
    drawings = []
    for _ in range(count):
        strokes = [
            np.cumsum(rng.normal(0, 1, (int(rng.integers(1, 12)), 2)), axis=0) for _ in range(rng.integers(1, 4))
        ]
        drawings.append((strokes, float(rng.uniform(0.5, 8))))
    return drawings


def test_many_drawings_are_the_same_images_as_one_by_one():
    drawings = some(70)
    drawings += [
        ([np.array(stroke, float) for stroke in drawing["strokes"]], 2.6)
        for drawing in recorded().values()
        if any(drawing["strokes"])
    ]
    assert np.array_equal(draw_many(drawings), np.stack([one(*drawing) for drawing in drawings]))


@pytest.mark.parametrize("threads", [1, 3])
def test_neither_threads_nor_parts_change_an_image(monkeypatch, threads):
    drawings = some(40)
    whole = draw_many(drawings)
    monkeypatch.setattr(rasterize_batch, "THREADS", threads)
    monkeypatch.setattr(rasterize_batch, "AT_ONCE", 7)
    monkeypatch.setattr(rasterize_batch, "TOGETHER", 3)
    assert np.array_equal(draw_many(drawings), whole)


@pytest.mark.parametrize("radius", [0.5, 3.2, 14.4, 14.6, 40.0])
def test_masks_of_any_size_are_swept_as_one_by_one(radius):
    rng = np.random.default_rng(1)
    masks = [rng.random(shape) < 0.02 for shape in ((1, 1), (5, 90), (60, 4), (70, 70))]
    radii = np.full(4, radius)
    for swept, mask in zip(sweep_many(masks, radii), masks, strict=True):
        assert np.array_equal(swept, sweep(mask, radius))


def test_no_drawings_are_no_images():
    assert draw_many([]).shape == (0, 28, 28)


def test_a_drawing_without_a_point_is_refused():
    with pytest.raises(ValueError, match="at least one point"):
        draw_many([([np.zeros((3, 2))], 2.0), ([np.zeros((0, 2))], 2.0)])
