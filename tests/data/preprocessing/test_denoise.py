"""Noise is measured and smoothed in proportion to it; what has none stays bit for bit as it is."""

import io

import numpy as np
import pytest
from PIL import Image

from app.data import from_image, from_pixels, from_strokes
from app.data.preprocessing.denoise import noise_deviation, picture_deviation, smoothed, without_noise
from app.data.preprocessing.ink import find_ink
from tests.support.drawings import encode, picture, recorded

DRAWINGS = {name: drawing["strokes"] for name, drawing in recorded().items() if name.startswith("digit")}
PICTURES = {name: picture(strokes, 30).resize((300, 300), Image.Resampling.BOX) for name, strokes in DRAWINGS.items()}
PREPARED = {name: from_strokes(strokes).pixels for name, strokes in DRAWINGS.items()}


LIGHT = np.linspace(0.5, 1, 300, dtype=np.float32)


def noisy(picture, deviation, seed=0):
    noise = np.random.default_rng(seed).normal(0, deviation, picture.shape)
    return np.clip(picture + noise, 0, 1).astype(np.float32)


@pytest.mark.parametrize("deviation", [0.02, 0.05, 0.1, 0.25])
@pytest.mark.parametrize("paper", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("side", [28, 100, 600])
def test_noise_is_measured_within_20_percent_even_where_black_or_white_cuts_it_off(deviation, paper, side):
    page = np.full((side, side), paper)
    found = np.mean([noise_deviation(noisy(page, deviation, seed)) for seed in range(10 if side < 600 else 1)])
    assert found == pytest.approx(deviation, rel=0.2)


@pytest.mark.parametrize("name", DRAWINGS)
def test_ink_and_light_are_no_noise(name):
    clean = np.asarray(PICTURES[name]).astype(np.float32) / 255
    assert noise_deviation(clean) == 0
    assert noise_deviation(clean * (LIGHT + LIGHT[:, None]) / 2) < 0.002
    assert noise_deviation(noisy(clean, 0.1)) == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize("name", PREPARED)
def test_pixels_without_noise_stay_bit_for_bit_as_they_are(name):
    pixels = PREPARED[name]
    moved = np.roll(pixels, (3, -3), (0, 1))
    for given in (pixels, moved, 1 - pixels, pixels * np.float32(0.5)):
        assert without_noise(given) is given
        assert np.array_equal(from_pixels(given).pixels, given)


def test_what_is_no_ink_on_paper_is_let_alone():
    rng = np.random.default_rng(0)
    texture = rng.random((28, 28)).astype(np.float32)
    assert without_noise(texture) is texture
    item = np.zeros((28, 28), np.float32)
    item[:, 6:22] = 0.3 + 0.5 * rng.random((28, 16))
    assert without_noise(item) is item


@pytest.mark.parametrize("deviation", [0.1, 0.25])
@pytest.mark.parametrize("name", PREPARED)
def test_noise_goes_from_pixels_and_the_digit_stays(name, deviation):
    pixels = PREPARED[name]
    came = noisy(pixels, deviation)
    left = from_pixels(came).pixels
    assert left.dtype == np.float32
    assert 0 <= left.min() <= left.max() <= 1
    assert np.abs(left - pixels).mean() < 0.6 * np.abs(came - pixels).mean()
    assert np.mean(left[pixels == 0] == 0) > 0.9


@pytest.mark.parametrize("deviation", [0.02, 0.1, 0.25, 0.4])
@pytest.mark.parametrize("tone", [0, 0.5, 1])
@pytest.mark.parametrize("side", [28, 100, 300])
def test_a_page_of_noise_is_blank(side, tone, deviation):
    page = noisy(np.full((side, side), tone), deviation)
    assert from_image(encode(Image.fromarray((page * 255).astype(np.uint8)))).blank


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("inverted", [False, True])
def test_a_very_noisy_picture_is_the_drawing(name, inverted):
    clean = np.asarray(PICTURES[name]).astype(np.float32) / 255
    came = noisy(1 - clean if inverted else clean, 0.2)
    found = from_image(encode(Image.fromarray((came * 255).astype(np.uint8))))
    # the centre of mass may round to the next pixel
    moved = [np.roll(found.pixels, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    assert min(np.abs(pixels - PREPARED[name]).mean() for pixels in moved) < 0.03


def test_more_noise_is_smoothed_more_and_what_is_left_is_known():
    page = np.full((200, 200), 0.5)
    for deviation in (0.05, 0.1, 0.2):
        grey = (noisy(page, deviation) * 255).astype(np.uint8)
        smooth, left = smoothed(grey, deviation)
        assert (smooth / 255).std() == pytest.approx(left, rel=0.25)
        assert left < 0.03
        assert smoothed(grey, deviation, 0.06)[1] > left


def test_a_large_noisy_picture_comes_back_smaller_with_the_ink_in_its_place():
    clean = np.asarray(PICTURES["digit 1"].resize((1100, 1100))).astype(np.float32) / 255
    found = find_ink((noisy(clean, 0.05) * 255).astype(np.uint8))
    assert max(found.ink.shape) <= 512
    assert found.is_noisy
    ink, wanted = found.ink > 0.5, clean < 0.5
    for axis in (0, 1):
        places = [np.flatnonzero(mask.any(axis=axis))[[0, -1]] / mask.shape[1 - axis] for mask in (ink, wanted)]
        assert places[0] == pytest.approx(places[1], abs=0.01)


def read_on_paper(page, deviation, seed=0):
    return find_ink((255 * noisy(page / 255, deviation / 255, seed)).astype(np.uint8))


def is_drawn(found, name):
    """The ink is where the drawing's is, to within a pixel or so at its edge."""
    return ((found.ink > 0.5) == (np.asarray(PICTURES[name]) < 128)).mean() > 0.97


def on_paper(name, paper, ink):
    return ink + (paper - ink) * (np.asarray(PICTURES[name]) / 255)


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize(("paper", "ink"), [(230, 150), (230, 170), (160, 80)])
@pytest.mark.parametrize("deviation", [12, 20, 30])
def test_pale_ink_on_a_noisy_picture_is_found(name, paper, ink, deviation):
    assert is_drawn(read_on_paper(on_paper(name, paper, ink), deviation), name)


def jpeg(grey, quality):
    return np.asarray(Image.open(io.BytesIO(encode(Image.fromarray(grey), "JPEG", quality=quality))))


@pytest.mark.parametrize("quality", [30, 60, 85])
@pytest.mark.parametrize("deviation", [8, 20, 35])
@pytest.mark.parametrize("name", ["digit 3", "digit 8"])
def test_pale_ink_is_found_in_noise_that_jpeg_has_spread(name, quality, deviation):
    came = (255 * noisy(on_paper(name, 230, 150) / 255, deviation / 255)).astype(np.uint8)
    assert is_drawn(find_ink(jpeg(came, quality)), name)


@pytest.mark.parametrize("wide", [2, 4])
def test_noise_that_was_enlarged_is_measured_as_more_than_its_laplacian_says(wide):
    page = np.kron(noisy(np.full((300 // wide, 300 // wide), 0.5), 0.1), np.ones((wide, wide), np.float32))
    blurred = np.asarray(Image.fromarray((255 * page).astype(np.uint8)).resize((299, 299), Image.Resampling.BICUBIC))
    page = blurred.astype(np.float32) / 255
    assert picture_deviation(page) > max(0.1, 1.5 * noise_deviation(page))


def framed(grey, tone, wide, sides):
    grey = grey.copy()
    for side in sides:
        {"top": grey, "bottom": grey[::-1], "left": grey.T, "right": grey.T[::-1]}[side][:wide] = tone
    return grey


FRAMES = {"all around": ("top", "bottom", "left", "right"), "two sides": ("left", "right"), "one side": ("top",)}


@pytest.mark.parametrize("sides", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize(("paper", "wide"), [(235, 3), (235, 20), (250, 3)])
@pytest.mark.parametrize("deviation", [10, 40])
def test_noise_within_a_white_frame_or_padding_is_smoothed(paper, sides, wide, deviation):
    came = (255 * noisy(on_paper("digit 8", paper, 20) / 255, deviation / 255)).astype(np.uint8)
    found = find_ink(framed(came, 255, wide, sides))
    assert found.is_noisy
    assert found.ink.shape == came.shape
    assert is_drawn(found, "digit 8")


@pytest.mark.parametrize("margin", [((1, 1), (1, 1)), ((3, 3), (1, 1))])
@pytest.mark.parametrize("inverted", [False, True])
def test_small_pictures_without_noise_that_are_all_stroke_are_not_noisy(margin, inverted):
    for pixels in PREPARED.values():
        rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        cut = np.pad((255 * pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]).astype(np.uint8), margin)
        assert not find_ink(255 - cut if inverted else cut).is_noisy


@pytest.mark.parametrize("deviation", [0.02, 0.04])
def test_so_little_noise_that_smoothing_would_do_harm_stays_on_pixels(deviation):
    for pixels in PREPARED.values():
        came = noisy(pixels, deviation)
        assert without_noise(came) is came


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 2), (3, 2), (3, 3), (5, 7), (28, 28), (3, 600)])
def test_noise_of_any_shape_is_read_without_a_failure(shape):
    rng = np.random.default_rng(0)
    for tones in (rng.integers(0, 256, shape), 255 * rng.integers(0, 2, shape), np.indices(shape).sum(axis=0) % 256):
        assert np.isfinite(from_image(encode(Image.fromarray(tones.astype(np.uint8)))).pixels).all()


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("even_out", [False, True])
def test_a_clean_picture_is_bit_for_bit_the_same_whatever_is_switched(smooth, even_out):
    grey = np.asarray(picture(DRAWINGS["digit 5"], 30))
    every, other = find_ink(grey), find_ink(grey, smooth=smooth, even_out=even_out)
    assert np.array_equal(every.ink, other.ink)
    assert (every.is_noisy, every.is_uneven) == (False, False)
