"""What if, in "See inside": the drawing on its way to another answer, and the network's own image of a label."""

import base64
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.models import ModelStore
from app.nn import softmax
from app.settings import SHIPPED_MODELS
from tests.support.axe import AXE, RULES
from tests.support.browser import draw, heard, sparse
from tests.support.drawings import recorded
from tests.support.inspected_networks import NETWORKS, save
from tests.support.serving import serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = sparse(recorded()["digit 3"]["strokes"])


def opened(page: Page, url: str, model: str) -> None:
    page.goto(f"{url}/?model={model}")
    page.locator("#pad[data-ready]").wait_for()
    page.locator("#inside-open").click()
    expect(page.locator("#inside-view")).to_have_attribute("data-lit", "0")


def drawn(page: Page) -> None:
    draw(page, THREE)
    expect(page.locator("#inside-morph")).to_be_enabled()


def morphed(page: Page, label: str) -> dict:
    page.locator("#inside-label").select_option(label=label)
    with page.expect_response("**/api/explain/morph") as answer:
        page.locator("#inside-morph").click()
    expect(page.locator("#inside-share")).to_be_focused()
    return answer.value.json()


def slid(page: Page, share: int) -> None:
    page.locator("#inside-share").evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", share
    )


def test_the_answers_along_the_slider_are_the_engine_s(page: Page, pad_server, tmp_path) -> None:
    opened(page, pad_server.url, "mnist-mlp")
    expect(page.locator("#inside-morph")).to_be_disabled()  # nothing is drawn
    drawn(page)
    found = morphed(page, "8")
    said = page.locator("#inside-said")
    expect(said).to_contain_text("small steps of the gradient lead from 3 to 8")
    card, network = ModelStore(tmp_path, SHIPPED_MODELS).load("mnist-mlp")
    start = np.array(found["pixels"], np.float64).ravel()
    end = np.frombuffer(base64.b64decode(found["end"]), "<f4")
    labels = set()
    for share in (0, 25, 50, 80, 90, 100):
        slid(page, share)
        pixels = ((1 - share / 100) * start + share / 100 * end) * 255 / card.input_scale
        logits = network.infer(pixels.astype(np.float32).reshape(1, 28, 28)).logits.astype(np.float64)
        probabilities = softmax(logits / card.temperature)[0]
        label = card.labels[probabilities.argmax()]
        expect(said).to_contain_text(f"{share} % of the way: it reads {label}, ")
        percent = re.search(r"reads \S+, ([\d.]+) %", said.inner_text())
        assert percent is not None
        assert float(percent[1]) == pytest.approx(100 * min(0.999, probabilities.max()), abs=0.1)
        labels.add(label)
    assert {"3", "8"} <= labels
    page.evaluate(Axe().axe_script)
    assert page.evaluate(AXE, RULES) == []
    page.locator("#inside-share").press("ArrowLeft")
    expect(said).to_contain_text("99 % of the way")
    expect(page.locator("#inside-share")).to_have_attribute("aria-valuetext", re.compile("99 % of the way"))
    page.locator("#inside-restore").click()
    expect(page.locator("#inside-share-row")).to_be_hidden()
    expect(said).to_contain_text("Choose a unit")
    page.locator("#inside-label").select_option(label="3")
    expect(page.locator("#inside-morph")).to_be_disabled()  # it is read as that already
    morphed(page, "5")
    page.locator("#pad").focus()
    page.keyboard.press("Escape")  # another drawing leaves the way
    expect(page.locator("#inside-share-row")).to_be_hidden()


def test_the_network_s_own_image_stands_beside_the_mean_and_can_be_read(page: Page, pad_server) -> None:
    opened(page, pad_server.url, "teaching-mlp")
    page.locator("#inside-label").select_option(label="3")
    with page.expect_response("**/api/explain/maximize") as answer:
        page.get_by_role("button", name="The network's own 3").click()
    found = answer.value.json()
    images = page.locator(".own-image")
    expect(images).to_have_count(3)
    expect(images.nth(0)).to_contain_text(f"it reads {found['plain']['says']}")
    expect(images.nth(2)).to_contain_text("training images of")
    expect(page.locator(".own-words")).to_contain_text(f"{found['steps']} steps up the gradient")
    shown = (
        images.nth(1)
        .locator("canvas")
        .evaluate("""(canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
      return Array.from({ length: 784 }, (_, i) => data[4 * i]);
    }""")
    )
    pixels = np.frombuffer(base64.b64decode(found["smooth"]["pixels"]), "<f4")
    assert np.abs(np.array(shown) - 255 * pixels).max() <= 1
    page.evaluate(Axe().axe_script)
    assert page.evaluate(AXE, RULES) == []
    images.nth(1).get_by_role("button").click()
    expect(page.locator("#inside-said")).to_contain_text("smoothed: it reads 3")
    until(lambda: int(page.locator("#inside-view").get_attribute("data-lit") or 0) > 5)
    page.locator("#inside-restore").click()
    expect(page.locator("#inside-view")).to_have_attribute("data-lit", "0")


def test_what_cannot_be_done_is_said_in_its_place(page: Page, tmp_path) -> None:
    save(tmp_path, "perceptron", *NETWORKS["perceptron"])
    store = ModelStore(tmp_path)
    card, network = store.load("perceptron")
    labels = [f"a long label {i}" for i in range(10)]
    store.save(card.model_copy(update={"name": "words", "labels": labels}), network)
    with serve(tmp_path) as server, heard(page, "pageerror") as errors:
        opened(page, server.url, "words")
        page.get_by_role("button", name="The network's own a long label 0").click()
        expect(page.locator(".own-image")).to_have_count(3)
        expect(page.locator(".own-image").nth(2)).to_contain_text("no images of this model's labels")
        drawn(page)
        store.delete("words")
        page.locator("#inside-morph").click()
        expect(page.locator("#inside-said")).to_contain_text("there is no model words")
        page.locator("#inside-own").click()
        expect(page.locator("#inside-own-images")).to_contain_text("there is no model words")
        page.locator("#inside-open").click()
        page.route("**/download?format=safetensors", lambda route: route.fulfill(status=409, json={"error": "damaged"}))
        page.goto(f"{server.url}/?model=perceptron")
        page.locator("#inside-open").click()
        expect(page.locator("#inside-error")).to_contain_text("damaged")
        for button in ("#inside-morph", "#inside-own", "#inside-fewest"):
            expect(page.locator(button)).to_be_disabled()
        page.set_viewport_size({"width": 320, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert not errors
