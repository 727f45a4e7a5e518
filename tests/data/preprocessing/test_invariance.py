"""The same drawing, moved, scaled, with another brush, on another canvas, as strokes or as a picture: one answer."""

import json

import numpy as np
import pytest
from PIL import Image, ImageOps

from app.data import from_image, from_strokes
from app.data.preprocessing.diagnose import USUAL_STROKE_WIDTH
from app.data.preprocessing.rasterize import STROKE_WIDTH, pen_width
from app.models import ModelStore, Predictors
from app.settings import SHIPPED_MODELS
from tests.support.drawings import FIXTURES, encode, picture, recorded

RECORDED = json.loads((FIXTURES / "drawings.json").read_text())["drawings"]
DRAWINGS = {name: drawing["strokes"] for name, drawing in recorded().items() if name.startswith("digit ")}
DIGITS = list(DRAWINGS)

SAME_TOLERANCE = 0.002
"""Mean absolute difference of two 28×28 that strokes of another place or size may make."""


@pytest.fixture(scope="module")
def reader():
    predictor = Predictors(ModelStore(SHIPPED_MODELS)).get("mnist-mlp")

    def read(prepared):
        return [said.label for said in predictor.predict(prepared)]

    return read


def changed(strokes, scale, x=0.0, y=0.0):
    return [[[a * scale + x, b * scale + y] for a, b in stroke] for stroke in strokes]


def on_canvas(strokes, canvas):
    """The drawing, recorded on 560, on another canvas."""
    return changed(strokes, canvas / 560)


@pytest.mark.parametrize("drawing", RECORDED, ids=[f"{i} {d['kind']}" for i, d in enumerate(RECORDED)])
def test_a_recorded_drawing_goes_through_every_stage_and_keeps_its_image_where_it_is_moved_and_scaled(drawing):
    first = from_strokes(drawing["strokes"])
    assert first.pixels.shape == (28, 28)
    assert not first.blank
    assert 0.9 < first.pixels.max() <= 1
    assert first.pixels.sum(axis=0)[0] == first.pixels.sum(axis=1)[0] == 0
    for scale in (0.2, 0.5, 1.7, 3):
        again = from_strokes(changed(drawing["strokes"], scale, 64, -32)).pixels
        assert np.abs(again - first.pixels).mean() < SAME_TOLERANCE


def test_scaling_and_moving_strokes_keeps_every_label(reader):
    labels = [drawing["label"] for drawing in RECORDED if drawing["label"]]
    for scale, x, y in ((0.2, 0, 0), (0.2, 400, 13), (1.3, -90, 300), (3, 1000, 1000)):
        images = [from_strokes(changed(drawing["strokes"], scale, x, y)) for drawing in RECORDED if drawing["label"]]
        assert reader(images) == labels


@pytest.mark.slow
@pytest.mark.parametrize("canvas", [100, 280, 560, 2000])
def test_the_size_of_the_canvas_changes_no_label(reader, canvas):
    strokes = [on_canvas(DRAWINGS[name], canvas) for name in DIGITS]
    brush = 30 * canvas / 560
    images = [from_image(encode(picture(drawn, brush, size=canvas))) for drawn in strokes]
    assert reader(images) == reader([from_strokes(drawn) for drawn in strokes]) == list("0123456789")


@pytest.mark.parametrize("brush", [4, 8, 12, 20, 30, 40])
def test_the_brush_changes_no_label_of_a_picture(reader, brush):
    assert reader([from_image(encode(picture(DRAWINGS[name], brush))) for name in DIGITS]) == list("0123456789")


@pytest.mark.parametrize(
    ("scale", "brush"), [(0.2, 4), (0.2, 30), (0.35, 12), (0.6, 30), (1.0, 12), (2.0, 30), (3.0, 4), (3.0, 12)]
)
def test_a_picture_scaled_with_its_drawing_keeps_its_label(reader, scale, brush):
    size = round(560 * scale)
    # A brush of a fifth of the drawing closes its holes: there the brush shrinks along.
    width = min(brush, 36 * scale) if scale < 1 else brush
    images = [from_image(encode(picture(changed(DRAWINGS[name], scale), width, size=size))) for name in DIGITS]
    assert reader(images) == list("0123456789")


