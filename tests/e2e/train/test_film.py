"""The moments of a run as a film: on the page, and as files whose frames are what the page shows."""

import base64
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.runs import TINY
from tests.support.serving import Server
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PIXELS = """(selector) => [...document.querySelectorAll(selector)].map((canvas) => {
    const { width, height } = canvas;
    return [width, height, [...canvas.getContext("2d").getImageData(0, 0, width, height).data]];
})"""
GAP = 6


def pictures(page: Page, selector: str) -> list[np.ndarray]:
    """The pixels of the page's canvases, uint8 (H, W, 3)."""
    found = page.evaluate(PIXELS, selector)
    return [np.array(data, np.uint8).reshape(height, width, 4)[:, :, :3] for width, height, data in found]


def frames(path: str) -> list[np.ndarray]:
    """The frames of a GIF, or of a zip of PNGs, uint8 (H, W, 3)."""
    content = Path(path).read_bytes()
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            assert zipped.testzip() is None
            images = [Image.open(io.BytesIO(zipped.read(name))) for name in sorted(zipped.namelist())]
            return [np.asarray(image.convert("RGB")) for image in images]
    image = Image.open(io.BytesIO(content))
    assert image.info["loop"] == 0
    found = []
    for index in range(image.n_frames):
        image.seek(index)
        found.append(np.asarray(image.convert("RGB")))
    return found


def saved(page: Page, part: str, kind: str) -> list[np.ndarray]:
    with page.expect_download() as download:
        page.locator(f"[data-film={part}][data-kind={kind}]").click()
    assert download.value.suggested_filename.endswith(".gif" if kind == "gif" else ".zip")
    return frames(download.value.path())


@pytest.fixture
def run(server: Server) -> int:
    """A run of two epochs, of which the first is kept at ten moments or more."""
    overrides = {**TINY, "batch_size": 100, "epochs": 2}
    made: int = server.post("/api/runs", {"recipe": "quick", "overrides": overrides})["id"]
    until(lambda: server.get(f"/api/runs/{made}")["state"] == "succeeded")
    return made


def test_the_first_layer_as_a_film_is_what_the_page_and_the_server_show(page: Page, server: Server, run: int) -> None:
    moments = server.get(f"/api/runs/{run}/moments")["moments"]
    assert len([moment for moment in moments if moment["epoch"] == 0]) >= 10
    page.goto(f"{server.url}/runs/{run}#inside")
    slider = page.locator("#watch-epoch")
    expect(slider).to_have_attribute("max", str(len(moments) - 1))
    film = saved(page, "first-layer", "gif")
    stills = saved(page, "first-layer", "png")
    assert len(film) == len(stills) == len(moments)
    expect(page.locator("#watch-epoch-value")).to_have_text("2 of 2")  # as before
    for index, moment in enumerate(moments):
        slider.fill(str(index))
        when = "before the first step" if index == 0 else f"after epoch {moment['epoch']}"
        when = f"after batch {moment['batch']} of {moment['batches']}" if moment["batch"] else when
        expect(page.locator("#first-layer-note")).to_have_text(when)
        shown = pictures(page, "#first-layer li:not([hidden]) canvas")
        assert len(shown) == 16
        for unit, tile in enumerate(shown):
            x, y = GAP + unit % 8 * (84 + GAP), GAP + unit // 8 * (84 + GAP)
            shown_large = tile.repeat(3, 0).repeat(3, 1)
            np.testing.assert_array_equal(stills[index][y : y + 84, x : x + 84], shown_large)
            difference = film[index][y : y + 84, x : x + 84].astype(int) - shown_large
            assert np.abs(difference).max() <= 8  # a GIF has 256 colours
        inside = server.get(f"/api/runs/{run}/moments/{moment['epoch']}/{moment['batch']}")
        high = max(image["high"] for image in inside["first_layer"]["images"])
        for tile, image in zip(shown, inside["first_layer"]["images"], strict=True):
            share = np.frombuffer(base64.b64decode(image["pixels"]), np.uint8) / 255 * 2 - 1
            np.testing.assert_allclose(tile[:, :, 0].ravel(), 127.5 + 127.5 * share * image["high"] / high, atol=2)
    assert not np.array_equal(film[0], film[1])


def test_the_map_and_its_confusion_go_over_the_moments_and_are_saved_as_they_are_shown(
    page: Page, server: Server, run: int
) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{server.url}/runs/{run}#map")
    found = server.get(f"/api/runs/{run}/map")
    slider = page.locator("#map-epoch")
    expect(slider).to_have_attribute("max", str(len(found["moments"]) - 1))
    film, stills = saved(page, "map", "gif"), saved(page, "map", "png")
    matrices = saved(page, "confusion", "png")
    assert len(film) == len(stills) == len(matrices) == len(found["moments"])
    for index, moment in enumerate(found["moments"]):
        slider.fill(str(index))
        right = sum(said == truth for said, truth in zip(moment["said"], found["truth"], strict=True))
        expect(page.locator("#run-confusion-note")).to_have_text(f"{right} of {len(found['truth'])} read correctly.")
        (matrix,) = pictures(page, "#run-confusion")
        np.testing.assert_array_equal(matrices[index][: len(matrix)], matrix)
    canvas = "#run-map"
    for index in (0, len(film) // 2, len(film) - 1):
        slider.fill(str(index))
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        transparent = page.evaluate(PIXELS, canvas)[0]
        painted = np.array(transparent[2], np.uint8).reshape(transparent[1], transparent[0], 4)
        opaque = painted[:, :, 3] == 255
        assert opaque.any()
        np.testing.assert_array_equal(stills[index][: len(painted)][opaque], painted[:, :, :3][opaque])
        difference = np.abs(stills[index].astype(int) - film[index]).max(axis=2)
        assert np.quantile(difference, 0.99) <= 24  # of 256 colours
    assert not np.array_equal(stills[0], stills[-1])
    page.locator("#run-map-labels button").first.click()
    expect(page.locator("#run-map-labels button").first).to_have_attribute("aria-pressed", "true")
    page.locator("#map-play").click()
    expect(page.locator("#map-play")).to_have_text("Play", timeout=20_000)
    expect(page.locator("#map-epoch-value")).to_have_text("2 of 2")


def test_a_network_without_a_hidden_layer_says_why_it_has_no_map(page: Page, server: Server) -> None:
    overrides = {**TINY, "network": {"layers": [{"type": "dense", "units": 10}]}}
    run = server.post("/api/runs", {"recipe": "quick", "overrides": overrides})["id"]
    until(lambda: server.get(f"/api/runs/{run}")["state"] == "succeeded")
    page.goto(f"{server.url}/runs/{run}#map")
    expect(page.locator("#run-map-state")).to_contain_text("has no hidden layer")
    expect(page.locator("#run-map-body")).to_be_hidden()


def test_the_perceptron_s_plane_is_saved_as_it_is_shown(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/learn/perceptron")
    button = page.locator("[data-kind=png]").first
    with page.expect_download() as download:
        button.click()
    stills = frames(download.value.path())
    assert len(stills) > 3
    (plane,) = pictures(page, ".figure-plane canvas")[:1]
    opaque = page.evaluate(PIXELS, ".figure-plane canvas")[0]
    painted = np.array(opaque[2], np.uint8).reshape(opaque[1], opaque[0], 4)[:, :, 3] == 255
    np.testing.assert_array_equal(stills[0][: len(plane)][painted], plane[painted])
    with page.expect_download() as download:
        page.locator("[data-kind=gif]").first.click()
    assert len(frames(download.value.path())) == len(stills)
