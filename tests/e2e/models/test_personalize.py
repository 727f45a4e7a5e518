"""Make it mine, from the drawings of an odd hand to the pad that reads it."""

import pytest
from playwright.sync_api import expect

from app.data.catalog import DatasetCatalog
from app.data.drawings.store import DrawingStore
from app.models import ModelStore
from app.runs.training.personalization import personal_config
from app.settings import SHIPPED_MODELS
from tests.support.browser import draw
from tests.support.personalization import odd_hand, smaller
from tests.support.serving import serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def on_paper(strokes):
    """The strokes moved into the middle of the pad, 300 high or wide."""
    points = [point for stroke in strokes for point in stroke]
    low = [min(axis) for axis in zip(*points, strict=True)]
    size = max(high - least for high, least in zip((max(axis) for axis in zip(*points, strict=True)), low, strict=True))
    return [
        [[100 + 300 * (x - low[0]) / size, 100 + 300 * (y - low[1]) / size] for x, y in stroke] for stroke in strokes
    ]


@pytest.fixture
def server(settings):
    """A server that has the drawn digits alone."""
    folders = {"DIGITPAD_CACHE_DIR": str(settings.cache_dir), "DIGITPAD_DATA_DIR": str(settings.home / "none")}
    with serve(settings.home, **folders) as started:
        yield started


def test_drawings_of_an_odd_hand_make_a_model_that_reads_it(page, server, settings):
    hand = list(odd_hand(2))
    page.goto(f"{server.url}/mine")
    expect(page.locator("#mine-count")).to_contain_text("no drawings yet")
    expect(page.locator("#mine-start")).to_be_disabled()
    for label, strokes in hand[::2]:
        server.post("/api/drawings", {"label": label, "strokes": strokes, "set": "hand"})
    page.goto(f"{server.url}/data?set=drawings:hand")
    page.get_by_role("link", name="Make it mine").click()
    expect(page.locator("#mine-count")).to_have_text("10 drawings; 10 more are needed.")
    for label, strokes in hand[1::2]:
        server.post("/api/drawings", {"label": label, "strokes": strokes, "set": "hand"})
    page.reload()
    expect(page.locator("#mine-count")).to_contain_text("20 drawings: enough to start.")
    own = DrawingStore(settings.home / "drawings")
    card, catalog = ModelStore(SHIPPED_MODELS).get("mnist-mlp"), DatasetCatalog.from_settings(settings)
    whole = personal_config(card, catalog, own, "hand")
    asked = []

    def shorter(route):  # what the server makes of the request, tests/web/api/test_personalize.py shows
        if route.request.method == "GET":
            return route.continue_()
        asked.append(route.request.post_data_json)
        run = server.post("/api/runs", smaller(whole, 400, 800, epochs=3).model_dump(mode="json"))
        return route.fulfill(status=201, json=run)

    page.route("**/api/models/mnist-mlp/personalize", shorter)
    page.locator("#mine-start").click()
    expect(page.locator("#mine-run-title")).to_be_focused()
    expect(page.locator("#mine-result-title")).to_have_text("mnist-mlp-mine", timeout=120_000)
    assert asked == [{"set": "hand"}]
    expect(page.locator("#mine-sentence")).to_contain_text("of your drawings correctly")
    expect(page.locator("#mine-table tbody tr")).to_have_count(2)
    mine = server.get("/api/models/mnist-mlp-mine")["mine"]
    assert (mine["set"], mine["drawings"], mine["learned"] + mine["held_out"]) == ("hand", 20, 20)
    assert mine["held_out"] > 0
    page.reload()  # what came of the run is still there
    expect(page.locator("#mine-result-title")).to_have_text("mnist-mlp-mine")
    page.locator("#mine-use").click()
    expect(page).to_have_url(f"{server.url}/?model=mnist-mlp-mine")
    draw(page, on_paper(dict(hand)["2"]))
    expect(page.locator("#answer-glyph")).to_have_text("2")
    page.goto(f"{server.url}/models")
    card = page.locator("[data-model=mnist-mlp-mine]")
    expect(card.locator(".model-evidence")).to_contain_text(
        f"Made from mnist-mlp with {mine['learned']} drawings of “hand”"
    )
    card.get_by_role("button", name="Make default").click()
    expect(card.locator(".badge").first).to_have_text("default")


def test_a_new_set_adds_to_no_other_in_silence_and_a_drawing_that_fails_is_not_lost(page, server):
    line = [[[100, 100], [400, 400]]]
    server.post("/api/drawings", {"label": "○", "strokes": line, "set": "shapes"})
    page.goto(f"{server.url}/data?make")
    page.locator("#make-name").fill("shapes")
    page.locator("#make-labels").fill("○ △")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm-text")).to_contain_text("It has 1 drawing.")
    page.get_by_role("button", name="Choose another name").click()
    expect(page.locator("#make-name")).to_be_focused()
    page.locator("#make-name").fill("more")
    page.keyboard.press("Enter")
    expect(page.locator("#draw-title")).to_have_text("Draw the data set “more”")
    page.get_by_role("button", name="Delete this data set").click()
    expect(page.locator("#make-title")).to_be_focused()
    expect(page.locator("#data-note")).to_have_text("The data set “more” was deleted.")
    assert server.get("/api/drawings/sets/more")["declared"] == []
    page.locator("#make-name").fill("more")
    page.locator("#make-labels").fill("○ △")
    page.keyboard.press("Enter")
    expect(page.locator("#draw-title")).to_have_text("Draw the data set “more”")
    until(lambda: server.get("/api/drawings/sets/more")["declared"] == ["○", "△"])
    page.goto(f"{server.url}/data?draw=more")  # its labels are kept on the server, not in the address
    expect(page.locator(".draw-count")).to_have_count(2)
    page.route("**/api/drawings", lambda route: route.abort())
    for label in "○△":
        expect(page.locator("#draw-ask")).to_contain_text(label)
        draw(page, line)
        page.locator("#keep").click()
    expect(page.locator("#draw-kept")).to_contain_text("2 drawings could not be saved")
    expect(page.get_by_role("button", name="Delete this data set")).to_be_visible()
    assert server.get("/api/drawings/sets/more")["count"] == 0
    page.unroute("**/api/drawings")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#draw-kept")).to_contain_text("Saved as ")
    until(lambda: server.get("/api/drawings/sets/more")["labels"] == {"○": 1, "△": 1})
    expect(page.locator(".draw-count").first).to_contain_text("1 / 10")
    expect(page.get_by_role("button", name="Delete this data set")).to_be_hidden()