@pytest.mark.parametrize("place", [(0, 0), (900, 0), (0, 900), (450, 900)])
def test_a_small_drawing_anywhere_on_a_large_picture_keeps_its_label(reader, place):
    images = [
        from_image(encode(picture(changed(DRAWINGS[name], 0.4, *place), 10, size=1200).crop((0, 0, 1200, 1200))))
        for name in DIGITS
    ]
    assert reader(images) == list("0123456789")


INKS = [(0, 0, 0), (200, 30, 30), (20, 60, 200), (0, 140, 70), (90, 20, 140)]


def coloured(image, ink, paper):
    return ImageOps.colorize(image, black=ink, white=paper)


def photographed(image, rng, *, darkest=0.55, blur=1.0, noise=5.0):
    """Paper in uneven light, under a lens, with noise and a fold's shadow."""
    light = np.linspace(1, darkest, image.width)[None, :] * np.linspace(1, 0.9, image.height)[:, None]
    tone = (60 + np.asarray(image, float) * 0.65) * light
    tone[:, image.width // 3 : image.width // 3 + 60] *= 0.96
    tone += rng.normal(0, noise, tone.shape)
    return Image.fromarray(np.clip(tone, 0, 255).astype(np.uint8))


PICTURES = {
    "black on white": lambda image, rng: image,
    "white on black": lambda image, rng: ImageOps.invert(image),
    "pale on grey": lambda image, rng: image.point(lambda tone: 150 + tone * 0.25),
    "one bit": lambda image, rng: image.convert("1"),
    "dithered palette": lambda image, rng: coloured(image, (10, 20, 120), (250, 240, 200)).convert("P"),
    "palette": lambda image, rng: coloured(image, (10, 20, 120), (250, 240, 200)).quantize(32),
    "16 bit": lambda image, rng: Image.fromarray(np.asarray(image).astype(np.uint16) * 257),
    "tiny": lambda image, rng: image.resize((40, 40), Image.Resampling.BOX),
    "huge": lambda image, rng: image.resize((3600, 3600)),
    "wide": lambda image, rng: ImageOps.expand(image, (1500, 0, 1500, 0), 255),
    "photograph": photographed,
    "dark photograph": lambda image, rng: photographed(image, rng, darkest=0.4, noise=4.0),
    "inverted photograph": lambda image, rng: ImageOps.invert(photographed(image, rng, darkest=0.75)),
    **{f"ink {ink}": lambda image, rng, ink=ink: coloured(image, ink, (255, 255, 255)) for ink in INKS},
    "yellow on blue": lambda image, rng: coloured(image, (250, 230, 60), (20, 40, 110)),
}

LARGE = ("huge", "wide")
"""Pictures of megapixels, of which three digits tell as much as ten."""


@pytest.mark.parametrize("kind", PICTURES)
def test_every_kind_of_picture_of_a_digit_keeps_its_label(reader, kind):
    rng = np.random.default_rng(5)
    images = []
    digits = "258" if kind in LARGE else "0123456789"
    for digit in digits:
        image = PICTURES[kind](picture(DRAWINGS[f"digit {digit}"], 30), rng)
        images.append(from_image(encode(image, compress_level=1)))
    assert reader(images) == list(digits)


def test_mnists_usual_stroke_width_is_what_strokes_are_drawn_with(mnist_dir):
    from app.data.sources.mnist import load_mnist

    images = load_mnist(data_dir=mnist_dir, cache_dir=mnist_dir, download=False).train.images[::3]
    widths = [pen_width(image.astype(np.float32) / np.float32(255)) for image in images]
    assert np.mean(widths) == pytest.approx(STROKE_WIDTH, abs=0.02)
    assert np.median(widths) == pytest.approx(USUAL_STROKE_WIDTH, abs=0.05)
