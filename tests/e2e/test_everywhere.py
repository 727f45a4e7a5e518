"""What holds on every page: light and dark as one chose, a server that comes back, and nothing that jumps."""

import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from tests.support.browser import fingers
from tests.support.runs import TINY
from tests.support.serving import Server, serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAPER = {"light": "rgb(250, 247, 240)", "dark": "rgb(21, 20, 15)"}
GROUND = "getComputedStyle(document.body).backgroundColor"
CHART = "document.querySelector('#chart-loss canvas')?.getContext('2d').getImageData(0, 0, 1, 1).data.join()"
LOADED = "() => document.querySelector('[aria-busy=true]') === null && document.readyState === 'complete'"
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
LISTEN = """() => {
    window.said = [];
    new MutationObserver(() => window.said.push(document.body.innerText)).observe(document.body, {
        childList: true, characterData: true, subtree: true, attributes: true, attributeFilter: ["hidden"] });
}"""
SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries()) {
            window.shifts.push([value, sources.map(({ node }) => node?.id || node?.className || node?.nodeName)]);
        }
    }).observe({ type: "layout-shift" });
}"""
FITS = "(width) => document.documentElement.scrollWidth <= width"
WIDEST = """() => [...document.querySelectorAll("body *")]
    .filter((node) => node.getBoundingClientRect().right > document.documentElement.clientWidth)
    .slice(0, 5).map((node) => `${node.nodeName} ${node.id} ${node.className}`)"""
MOST_SHIFT = 0.02  # of all that moved; from 0.1 on a page counts as restless
PAGES = ("/", "/challenge", "/train", "/runs/1", "/compare?runs=1", "/models", "/models/mnist-mlp/judge", "/data")
LESSONS = ("/learn", "/learn/1", "/learn/parts", "/learn/inside")
WIDTHS = (390, 1280, 3840)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("everywhere")


def trained(server: Server, **overrides: object) -> int:
    run = server.post("/api/runs", {"recipe": "quick", "overrides": {**TINY, **overrides}})["id"]
    return int(run)


def ended(server: Server, run: int) -> bool:
    return bool(server.get(f"/api/runs/{run}")["state"] == "succeeded")


def test_a_theme_is_chosen_once_and_no_page_flashes_in_another(browser: Browser, pad_server: Server) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(pad_server.url)
    switch = page.locator("#themes summary")
    switch.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("[data-choose-theme=dark]")).to_be_hidden()
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.locator("[data-choose-theme=dark]")).to_be_focused()
    with page.expect_response("**/theme/dark*"):
        page.keyboard.press("Enter")
    assert page.evaluate(GROUND) == PAPER["dark"]
    expect(switch).to_be_focused()

    still = browser.new_context(color_scheme="light", java_script_enabled=False)
    still.add_cookies(context.cookies())  # what a script could mend too late
    reader = still.new_page()
    reader.goto(f"{pad_server.url}/models")
    expect(reader.locator("html")).to_have_attribute("data-theme", "dark")
    assert reader.evaluate(GROUND) == PAPER["dark"]
    switch = reader.locator("#themes summary")
    switch.click()
    reader.get_by_role("link", name="System default").click()
    expect(reader).to_have_url(f"{pad_server.url}/models")
    assert reader.evaluate(GROUND) == PAPER["light"]
    expect(reader.locator("[data-choose-theme=system]")).to_have_attribute("aria-current", "true")
    still.close()
    context.close()


def test_pages_do_not_jump_while_epochs_arrive_and_charts_follow_the_theme(
    browser: Browser, home: Path, cache_dir: Path
) -> None:
    with serve(home, DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        run = trained(server, epochs=15)
        pages = [browser.new_page(viewport={"width": width, "height": 844}) for width in (1280, 390)]
        for page in pages:
            page.goto(f"{server.url}/train?run={run}")
            page.wait_for_function(LOADED)
            until(lambda page=page: page.evaluate(CHART))
            page.evaluate(SHIFTS)
        until(lambda: ended(server, run))
        for page in pages:
            expect(page.locator("#run-state")).to_have_attribute("data-state", "succeeded")
            moved = page.evaluate("window.shifts")
            assert sum(value for value, _ in moved) < MOST_SHIFT, moved
        page = pages[0]
        before = page.evaluate(CHART)
        page.locator("#themes summary").click()
        page.locator("[data-choose-theme=dark]").click()
        until(lambda: page.evaluate(CHART) != before)
        for page in pages:
            page.close()


def test_two_fingers_enlarge_the_comparison_and_two_taps_show_it_all(phone: Page, home: Path, cache_dir: Path) -> None:
    with serve(home, DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        phone.goto(f"{server.url}/compare?runs=1")
        whole, chart = phone.locator("#compare-whole"), phone.locator("#compare-chart")
        expect(chart.locator(".chart-empty")).to_be_hidden()
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box is not None
        middle, y = box["x"] + box["width"] / 2, box["y"] + 80
        with fingers(phone) as touch:
            touch("touchStart", (middle - 20, y))
            touch("touchStart", (middle - 20, y), (middle + 20, y))
            touch("touchMove", (middle - 80, y), (middle + 80, y))
            touch("touchEnd")
            expect(whole).to_be_visible()
            for _ in range(2):
                touch("touchStart", (middle, y))
                touch("touchEnd")
            expect(whole).to_be_hidden()
        chart.focus()
        phone.keyboard.press("+")
        expect(whole).to_be_visible()
        phone.keyboard.press("-")
        expect(whole).to_be_hidden()

        phone.goto(f"{server.url}/runs/1")  # its charts do the same
        chart = phone.locator("#chart-accuracy")
        expect(chart.locator(".chart-empty")).to_be_hidden()
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box is not None
        with fingers(phone) as touch:
            touch("touchStart", (middle - 20, box["y"] + 80))
            touch("touchStart", (middle - 20, box["y"] + 80), (middle + 20, box["y"] + 80))
            touch("touchMove", (middle - 80, box["y"] + 80), (middle + 80, box["y"] + 80))
            touch("touchEnd")
        expect(phone.locator("#zoom-all")).to_be_enabled()


def test_every_page_fits_its_screen_says_that_the_server_is_away_and_comes_back(
    browser: Browser, home: Path, cache_dir: Path
) -> None:
    settings = {"DIGITPAD_CACHE_DIR": str(cache_dir)}
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    pages, errors, wide = {}, [], []
    with serve(home, **settings) as server:
        port = urlsplit(server.url).port
        assert port is not None
        if not server.get("/api/runs")["runs"]:  # the tests before it may run elsewhere
            trained(server)
        for path in (*PAGES, *LESSONS):
            page = context.new_page()
            page.on("pageerror", lambda error, path=path: errors.append(f"{path}: {error}"))
            answer = page.goto(server.url + path)
            assert answer is not None
            assert answer.status == 200, path
            pages[path] = page
        for path, page in pages.items():
            if path in PAGES:  # lessons draw their figures when somebody comes near them
                page.wait_for_function(LOADED)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                try:  # charts take their new size in the next frames
                    page.wait_for_function(
                        "(width) => document.documentElement.scrollWidth <= width", arg=width, timeout=20_000
                    )
                except TimeoutError:
                    wide.append((path, width, page.evaluate(WIDEST)))
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
    assert not wide
    for path, page in pages.items():
        page.bring_to_front()
        page.evaluate(LOOK)
        if path != "/":
            expect(page.locator("#server-away"), path).to_contain_text("The server is not responding.")
        page.evaluate(LISTEN)
    with serve(home, port=port, **settings):
        for path, page in pages.items():
            if path != "/":
                until(lambda page=page: any("The server is back." in text for text in page.evaluate("window.said")))
                expect(page.locator("#server-away"), path).to_be_hidden()
    assert not errors
    context.close()
