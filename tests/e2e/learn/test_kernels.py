"""The window that slides over one's drawing: what it shows beside what the engine says, and where none slides."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.models import ModelStore
from tests.support.axe import AXE, RULES
from tests.support.browser import draw, fingers, heard, sparse
from tests.support.drawings import recorded
from tests.support.inspected_networks import NETWORKS, save
from tests.support.serving import Server, serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = sparse(recorded()["digit 3"]["strokes"])
HUGE = [{"type": "conv2d", "filters": 300, "kernel_size": 11, "padding": "same"}, "max_pool2d", "max_pool2d"]
HUGE += [{"type": "conv2d", "filters": 100, "kernel_size": 11, "padding": "same"}, "dense 10"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, cache_dir) -> Iterator[Server]:
    """A server with small networks, apart from those that ship."""
    home = tmp_path_factory.mktemp("kernels")
    for name in ("mlp", "cnn", "flat"):
        save(home, name, *NETWORKS[name])
    save(home, "huge", HUGE, "cross_entropy")
    with serve(home, DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        yield server


def opened(page: Page, house: Server, model: str = "cnn") -> dict:
    """Draw a 3 and wait for the window; the request by which the page asked for the layers."""
    page.goto(f"{house.url}/learn/inside?model={model}")
    with page.expect_request("**/api/explain/forward") as asked:
        draw(page, THREE)
    until(lambda: "Window at" in page.locator("#kernels-where").inner_text())
    return asked.value.post_data_json


def shown(page: Page, name: str, node: str = "#kernels-sum") -> float:
    return float(str(page.locator(node).get_attribute(f"data-{name}")))


def place(page: Page) -> int:
    return int(str(page.locator("#kernels-output canvas").get_attribute("aria-valuenow")))


def cells(page: Page, name: str) -> list[float]:
    return page.locator("#kernels-cells td").evaluate_all(f"(all) => all.map((one) => Number(one.dataset.{name}))")


def test_it_shows_the_engine_s_numbers_at_the_place_of_the_window(page: Page, house: Server) -> None:
    body = opened(page, house)
    output = page.locator("#kernels-output canvas")
    page.locator("#kernels-map").select_option("2")
    output.press("ArrowUp")
    output.press("ArrowLeft")
    at = place(page)
    steps = house.post("/api/explain/neuron", {**body, "layer": 0, "unit": 2 * 28 * 28 + at})["steps"]
    assert shown(page, "inputs") == pytest.approx(steps[0]["sum"], rel=1e-4)
    assert shown(page, "bias") == pytest.approx(steps[0]["bias"])
    assert shown(page, "value") == pytest.approx(steps[0]["output"], rel=1e-4)
    assert shown(page, "last") == pytest.approx(steps[2]["output"], rel=1e-4)
    expect(page.locator("#kernels-steps")).to_contain_text("Batch normalization")
    expect(page.locator("#kernels-steps")).to_contain_text("Leaky ReLU")
    assert sum(cells(page, "value")) == pytest.approx(steps[0]["sum"], rel=1e-4)
    products = [one * other for one, other in zip(cells(page, "pixel"), cells(page, "weight"), strict=True)]
    assert cells(page, "value") == pytest.approx(products)
    assert len(products) == 25
    expect(page.locator("#kernels-padding")).to_contain_text("2 of zeros around the image")

    page.locator("#kernels-layer").select_option("3")  # max pooling
    largest = house.post("/api/explain/neuron", {**body, "layer": 3, "unit": place(page)})["steps"][0]
    assert shown(page, "value") == pytest.approx(largest["output"], rel=1e-4)
    assert max(cells(page, "value")) == pytest.approx(largest["output"], rel=1e-4)
    winner = page.locator("#kernels-cells td[data-winner]")
    expect(winner).to_have_count(1)
    assert float(str(winner.get_attribute("data-value"))) == shown(page, "value")
    expect(page.locator("#kernels-channel-field")).to_be_hidden()

    page.locator("#kernels-layer").select_option("4")  # a convolution of the three maps
    expect(page.locator("#kernels-channel option")).to_have_count(3)
    total = 0.0
    for channel in "012":
        page.locator("#kernels-channel").select_option(channel)
        total += sum(cells(page, "value"))
    later = house.post("/api/explain/neuron", {**body, "layer": 4, "unit": place(page)})["steps"]
    assert total == pytest.approx(later[0]["sum"], rel=1e-3, abs=1e-5)
    assert shown(page, "last") == pytest.approx(later[-1]["output"], rel=1e-3, abs=1e-5)
    kernels = page.locator("#kernels-filters canvas")
    kernels.press("End")  # the last weight of the last filter
    kernels.press("Enter")
    expect(page.locator("#kernels-map")).to_have_value("3")
    page.locator("#kernels-sums canvas").press("Home")
    page.locator("#kernels-sums canvas").press("Enter")
    expect(page.locator("#kernels-channel")).to_have_value("0")

    page.locator("#kernels-layer").select_option("6")  # average pooling
    mean = house.post("/api/explain/neuron", {**body, "layer": 6, "unit": place(page)})["steps"][0]
    assert shown(page, "value") == pytest.approx(mean["output"], rel=1e-3, abs=1e-6)
    assert shown(page, "value") == pytest.approx(sum(cells(page, "value")) / 4)
    expect(winner).to_have_count(0)
    page.evaluate("scrollTo(0, 0)")
    page.evaluate(Axe().axe_script)
    assert page.evaluate(AXE, RULES) == []


def test_the_map_grows_as_the_window_slides_and_stops_at_a_press(page: Page, house: Server) -> None:
    opened(page, house)
    where, play = page.locator("#kernels-where"), page.locator("#kernels-play")
    expect(where).to_contain_text("784 of 784 cells")
    page.locator("#kernels-first").click()
    expect(where).to_have_text("Window at row 1, column 1 of the map; 1 of 784 cells.")
    page.locator("#kernels-step").click()
    page.locator("#kernels-step").click()
    expect(where).to_have_text("Window at row 1, column 3 of the map; 3 of 784 cells.")
    page.locator("#kernels-back").click()
    expect(where).to_have_text("Window at row 1, column 2 of the map; 3 of 784 cells.")
    page.locator("#kernels-pace").select_option("60")
    play.click()
    expect(play).to_contain_text("Pause")
    expect(where).to_have_attribute("aria-live", "off")
    until(lambda: place(page) > 30)
    play.click()
    expect(play).to_contain_text("Play")
    stopped = where.inner_text()
    page.wait_for_timeout(200)
    assert where.inner_text() == stopped
    play.click()
    page.locator("#kernels-output canvas").press("ArrowDown")  # whoever moves it takes it over
    expect(play).to_contain_text("Play")
    page.locator("#kernels-all").click()
    expect(where).to_contain_text("784 of 784 cells")
    page.locator("#kernels-layer").select_option("6")
    play.click()
    expect(play).to_contain_text("Play")  # it has come to the end
    expect(where).to_contain_text("16 of 16 cells")


def test_pointing_and_dragging_move_the_window(page: Page, house: Server) -> None:
    opened(page, house)
    for name in ("#kernels-output", "#kernels-input"):
        canvas = page.locator(f"{name} canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        canvas.hover(position={"x": box["width"] * 0.25 + 2, "y": box["height"] / 2 + 2})
        before = place(page)
        page.mouse.move(box["x"] + box["width"] * 0.25 + 3, box["y"] + box["height"] / 2 + 3)
        assert place(page) == before  # the pointer alone moves nothing
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.75 + 2, box["y"] + box["height"] / 2 + 2, steps=4)
        page.mouse.up()
        dragged = place(page)
        assert abs(dragged // 28 - 14) <= 2
        assert abs(dragged % 28 - 21) <= 2


def test_without_motion_it_goes_by_steps_alone_and_with_a_finger_on_a_phone(browser, house: Server) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    page = context.new_page()
    opened(page, house)
    expect(page.locator("#kernels-play")).to_be_hidden()
    page.locator("#kernels-first").tap()
    page.locator("#kernels-step").tap()
    expect(page.locator("#kernels-where")).to_contain_text("2 of 784 cells")
    canvas = page.locator("#kernels-output canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    with fingers(page) as touch:
        touch("touchStart", (box["x"] + 20, box["y"] + 20))
        touch("touchMove", (box["x"] + box["width"] - 3, box["y"] + box["height"] - 3))
        touch("touchEnd")
    until(lambda: place(page) == 783)
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()


def test_a_network_without_a_window_says_why_and_where_there_is_one(page: Page, house: Server) -> None:
    page.goto(f"{house.url}/learn/inside?model=mlp")
    none = page.locator("#kernels-none")
    expect(none).to_contain_text("it has no convolution")
    expect(none.get_by_role("link", name="LeNet-5")).to_have_attribute("href", "/train?recipe=lenet")
    draw(page, THREE)
    expect(page.locator("#occlusion-note")).to_contain_text("The probability of")
    expect(none).to_be_visible()
    none.get_by_role("button", name="Look into cnn").click()
    expect(page.locator("#kernels-body")).to_be_visible()
    expect(none).to_be_hidden()
    assert "model=cnn" in page.url
    page.locator("#kernels-layer").select_option("4")
    page.get_by_role("button", name="Clear").first.click()
    expect(page.locator("#kernels-body")).to_be_hidden()
    expect(page.locator("#kernels-empty")).to_contain_text("Draw a digit above")
    draw(page, THREE)
    expect(page.locator("#kernels-body")).to_be_visible()
    expect(page.locator("#kernels-layer")).to_have_value("4")  # as it was chosen
    page.locator("#model").select_option("huge")
    expect(page.locator("#kernels-error")).to_contain_text("too large to be followed")
    page.route("**/download?format=safetensors", lambda route: route.fulfill(status=409, json={"error": "is damaged"}))
    page.locator("#model").select_option("flat")
    expect(page.locator("#kernels-error")).to_contain_text("is damaged")


def test_a_model_that_is_gone_or_a_sheet_with_nothing_on_it_harms_nothing(page: Page, house: Server, tmp_path) -> None:
    save(tmp_path, "soon-gone", *NETWORKS["cnn"])
    with serve(tmp_path) as server, heard(page, "pageerror") as errors:
        opened(page, server, "soon-gone")
        ModelStore(tmp_path).delete("soon-gone")
        draw(page, [[[100, 100], [400, 100]]])
        expect(page.locator("#inside-error")).to_contain_text("soon-gone")
        page.locator("#kernels-step").click()  # what was loaded stays
        assert not errors
    with heard(page, "pageerror") as errors:
        page.goto(f"{house.url}/learn/inside?model=flat")
        draw(page, [[[250, 250], [251, 250]]])
        expect(page.locator("#kernels-body")).to_be_visible()
        page.locator("#kernels-step").click()
        assert not errors


def test_the_pad_leads_to_the_kernels_with_the_drawing(page: Page, house: Server) -> None:
    page.goto(f"{house.url}/?model=cnn")
    draw(page, THREE)
    page.locator("#inside-open").click()
    page.get_by_role("link", name="Its kernels at work").click()
    expect(page.locator("#kernels-body")).to_be_visible()
    expect(page.locator("#kernels")).to_be_in_viewport()
    page.goto(f"{house.url}/?model=mlp")
    expect(page.locator("#inside-view")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("#inside-kernels")).to_be_hidden()
