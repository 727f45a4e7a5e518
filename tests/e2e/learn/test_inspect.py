"""The page that looks inside a network: every interaction, and what it shows beside what the API says."""

import hashlib
import json
import math
import urllib.request
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, Route, expect

from tests.support.axe import AXE, RULES
from tests.support.browser import draw, sparse
from tests.support.drawings import recorded
from tests.support.inspected_networks import NETWORKS, save
from tests.support.serving import Server, serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = sparse(recorded()["digit 3"]["strokes"])
DEEP = [
    {"type": "conv2d", "filters": 200, "kernel_size": 4, "stride": 4},
    {"type": "conv2d", "filters": 2, "kernel_size": 7},
    {"type": "dense", "units": 10},
]
"""Its second layer has filters of 200 × 7 × 7 weights, of which a picture shows the first 167 maps."""
COUNTED = """
const observe = MutationObserver.prototype.observe;
window.observers = 0;
MutationObserver.prototype.observe = function (...asked) {
  window.observers += 1;
  return observe.apply(this, asked);
};
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, cache_dir) -> Iterator[Server]:
    """A server with small networks, apart from the one that ships."""
    home = tmp_path_factory.mktemp("inside")
    for name in ("mlp", "cnn", "perceptron"):
        save(home, name, *NETWORKS[name])
    save(home, "deep", DEEP, "cross_entropy")
    store = save(home, "softmax", *NETWORKS["softmax"])
    card, network = store.load("softmax")
    store.save(card.model_copy(update={"config": {}}), network, replace=True)
    with serve(home, DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        yield server


class Watcher:
    """Asks the API what the page asks: with the very drawing that the page has sent last."""

    def __init__(self, page: Page, server: Server) -> None:
        self._server, self.asked = server, {}
        page.on("request", self._hear)

    def _hear(self, request: Request) -> None:
        if "/api/explain/" in request.url:
            self.asked = json.loads(request.post_data or "{}")

    def __call__(self, what: str, **asked: object) -> dict:
        body = {"model": self.asked["model"], "drawing": self.drawing, **asked}
        return self._server.post(f"/api/explain/{what}", body)

    def remember(self) -> None:
        self.drawing = self.asked["drawing"]


def numbers(page: Page, selector: str, name: str) -> list[float]:
    """The numbers that elements carry, as they came to the page."""
    return page.locator(selector).evaluate_all(f"(all) => all.map((one) => Number(one.dataset.{name}))")


def test_a_drawing_is_followed_through_the_network_and_back(page: Page, house: Server) -> None:
    api = Watcher(page, house)
    page.goto(f"{house.url}/")
    draw(page, THREE)
    page.goto(f"{house.url}/learn/inside?model=mlp")
    expect(page.locator("#step-one")).to_be_disabled()
    page.get_by_role("button", name="Your last drawing").click()  # as it was left on the first page
    expect(page.locator("#occlusion-note")).to_contain_text("The probability of")
    api.remember()

    forward = api("forward")
    outputs = forward["outputs"]
    expect(page.locator("#says")).to_contain_text(f"It reads {outputs['says']}")
    assert numbers(page, "#softmax-rows tr", "logit") == outputs["logits"]
    assert numbers(page, "#softmax-rows tr", "probability") == outputs["probabilities"]
    expect(page.locator("#layers .layer")).to_have_count(3)
    expect(page.locator("#layers .layer").first).to_contain_text("28 × 28 → 20 · 15,700 parameters")

    first = page.locator("#layers canvas").first
    first.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#neuron-where")).to_have_text("Layer 1: Dense, unit 7")
    neuron = api("neuron", layer=0, unit=6)
    weighted, activation = neuron["steps"]
    assert numbers(page, "#neuron-steps [data-z]", "z") == [weighted["output"]]
    assert numbers(page, "#neuron-steps [data-z]", "bias") == [weighted["bias"]]
    shown = [row["product"] for row in weighted["up"] + weighted["down"]]
    assert numbers(page, "#neuron-steps [data-product]", "product") == shown
    assert numbers(page, "#neuron-steps [data-x]", "x") == [activation["curve"]["point"]["x"]]
    assert page.locator("#neuron-steps .curve .point").count() == 1
    assert str(first.get_attribute("aria-valuetext")).startswith("unit 7: ")

    page.locator("#truth label", has_text="5").click()
    back = api("backward", label="5")
    expect(page.locator("#loss-line")).to_contain_text("cross-entropy")
    assert numbers(page, "#loss-line", "loss") == [back["loss"]["value"]]
    assert numbers(page, "#rows tr", "gradient") == [row["gradient"] for row in back["rows"]]
    expect(page.locator("#gradients .layer")).to_have_count(3)
    delta = api("delta", label="5", layer=0, unit=6)
    until(lambda: numbers(page, "#delta-body [data-delta]", "delta") == [delta["delta"]])
    assert numbers(page, "#delta-body [data-product]", "product") == [term["product"] for term in delta["terms"]]
    assert numbers(page, "#delta-body [data-slope]", "slope") == [slope["slope"] for slope in delta["slopes"]]
    page.locator("#gradients canvas").first.click(position={"x": 40, "y": 12})
    expect(page.locator("#delta-where")).to_contain_text("Layer 3: Dense, unit 2 (label 1)")
    expect(page.locator("#neuron-where")).to_contain_text("Layer 3: Dense, unit 2")

    page.get_by_role("button", name="Pick 5 at random").click()
    rows = page.locator("#numerical-rows tr")
    expect(rows).to_have_count(5)
    page.locator("#numerical-weights canvas").click(position={"x": 5, "y": 5})  # the weight of its first input
    until(lambda: numbers(page, "#numerical-rows tr", "index")[0] == 1)
    both = zip(
        numbers(page, "#numerical-rows tr", "numerical"),
        numbers(page, "#numerical-rows tr", "backpropagation"),
        strict=True,
    )
    assert all(one == pytest.approx(other, abs=1e-6) for one, other in both)
    expect(page.locator("#numerical-times")).to_contain_text("15,910 parameters")
    page.get_by_role("button", name="Clear the table").click()
    expect(rows).to_have_count(0)

    check_steps(page, api)
    check_where(page, api)
    page.evaluate("scrollTo(0, 0)")  # or a control may stand half under the list of parts, which stays in sight
    page.evaluate(Axe().axe_script)
    assert page.evaluate(AXE, RULES) == []
    assert house.get("/api/models/mlp")["sha256"] == save_digest(house)


def save_digest(house: Server) -> str:
    """The hash of the stored weights as they are on the disk now."""
    with urllib.request.urlopen(f"{house.url}/api/models/mlp/download", timeout=10) as response:
        return hashlib.sha256(response.read()).hexdigest()


def check_steps(page: Page, api: Watcher) -> None:
    page.locator("#rate").fill("0.05")
    page.get_by_role("button", name="One step").click()
    state, sgd = page.locator("#step-state"), {"type": "sgd", "learning_rate": 0.05}
    expect(state).to_have_attribute("data-steps", "1")
    one = api("step", label="5", optimizer=sgd, steps=1)
    assert numbers(page, "#step-state", "before") + numbers(page, "#step-state", "after") == one["losses"]
    assert numbers(page, "#step-probabilities tr", "after") == one["after"]
    page.get_by_role("button", name="Ten steps").click()
    expect(state).to_have_attribute("data-steps", "11")
    eleven = api("step", label="5", optimizer=sgd, steps=11)
    assert numbers(page, "#step-state", "after") == eleven["losses"][-1:]
    assert numbers(page, "#step-rows tr", "change") == [row["change"] for row in eleven["weights"]]
    expect(page.locator("#step-unit canvas")).to_have_count(2)
    page.get_by_role("button", name="Reset").first.click()
    expect(page.locator("#step-body")).to_be_hidden()
    page.locator("#optimizer").select_option("adam")
    expect(page.locator("#rate")).to_have_value("0.001")
    page.locator("#rate").fill("0")
    page.get_by_role("button", name="One step").click()
    expect(state).to_have_text("A learning rate is a number above 0.")
    page.locator("#rate").fill("1e38")
    page.get_by_role("button", name="Ten steps").click()
    expect(state).to_contain_text("diverged")


def check_where(page: Page, api: Watcher) -> None:
    page.locator("#where-label").select_option("8")
    expect(page.locator("#saliency-note")).to_contain_text("Gradient of the logit of 8")
    page.locator("#where-size").select_option("7")
    expect(page.locator("#occlusion-note")).to_contain_text("7 × 7 pixels")
    expect(page.locator("#occlusion canvas")).to_have_attribute("aria-valuemax", "783")
    label = page.locator("#toward-label")
    label.select_option("7")
    page.get_by_role("button", name="Start").click()
    steps, state = "document.querySelector('#toward-state').dataset.steps", page.locator("#toward-state")
    until(lambda: int(page.evaluate(steps) or 0) >= 5)
    page.locator("#toward-stop").evaluate("(button) => button.click()")  # also where it has just come to its end
    expect(page.locator("#toward-start")).to_be_enabled()
    expect(state).to_contain_text("Changed by the computer in")
    came = page.evaluate(steps)
    frames = api("toward", label="7", steps=4, rate=0.3)["frames"]
    assert frames[-1]["probability"] > frames[0]["probability"]
    assert numbers(page, "#toward-state", "probability")[0] > frames[0]["probability"]
    assert page.evaluate(steps) == came  # it has stopped
    page.locator("#toward-reset").click()
    expect(page.locator("#toward-body")).to_be_hidden()


def test_a_test_digit_goes_through_maps_and_filters_on_a_phone(phone: Page, house: Server) -> None:
    api = Watcher(phone, house)
    phone.goto(f"{house.url}/learn/inside?model=cnn")
    phone.get_by_role("button", name="Use a test digit").tap()
    expect(phone.locator("#truth input:checked")).to_have_count(1)  # its label is known
    expect(phone.locator("#occlusion-note")).to_contain_text("The probability of")
    api.remember()
    assert len(api.drawing["pixels"]) == 784
    expect(phone.locator("#layers .layer")).to_have_count(11)
    filters = phone.locator("#layers canvas").nth(4)
    filters.focus()
    for _ in range(9):
        phone.keyboard.press("ArrowRight")  # over the edge of the first map, to the next one
    phone.keyboard.press("Enter")
    unit = int(str(filters.get_attribute("aria-valuenow")))
    assert unit == 8 * 8 + 1
    sheet = phone.locator("#neuron")
    expect(sheet).to_be_in_viewport()
    top = sheet.bounding_box()["y"]
    assert filters.evaluate("(canvas) => canvas.getBoundingClientRect().bottom") <= top  # the press is still in sight
    expect(phone.locator("#neuron-title")).to_be_focused()
    phone.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(filters).to_be_focused()
    phone.locator("#gradients canvas").first.tap()
    expect(phone.locator("#delta")).to_be_in_viewport()
    phone.locator("#layers canvas").nth(1).tap(position={"x": 20, "y": 20})  # one sheet takes the other's place
    expect(phone.locator("#delta")).to_be_hidden()
    sheet.get_by_role("button", name="Close").tap()
    expect(sheet).to_be_hidden()
    filters.press("Enter")
    expect(sheet).to_be_in_viewport()
    neuron = api("neuron", layer=4, unit=unit)
    expect(phone.locator("#neuron-where")).to_contain_text("Layer 5: Convolution, map")
    until(lambda: numbers(phone, "#neuron-steps [data-z]", "z") == [neuron["steps"][0]["output"]])
    delta = api("delta", label=phone.locator("#truth input:checked").input_value(), layer=4, unit=unit)
    until(lambda: numbers(phone, "#delta-body [data-delta]", "delta") == [delta["delta"]])
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    phone.locator("#model").select_option("perceptron")
    expect(phone.locator("#straight-through")).to_be_visible()
    expect(phone.locator("#loss-line")).to_contain_text("squared error")
    phone.get_by_role("button", name="Clear").tap()
    expect(phone.locator("#softmax-card")).to_be_hidden()
    expect(phone.locator("#backward-body")).to_be_hidden()


def test_what_was_asked_before_a_change_is_not_shown_after_it(page: Page, house: Server) -> None:
    page.goto(f"{house.url}/learn/inside?model=mlp")
    page.get_by_role("button", name="Use a test digit").click()
    expect(page.locator("#step-state")).to_contain_text("Ready")
    expect(page.locator("#occlusion-note")).to_contain_text("The probability of")
    held: list[Route] = []
    page.route("**/api/explain/step", lambda route: held.append(route))
    page.get_by_role("button", name="Ten steps").click()
    until(lambda: page.evaluate("1") and held)
    page.locator("#optimizer").select_option("adam")
    with page.expect_response("**/api/explain/step"):
        held.pop().continue_()
    page.unroute("**/api/explain/step")
    page.get_by_role("button", name="One step").click()
    expect(page.locator("#step-state")).to_have_attribute("data-steps", "1")
    expect(page.locator("#step-state")).to_contain_text("After 1 step")


def test_pictures_come_and_go_and_follow_the_theme(page: Page, house: Server) -> None:
    page.add_init_script(COUNTED)
    page.emulate_media(color_scheme="light")
    page.goto(f"{house.url}/learn/inside?model=deep")
    page.get_by_role("button", name="Use a test digit").click()
    expect(page.locator("#occlusion-note")).to_contain_text("The probability of")
    layers = page.locator("#layers canvas")
    observers = page.evaluate("observers")
    for unit in (1, 0, 1):
        layers.nth(1).press("End" if unit else "Home")
        layers.nth(1).press("Enter")
        expect(page.locator("#neuron-where")).to_contain_text(f"map {unit + 1}")
    assert page.evaluate("observers") == observers
    painted = "document.querySelector('#neuron-steps .cells canvas').toDataURL()"
    light = page.evaluate(painted)
    page.emulate_media(color_scheme="dark")
    until(lambda: page.evaluate(painted) != light)

    # the weight that is pressed is the one that is checked, though the picture has not all maps of a filter
    expect(page.locator("#numerical-where")).to_contain_text("unit 2")
    weights = page.locator("#numerical-weights canvas")
    weights.press("Home")
    weights.press("ArrowRight")
    weights.press("Enter")
    until(lambda: numbers(page, "#numerical-rows tr", "index") == [200 * 7 * 7 + 1])

    more = page.get_by_role("button", name="Maps 1 to 167 of 200: show others")
    assert page.get_by_role("button", name="show others").count() == 1
    more.click()
    expect(page.get_by_role("button", name="Maps 168 to 200 of 200: show others")).to_be_visible()
    expect(layers.first).to_have_attribute("aria-valuemax", str(200 * 7 * 7 - 1))


def test_a_network_from_elsewhere_is_not_said_to_be_trained_with_a_loss(page: Page, house: Server) -> None:
    page.goto(f"{house.url}/learn/inside?model=softmax")
    page.get_by_role("button", name="Use a test digit").click()
    line = page.locator("#loss-line")
    expect(line).to_contain_text("the model does not record its training loss")
    certainty = page.locator("#softmax-rows tr").nth(int(page.locator("#truth input:checked").input_value()))
    said = float(str(certainty.get_attribute("data-probability")))
    assert float(str(line.get_attribute("data-loss"))) == pytest.approx(-math.log(said))


def test_answers_that_come_late_are_not_shown_over_newer_ones(page: Page, house: Server) -> None:
    page.goto(f"{house.url}/learn/inside?model=mlp")
    held: list[Route] = []
    page.route("**/api/explain/forward", lambda route: held.append(route))
    draw(page, THREE)
    page.get_by_role("button", name="Clear").click()
    page.wait_for_timeout(600)  # longer than until it says that it reads
    expect(page.locator("#says")).to_contain_text("Draw a digit")
    page.unroute("**/api/explain/forward")

    page.get_by_role("button", name="Use a test digit").click()
    note = page.locator("#occlusion-note")
    expect(note).to_contain_text("The probability of")
    covers: list[Route] = []
    page.route("**/api/explain/occlusion", lambda route: covers.append(route))
    for size in ("3", "7"):
        before = len(covers)
        page.locator("#where-size").select_option(size)
        until(lambda before=before: len(covers) > before or page.wait_for_timeout(20))
    old, new = covers
    new.continue_()
    expect(note).to_contain_text("7 × 7 pixels")
    with page.expect_response("**/api/explain/occlusion"):
        old.continue_()
    page.wait_for_timeout(100)
    expect(note).to_contain_text("7 × 7 pixels")
