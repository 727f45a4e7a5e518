"""Light that falls unevenly is taken out, whatever the polarity, and what is ink is known by it."""

import numpy as np
import pytest
from PIL import Image

from app.data.preprocessing.background import estimate_background, find_uniform_background, strip_letterbox
from app.data.preprocessing.ink import find_ink
from tests.support.drawings import picture, recorded

DRAWINGS = {name: drawing["strokes"] for name, drawing in recorded().items() if name.startswith("digit")}
SIDE = 300
ACROSS, DOWN = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
LIGHTS = {
    "from the left": 0.75 - 0.25 * ACROSS,
    "from a corner": 0.7 + 0.15 * ACROSS + 0.15 * DOWN,
    "a lamp": 1 - 0.22 * ((ACROSS - 0.3) ** 2 + (DOWN + 0.4) ** 2),
    "the edge of a shadow": 0.6 + 0.4 / (1 + np.exp(-12 * (ACROSS + DOWN - 0.6))),
}

UNDECIDED = ("the edge of a shadow", True)
"""Light ink, and the lit part of a page half in the shade, are the same to whoever sees the tones alone."""


def drawn(name, *, light_ink):
    ink = (
        1 - np.asarray(picture(DRAWINGS[name], 30).resize((SIDE, SIDE), Image.Resampling.BOX)).astype(np.float32) / 255
    )
    return ink, (0.35 + 0.6 * ink if light_ink else 0.9 - 0.75 * ink)


@pytest.mark.parametrize(
    ("light", "light_ink"), [(light, ink) for light in LIGHTS for ink in (False, True) if (light, ink) != UNDECIDED]
)
@pytest.mark.parametrize("name", DRAWINGS)
def test_uneven_light_is_taken_out_and_the_ink_is_known(name, light, light_ink):
    ink, page = drawn(name, light_ink=light_ink)
    found = find_ink((255 * page * LIGHTS[light]).astype(np.uint8))
    assert found.is_light == light_ink
    assert ((found.ink > 0.5) == (ink > 0.5)).mean() > 0.98


@pytest.mark.parametrize("light", ["from the left", "from a corner", "a lamp"])
def test_a_smooth_light_leaves_no_trace_on_the_paper_or_the_ink(light):
    ink, page = drawn("digit 8", light_ink=False)
    found = estimate_background((page * LIGHTS[light]).astype(np.float32))
    assert not found.is_even
    assert np.abs(found.contrast[ink == 0]).max() < 0.02
    full = found.contrast[ink == 1]
    assert np.ptp(full) < 0.05 * full.mean()


@pytest.mark.parametrize("light", LIGHTS)
def test_empty_paper_is_blank_in_any_light(light):
    assert find_ink((220 * LIGHTS[light]).astype(np.uint8)) is None


def test_even_paper_stays_bit_for_bit_as_it_is():
    _, page = drawn("digit 2", light_ink=False)
    page = page.astype(np.float32)
    found = estimate_background(page)
    assert found.is_even
    assert np.array_equal(found.contrast, np.median(page[0]) - page)


def test_uneven_light_that_is_not_to_be_evened_out_stays():
    _, page = drawn("digit 2", light_ink=False)
    page = (page * LIGHTS["from the left"]).astype(np.float32)
    assert estimate_background(page, even_out=False).is_even
    assert not estimate_background(page).is_even


def test_noise_is_no_uneven_light():
    _, page = drawn("digit 2", light_ink=False)
    page = (page + np.random.default_rng(0).normal(0, 0.06, page.shape)).astype(np.float32)
    assert estimate_background(page, 0.06).is_even
    assert not estimate_background(page).is_even


@pytest.mark.parametrize("darkest", [0.5, 0.6])
@pytest.mark.parametrize("name", DRAWINGS)
def test_ink_on_a_noisy_page_with_a_dark_corner_is_found(name, darkest):
    ink, _ = drawn(name, light_ink=False)
    light = np.linspace(darkest, 1, SIDE)
    page = (220 - 110 * ink) * light * light[:, None] + np.random.default_rng(0).normal(0, 8, ink.shape)
    found = find_ink(page.clip(0, 255).astype(np.uint8))
    assert found.is_uneven
    assert ((found.ink > 0.5) == (ink > 0.5)).mean() > 0.96


