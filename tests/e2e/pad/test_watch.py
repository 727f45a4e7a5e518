"""A network that learns in view, beside the pad."""

import json
import urllib.request

import pytest
from playwright.sync_api import expect
from safetensors.numpy import load

from tests.support.browser import draw, heard, sparse
from tests.support.drawings import recorded
from tests.support.serving import serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = sparse(recorded()["digit 3"]["strokes"])


@pytest.fixture(scope="module")
def house(tmp_path_factory, cache_dir):
    """A server of its own, as trainings leave models behind."""
    with serve(tmp_path_factory.mktemp("watch"), DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        yield server


def shorter(page, **fields):
    """The training that the page asks for, with other fields of its config."""

    def change(route):
        body = json.loads(route.request.post_data or "{}")
        body["overrides"].update(fields)
        route.continue_(post_data=json.dumps(body))

    page.route("**/api/runs", change)


def weights_of(house, run):
    with urllib.request.urlopen(f"{house.url}/api/runs/{run}/live", timeout=60) as response:
        return response.read()


def test_a_network_learns_in_view_and_can_be_used(page, house):
    shorter(page, epochs=3)
    with heard(page, "pageerror") as errors:
        page.goto(house.url)
        draw(page, THREE)
        page.locator("#watch-open").click()
        expect(page.locator("#watch-images li")).to_have_count(20)
        view = page.locator("#inside-view")
        picture = "(canvas) => canvas.toDataURL()"
        expect(view).to_have_attribute("data-lit", "40", timeout=60_000)
        first = view.evaluate(picture)
        until(lambda: view.evaluate(picture) != first)  # the weights have changed
        expect(page.locator("#watch-status")).to_contain_text("read correctly")
        page.keyboard.press("Escape")
        expect(view).to_have_attribute("data-lit", "0")
        draw(page, THREE)
        expect(view).to_have_attribute("data-lit", "40")
        expect(page.locator("#watch-status")).to_contain_text("% of the unseen test images after", timeout=120_000)
        right = page.locator("#watch-images [data-kind='right']").count()
        assert right >= 15
        page.get_by_role("link", name="Use it").click()
        expect(page.locator("#answer-sentence")).to_have_text("This is a 3.", timeout=30_000)
        assert "model=quick-1" in page.url
        assert not errors
    run = house.get("/api/runs/1")
    assert (run["state"], run["tags"]) == ("succeeded", ["watched"])


def test_the_weights_are_those_of_the_run_and_end_with_it(page, house):
    shorter(page, epochs=200)
    page.goto(house.url)
    page.locator("#watch-open").click()
    expect(page.locator("#inside-view")).to_have_attribute("data-lit", "0", timeout=60_000)
    run = max(one["id"] for one in house.get("/api/runs")["runs"])
    found = []
    until(lambda: found.append(weights_of(house, run)) or found[-1])
    weights = load(found[-1])
    assert {name: array.shape for name, array in weights.items()} == {
        "0.weight": (784, 64),
        "0.bias": (64,),
        "2.weight": (64, 10),
        "2.bias": (10,),
    }
    page.locator("#watch-open").click()  # nobody watches any more
    expect(page.locator("#inside")).to_be_hidden()
    until(lambda: house.get(f"/api/runs/{run}")["state"] == "cancelled")
    assert weights_of(house, run) == b""
    page.locator("#watch-open").click()
    page.unroute_all(behavior="ignoreErrors")
    page.route("**/api/runs", lambda route: route.fulfill(status=429, json={"error": "the queue is full"}))
    page.locator("#watch-open").click()
    page.locator("#watch-open").click()
    expect(page.locator("#inside-error")).to_contain_text("the queue is full")
    expect(page.get_by_role("button", name="Watch again")).to_be_visible()


def test_the_run_at_work_can_be_paused_meanwhile_and_goes_on_when_the_page_is_left(page, house):
    other = house.post("/api/runs", {"recipe": "quick", "overrides": {"epochs": 10_000}})["id"]
    until(lambda: house.get(f"/api/runs/{other}")["state"] == "running")
    shorter(page, epochs=200)
    page.goto(house.url)
    page.locator("#watch-open").click()
    expect(page.locator("#watch-status")).to_have_text(f"Waiting for run {other}.")
    page.get_by_role("button", name=f"Pause run {other} for this one").click()
    expect(page.locator("#inside-view")).to_have_attribute("data-lit", "0", timeout=60_000)
    expect(page.locator("#watch-end")).to_be_hidden()
    assert house.get(f"/api/runs/{other}")["state"] == "paused"
    page.goto(f"{house.url}/models")
    until(lambda: house.get(f"/api/runs/{other + 1}")["state"] == "cancelled")
    until(lambda: house.get(f"/api/runs/{other}")["state"] == "running")
    house.post(f"/api/runs/{other}/cancel", {})
