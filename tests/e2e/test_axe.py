"""Every page, in both languages, themes and widths: axe finds nothing, nothing is wider than the screen or moves."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.support.axe import AXE, RULES
from tests.support.browser import draw
from tests.support.drawings import recorded
from tests.support.runs import TINY
from tests.support.serving import Server, serve
from tests.support.waiting import until
from tests.support.zips import bar_files, png, zip_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = {"en": [(1280, 800, "light"), (390, 844, "dark")], "ja": [(390, 844, "light"), (1280, 800, "dark")]}
"""Each language in half of the looks: all widths, themes and languages meet, and the other half would tell no more."""

PAGES = {
    "pad": "/",
    "challenge": "/challenge",
    "dashboard": "/train",
    "run": "/runs/1",
    "run inside": "/runs/1#inside",
    "run evaluation": "/runs/1#evaluation",
    "compare": "/compare?runs=1",
    "models": "/models",
    "judge": "/models/mnist-mlp/judge",
    "data": "/data",
    "make it mine": "/mine",
    "augmentation": "/augmentation?source=strokes",
    "own drawings": "/data?set=drawings:own",
    "projector": "/data/projector?set=own",
    "invited": "/draw/own",
    "learn": "/learn",
    "the parts": "/learn/parts",
    "the perceptron": "/learn/perceptron",
    "a lesson": "/learn/1",
    "the code": "/learn/code/adam",
    "nothing": "/nothing-here",
    "broken": "/models/none/judge",
}
LOADED = "() => document.querySelector('[aria-busy=true]') === null && document.readyState === 'complete'"
OPEN = "() => document.querySelectorAll('details:not(.themes)').forEach((one) => (one.open = true))"
MOVES = """() => [...document.querySelectorAll("*")].filter((node) => {
  const style = getComputedStyle(node);
  const lasts = (text) => text.split(",").some((part) => parseFloat(part) > 0.01);
  return lasts(style.transitionDuration) || (style.animationName !== "none" && lasts(style.animationDuration));
}).map((node) => node.outerHTML.slice(0, 100))"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, cache_dir) -> Iterator[Server]:
    """A server with a run that is done, and a drawing of the user's own."""
    with serve(tmp_path_factory.mktemp("axe"), DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        server.post("/api/drawings", {"label": "3", "set": "own", "strokes": recorded()["digit 3"]["strokes"]})
        run = server.post("/api/runs", {"recipe": "quick", "overrides": TINY})["id"]
        until(lambda: server.get(f"/api/runs/{run}")["state"] == "succeeded")
        yield server


@pytest.fixture(scope="module", params=["en", "ja"])
def reader(request, browser: Browser) -> Iterator[Page]:
    """A page of somebody who reads that language and asked for no motion."""
    context = browser.new_context(locale=request.param, reduced_motion="reduce")
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on(name: str, reader: Page, home: Server) -> None:
    page, found = reader, []
    page.goto(home.url + PAGES[name])
    page.wait_for_function(LOADED)
    page.evaluate(OPEN)
    page.evaluate(Axe().axe_script)
    for width, height, scheme in LOOKS[page.evaluate("document.documentElement.lang")]:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.wait_for_function(LOADED)
        found += [f"{width} {scheme}: {text}" for text in page.evaluate(AXE, RULES)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{width}: wider than the screen")
    found += [f"moves: {html}" for html in page.evaluate(MOVES)]
    assert not found, "\n".join(dict.fromkeys(found))


def test_axe_finds_nothing_on_the_map_of_a_run_or_the_paths_of_a_race(reader: Page, home: Server) -> None:
    page, found = reader, []
    asked = {"recipe": "quick", "overrides": TINY, "vary": "optimizer", "values": ["sgd", "adam"]}
    runs = [run["id"] for run in home.post("/api/races", asked)["runs"]]
    until(lambda: all(home.get(f"/api/runs/{run}")["state"] == "succeeded" for run in runs))
    page.goto(f"{home.url}/runs/{runs[0]}#map")
    page.locator("#run-map-body").wait_for()
    _look(page, "map", found, ("light", "dark"))
    page.goto(f"{home.url}/compare?runs={runs[0]},{runs[1]}")
    page.locator("#paths-start").click()
    page.locator("#paths-body canvas.figure-canvas").wait_for(timeout=60_000)
    page.evaluate(OPEN)
    _look(page, "paths", found, ("light", "dark"))
    page.set_viewport_size({"width": 320, "height": 700})
    if page.evaluate("document.documentElement.scrollWidth") > 320:
        found.append("paths: wider than the screen")
    assert not found, "\n".join(dict.fromkeys(found))


def _look(page: Page, what: str, found: list[str], schemes: tuple[str, ...]) -> None:
    """What axe says of the page as it is."""
    page.evaluate(Axe().axe_script)
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{what} {scheme}: {text}" for text in page.evaluate(AXE, RULES)]


def _close(page: Page) -> None:
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")


@pytest.mark.parametrize(("language", "schemes"), [("en", ("light", "dark")), ("ja", ("light",))])
def test_axe_finds_nothing_in_any_dialog(
    language: str, schemes: tuple[str, ...], browser: Browser, home: Server
) -> None:
    context = browser.new_context(locale=language, reduced_motion="reduce", viewport={"width": 390, "height": 844})
    page, found = context.new_page(), []
    opened = {
        "/train?run=1#inside": [
            ("picture", "#sheet button:enabled"),
            ("further", "#further"),
            ("notes and tags", "[data-run='1'] .cell-actions button"),
        ],
        "/runs/1#inside": [("weights", "#first-layer button:enabled"), ("delete a run", "#delete")],
        "/compare?runs=1": [],
        "/models": [
            ("rename", ".model-others button >> text=/Rename|名前/"),
            ("delete a model", ".model-others button >> text=/Delete|削除/"),
        ],
        "/data?set=drawings:own": [("a drawing", "#grid button")],
        "/data?make": [],
        "/data?draw=own": [],
    }
    for path, dialogs in opened.items():
        page.goto(home.url + path)
        page.wait_for_function(LOADED)
        _look(page, path, found, schemes)
        for name, selector in dialogs:
            page.locator(selector).first.click()
            page.locator("dialog[open]").wait_for()
            _look(page, name, found, schemes)
            _close(page)
    page.goto(f"{home.url}/data?import")
    page.locator("#sets[aria-busy=false], #sets:not([aria-busy])").wait_for()
    _look(page, "import", found, schemes)
    page.locator("#import-file").set_input_files([{"name": "x.png", "mimeType": "image/png", "buffer": png()}])
    page.locator("#import-label-0").fill("○")
    _look(page, "images by label", found, schemes)
    files = {**bar_files(), "up/x.png": b"?"}
    page.locator("#import-file").set_input_files([{"name": "x.zip", "mimeType": "", "buffer": zip_of(files)}])
    page.locator("#import-unread summary").click()
    _look(page, "a set before it is saved", found, schemes)
    page.locator("#import-name").fill("?")
    page.locator("#import-save .accent").click()
    page.locator("#import-name-error", has_text=re.compile(".")).wait_for()
    _look(page, "a name that is none", found, schemes)
    page.goto(f"{home.url}/nothing-here")
    page.locator("#themes summary").click()
    _look(page, "light or dark", found, schemes)
    page.goto(home.url)
    draw(page, recorded()["digit 3"]["strokes"])
    page.locator("#answer-glyph", has_text="3").wait_for()
    for name, selector in (("what the network sees", "#seen-open"), ("copy as code", "#copy-open")):
        page.locator(selector).click()
        page.locator("dialog[open]").wait_for()
        _look(page, name, found, schemes)
        _close(page)
    page.locator("#teach-more").click()
    _look(page, "teach", found, schemes)
    page.goto(f"{home.url}/models")
    page.locator(".model").first.wait_for()
    page.locator("#import-file").set_input_files([{"name": "x.zip", "mimeType": "application/zip", "buffer": b"none"}])
    page.locator("#models-error", has_text=re.compile(".")).wait_for()
    _look(page, "a model that cannot come in", found, schemes)
    page.goto(f"{home.url}/train")
    page.wait_for_function(LOADED)
    page.locator("#race-change").click()
    page.locator("#race-values").fill("none")
    page.locator("#race-values-error", has_text=re.compile(".")).wait_for()
    _look(page, "race", found, schemes)
    run = home.post("/api/runs", {"recipe": "quick", "overrides": {**TINY, "epochs": 100_000}})["id"]
    page.goto(f"{home.url}/train?run={run}")
    until(lambda: home.get(f"/api/runs/{run}")["metrics"])
    page.locator("#run-state[data-state=running]").wait_for()
    page.locator("#event-log [data-type=epoch]").first.wait_for(state="attached")  # it asks where there is one to lose
    page.locator("#cancel").click()
    page.locator("dialog[open]").wait_for()
    _look(page, "cancel", found, schemes)
    page.locator("#confirm").click()
    until(lambda: home.get(f"/api/runs/{run}")["state"] == "cancelled")
    context.close()
    assert not found, "\n".join(dict.fromkeys(found))