@pytest.mark.parametrize("darkest", [0.4, 0.6, 0.8])
@pytest.mark.parametrize("noise", [4, 8, 12])
def test_an_empty_noisy_page_with_a_dark_corner_is_blank(noise, darkest):
    light = np.linspace(darkest, 1, SIDE)
    for seed in range(3):
        page = 220 * light * light[:, None] + np.random.default_rng(seed).normal(0, noise, (SIDE, SIDE))
        assert find_ink(page.clip(0, 255).astype(np.uint8)) is None


def test_noise_counts_for_more_where_there_is_less_light():
    light = LIGHTS["from a corner"]
    found = estimate_background((0.9 * light).astype(np.float32), 0.01)
    assert found.noise.shape == found.contrast.shape
    assert np.allclose(found.noise, 0.01 * light.max() / light, rtol=0.05)


@pytest.mark.parametrize("bar", [0, 128, 255])
@pytest.mark.parametrize("wide", [3, 20, 40])
@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("noise", [0, 8])
def test_bars_along_the_sides_are_no_ink(bar, wide, upright, noise):
    ink, page = drawn("digit 8", light_ink=False)
    page = (255 * page + np.random.default_rng(0).normal(0, noise, page.shape)).clip(0, 255)
    page = np.pad(page, ((wide, wide), (0, 0)), constant_values=bar)
    ink = np.pad(ink, ((wide, wide), (0, 0)))
    found = find_ink((page.T if upright else page).astype(np.uint8))
    assert not found.is_light
    assert found.ink.shape == (page.T if upright else page).shape
    assert ((found.ink > 0.5) == ((ink.T if upright else ink) > 0.5)).mean() > 0.97


def test_strokes_that_reach_from_side_to_side_are_no_bars():
    seven = np.full((60, 40), 255, np.uint8)
    seven[5:12] = 0
    seven[5:55, 33:] = 0
    one = np.full((60, 40), 255, np.uint8)
    one[5:55, 1:39] = 0
    for grey in (seven, one, seven.T, 255 - seven, np.zeros((60, 40), np.uint8)):
        inside, bars = strip_letterbox(grey)
        assert inside is grey
        assert bars == ((0, 0), (0, 0))


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (2, 3), (6, 6), (7, 200)])
def test_paper_of_any_shape_is_found_without_a_failure(shape):
    rng = np.random.default_rng(0)
    for page in (np.zeros(shape), rng.random(shape), np.indices(shape).sum(axis=0) / sum(shape)):
        found = estimate_background(page.astype(np.float32))
        assert found.contrast.shape == shape
        assert np.isfinite(found.contrast).all()


@pytest.mark.parametrize("name", [name for name in DRAWINGS if name != "digit 1"])  # a bar alone is of any polarity
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("side", [20, 80, 300])
def test_a_digit_cut_to_its_ink_lies_on_even_paper(name, inverted, side):
    grey = picture(DRAWINGS[name], 40)
    cut = grey.crop(grey.point(lambda tone: 255 - tone).getbbox())
    scale = side / max(cut.size)
    small = np.asarray(cut.resize([max(1, round(length * scale)) for length in cut.size], Image.Resampling.BOX))
    found = find_ink(255 - small if inverted else small)
    assert (found.is_light, found.is_uneven, found.is_noisy) == (inverted, False, False)
    assert ((found.ink > 0.5) == (small < 128)).mean() > 0.98


@pytest.mark.parametrize("seed", range(3))
def test_noise_that_white_cuts_off_is_not_exact_paper(seed):
    rng = np.random.default_rng(seed)
    assert find_uniform_background((255 + rng.normal(0, 20, (120, 160))).clip(0, 255).astype(np.uint8)) is None
    assert find_uniform_background(np.full((120, 160), 248, np.uint8)) == 248
    assert find_uniform_background(np.zeros((1, 1), np.uint8)) in (0, None)
