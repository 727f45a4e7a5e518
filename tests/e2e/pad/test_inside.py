"""The network at work beside the pad: it follows the pen, and leads from a label back to the ink."""

import re

import pytest
from playwright.sync_api import expect

from app.models import ModelStore
from tests.support.browser import beside, draw, fingers, heard, sparse
from tests.support.drawings import recorded
from tests.support.inspected_networks import NETWORKS, save
from tests.support.serving import serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = sparse(recorded()["digit 3"]["strokes"])
INK = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((sum, value, i) => sum + (i % 4 === 3 && value > 0 ? 1 : 0), 0);
}"""
ODD = {
    "one-layer": (["dense 10"], "cross_entropy"),
    "deep": (["dense 6", "tanh"] * 99 + ["dense 10"], "cross_entropy"),
    **{name: NETWORKS[name] for name in ("cnn", "flat", "softmax", "perceptron")},
    "end": (["dense 20", "dense 10", "batch_norm", "sigmoid"], "squared_error"),
}


def opened(page, url, model=None):
    page.goto(url if model is None else f"{url}/?model={model}")
    page.locator("#pad[data-ready]").wait_for()
    if page.locator("#inside-open").get_attribute("aria-pressed") == "false":
        page.locator("#inside-open").click()
    expect(page.locator("#inside-view")).to_have_attribute("data-lit", "0", timeout=20_000)
    return page.locator("#inside-view")


def lit(view):
    return int(view.get_attribute("data-lit"))


def test_it_follows_the_pen_and_says_where_an_answer_comes_from(page, pad_server):
    with heard(page, "request") as asked:
        page.goto(pad_server.url)
        page.locator("#pad[data-ready]").wait_for()
        expect(page.locator("#inside")).to_be_hidden()
        assert not [one for one in asked if "inside" in one.url or "standalone" in one.url]
    view = opened(page, pad_server.url)
    expect(page.locator("#bars")).to_be_hidden()
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.4, steps=5)
    until(lambda: lit(view) > 20)  # before the pen is lifted
    first = view.evaluate("(canvas) => canvas.toDataURL()")
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.8, steps=5)
    until(lambda: view.evaluate("(canvas) => canvas.toDataURL()") != first)
    page.mouse.up()
    page.keyboard.press("Escape")
    expect(view).to_have_attribute("data-lit", "0")
    draw(page, THREE)
    expect(page.locator("#answer-sentence")).to_have_text("This is a 3.")
    view.focus()
    said = page.locator("#inside-said")
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("softmax makes it")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("3: inputs × weights")
    page.keyboard.press("ArrowLeft")
    expect(said).to_contain_text("Unit ")
    expect(said).to_contain_text(re.compile("After (batch normalization and )?its activation"))
    page.keyboard.press("Escape")
    expect(said).to_contain_text("Choose a unit")
    place = view.bounding_box()
    page.mouse.move(place["x"] + place["width"] - 20, place["y"] + 40)
    expect(said).to_contain_text("0: inputs × weights")
    assert lit(view) > 5
    page.mouse.move(5, 5)
    page.reload()  # it is open in this tab from now on
    expect(page.locator("#inside")).to_be_visible()
    until(lambda: lit(page.locator("#inside-view[data-lit]")) > 20)
    page.locator("#inside-all").click()
    expect(page.locator("#bars, .bars").first).to_contain_text("%", timeout=20_000)
    assert "drawing=last" in page.url


def test_pixels_are_painted_and_a_few_change_its_mind(page, pad_server):
    view = opened(page, pad_server.url)
    draw(page, THREE)
    expect(page.locator("#answer-sentence")).to_have_text("This is a 3.")
    until(lambda: lit(view) > 20)
    said = page.locator("#inside-said")
    box = view.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2 + 25, steps=5)
    page.mouse.up()
    expect(said).to_contain_text("pixels changed: it reads")
    page.locator("#inside-restore").click()
    expect(said).to_contain_text("Choose a unit")
    expect(page.locator("#inside-restore")).to_be_hidden()
    with page.expect_response("**/api/explain/pixels") as answer:
        page.locator("#inside-fewest").click()
    found = answer.value.json()
    assert found["changed"]
    expect(said).to_contain_text(f"for the 3 it now reads {found['says']}", timeout=30_000)
    assert f"{len(found['changes'])} pixels" in said.inner_text()
    page.locator("#pad").hover()
    page.keyboard.press("Escape")  # another drawing is without them
    expect(page.locator("#inside-restore")).to_be_hidden()
    expect(page.locator("#inside-fewest")).to_be_disabled()
    page.route("**/api/explain/pixels", lambda route: route.fulfill(status=422, json={"error": "too large for this"}))
    draw(page, THREE)
    page.locator("#inside-fewest").click()
    expect(said).to_contain_text("too large for this")


def test_several_digits_show_the_part_that_is_chosen_and_a_picture_is_followed_too(page, pad_server):
    view = opened(page, pad_server.url)
    draw(page, beside("2", "5"))
    expect(page.locator(".part-label")).to_have_text(["2", "5"])
    until(lambda: lit(view) > 20)
    pictures = set()
    for place in (0, 1):
        page.locator(".part").nth(place).click()
        page.wait_for_timeout(200)
        pictures.add(view.evaluate("(canvas) => canvas.toDataURL()"))
    assert len(pictures) == 2


def test_models_of_every_kind_are_followed_or_it_says_why_not(page, tmp_path):
    for name, network in ODD.items():
        save(tmp_path, name, *network)
    with serve(tmp_path) as server, heard(page, "pageerror") as errors:
        store = ModelStore(tmp_path)
        card, network = store.load("one-layer")
        many = [f"label {i}" for i in range(10)]
        store.save(card.model_copy(update={"name": "words", "labels": many}), network)
        for name in [*ODD, "words"]:
            view = opened(page, server.url, name)
            draw(page, THREE)
            until(lambda view=view: lit(view) > 0)
            assert view.evaluate(INK) > 2000
            expect(page.locator("#inside-error")).to_be_hidden()
            page.keyboard.press("Escape")
        assert not errors
        page.route("**/download?format=safetensors", lambda route: route.fulfill(status=409, json={"error": "damaged"}))
        page.goto(f"{server.url}/?model=deep")
        expect(page.locator("#inside-error")).to_contain_text("damaged")
        draw(page, THREE)
        expect(page.locator("#answer-sentence")).not_to_have_text("Draw a digit")  # the pad itself goes on


@pytest.mark.parametrize("size", [(390, 844), (844, 390), (1280, 800), (1920, 1080)])
def test_pad_and_network_are_in_sight_together(browser, pad_server, size):
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, has_touch=True)
    page = context.new_page()
    view = opened(page, pad_server.url)
    boxes = [page.locator(name).bounding_box() for name in ("#pad", "#inside-view")]
    assert all(box["y"] + box["height"] <= size[1] + 1 for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    draw(page, THREE)
    until(lambda: lit(view) > 20)
    box = view.bounding_box()
    with fingers(page) as touch:
        touch("touchStart", (box["x"] + box["width"] - 30, box["y"] + box["height"] / 2))
        touch("touchEnd")
    expect(page.locator("#inside-said")).to_contain_text("inputs × weights")
    context.close()
