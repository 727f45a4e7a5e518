"""What holds of the look of every page: nothing jumps while it loads, nothing is wider than the screen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.support.browser import draw
from tests.support.drawings import recorded
from tests.support.runs import TINY
from tests.support.serving import Server, serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = (
    "/",
    "/challenge",
    "/train",
    "/runs/1",
    "/runs/1#inside",
    "/runs/1#evaluation",
    "/compare?runs=1",
    "/models",
    "/models/mnist-mlp/judge",
    "/data",
    "/data?set=drawings:own",
    "/data?draw=own",
    "/data?make",
    "/data/projector?set=own",
    "/mine",
    "/augmentation",
    "/learn",
    "/learn/1",
    "/learn/parts",
    "/learn/inside",
    "/learn/perceptron",
    "/docs",
    "/nothing-here",
)
MOST_SHIFT = 0.05  # of the screen; from 0.1 on a page counts as restless
LOADED = "() => document.querySelector('[aria-busy=true]') === null && document.readyState === 'complete'"
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) {
        window.shifts.push([value, sources.map(({ node }) => node?.id || node?.className || node?.nodeName)]);
    }
}).observe({ type: "layout-shift", buffered: true });"""
FITS = "(width) => document.documentElement.scrollWidth <= width"
WIDEST = """() => [...document.querySelectorAll("body *")]
    .filter((node) => node.getBoundingClientRect().right > document.documentElement.clientWidth)
    .slice(-3).map((node) => `${node.nodeName} ${node.id} ${node.className}`)"""
GROUND = "(node) => getComputedStyle(node).backgroundColor"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, cache_dir) -> Iterator[Server]:
    """A server with a run that is done, and a drawing of the user's own."""
    with serve(tmp_path_factory.mktemp("layout"), DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        server.post("/api/drawings", {"label": "3", "set": "own", "strokes": recorded()["digit 3"]["strokes"]})
        run = server.post("/api/runs", {"recipe": "quick", "overrides": TINY})["id"]
        until(lambda: server.get(f"/api/runs/{run}")["state"] == "succeeded")
        yield server


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_no_page_jumps_while_it_loads(width: int, height: int, browser: Browser, server: Server) -> None:
    jumped = []
    for path in PAGES:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.add_init_script(SHIFTS)
        page.goto(server.url + path)
        page.wait_for_function(LOADED)
        page.evaluate(FRAMES)
        shifts = page.evaluate("window.shifts")
        if sum(value for value, _ in shifts) > MOST_SHIFT:
            jumped.append((path, shifts))
        page.close()
    assert not jumped


def test_no_page_is_wider_than_any_screen(browser: Browser, server: Server) -> None:
    wide = []
    for path in PAGES:
        page = browser.new_page(viewport={"width": 3840, "height": 900})
        page.goto(server.url + path)
        page.wait_for_function(LOADED)
        for width in range(3840, 319, -40):
            page.set_viewport_size({"width": width, "height": 900})
            try:  # charts take their new size in the next frames
                page.wait_for_function(FITS, arg=width, timeout=3000)
            except PlaywrightTimeoutError:
                wide.append((path, width, page.evaluate(WIDEST)))
        page.close()
    assert not wide


def test_the_answer_is_in_sight_on_a_screen_of_320_by_256(browser: Browser, server: Server) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 256})
    page.goto(server.url)
    draw(page, recorded()["digit 3"]["strokes"])
    expect(page.locator("#answer-glyph")).to_have_text("3")
    for part in ("#paper", "#answer-glyph", "#answer-sentence", "#clear"):
        expect(page.locator(part)).to_be_in_viewport(ratio=0.99)
    page.close()


def test_forced_colours_leave_bars_and_choices_visible(browser: Browser, server: Server) -> None:
    context = browser.new_context(forced_colors="active", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(server.url)
    draw(page, recorded()["digit 3"]["strokes"])
    expect(page.locator("#answer-glyph")).to_have_text("3")
    canvas = page.evaluate(GROUND, page.locator("body").element_handle())
    for fill in page.locator(".bar[data-winner] .bar-fill").all():
        assert fill.evaluate(GROUND) != canvas
    page.goto(f"{server.url}/train")
    page.wait_for_function(LOADED)
    expect(page.locator("#run-state")).to_have_attribute("data-state", "succeeded")
    for chosen in (".progress-fill", ".switch input:checked + span >> nth=0"):
        assert page.locator(chosen).evaluate(GROUND) != canvas, chosen
    outline = "(node) => getComputedStyle(node).outlineStyle"
    assert page.locator(".recipe input:checked + .recipe-body").evaluate(outline) == "solid"
    context.close()


def test_a_few_own_drawings_draw_no_line_but_a_sentence(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    page.goto(f"{server.url}/runs/1")
    expect(page.locator("#yours-note")).to_contain_text("from 20 on; this run was tested on 1.")
    expect(page.locator("#chart-loss-legend .legend-item")).to_have_count(3)  # training, its batches, validation
    expect(page.locator("#tab-curves")).to_have_attribute("aria-selected", "true")
    page.close()


def test_a_model_is_found_by_what_it_is(browser: Browser, server: Server) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 500})
    page.goto(f"{server.url}/models#quick-1")
    trained = page.locator("[data-model='quick-1']")
    expect(trained.locator(".model-title")).to_contain_text("Quick · batch size 500")
    expect(trained.locator("h2")).to_be_focused()
    expect(page.locator("#models-bar")).to_be_hidden()  # where there are few
    for _ in range(2):
        server.post("/api/runs", {"recipe": "quick", "overrides": TINY})
    until(lambda: len(server.get("/api/models")["models"]) == 5)
    page.reload()
    search = page.get_by_role("searchbox", name="Search")
    search.fill("BATCH SIZE 500")
    expect(page.locator("[data-model]")).to_have_count(3)
    search.fill("no such model")
    expect(page.locator("#models-list")).to_have_text("No model has this in its name.")
    search.fill("")
    page.get_by_label("Order").select_option("best")
    expect(page.locator("[data-model]").first).to_have_attribute("data-model", "mnist-mlp")
    page.close()
