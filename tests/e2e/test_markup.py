"""Names, labels, notes and addresses that are markup: text on every page, also without the content security policy."""

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import draw
from tests.support.drawings import recorded
from tests.support.runs import TINY
from tests.support.serving import Server, serve
from tests.support.waiting import until
from tests.support.zips import png, zip_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STROKES = [recorded()[name]["strokes"] for name in ("digit 3", "digit 7")]
LABELS = ["<img src=x onerror=hacked=1>", "</script><script>hacked=1</script>"]
MARKUP = "\"'><svg onload=hacked=1><img src=x onerror=hacked=1>"
RAN = "() => [typeof hacked, document.querySelectorAll('[onerror], [onload], img[src=\"x\"]').length]"
LOADED = "() => document.querySelector('[aria-busy=true]') === null && document.readyState === 'complete'"
SHOWN_MS = 300  # for what comes after that
ADDRESSES = [
    f"/data?set={quote(MARKUP)}",
    f"/data?set=drawings:letters&label={quote(LABELS[0])}",
    f"/train?dataset={quote(MARKUP)}",
    f"/train?tag={quote(MARKUP)}",
    f"/compare?runs={quote(MARKUP)}",
    f"/models/{quote(MARKUP, safe='')}/judge",
    f"/runs/{quote(MARKUP, safe='')}",
    f"/learn/inside?model={quote(MARKUP)}",
    f"/{quote(MARKUP, safe='')}",
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path):
    """A server with a set, a run, a model and imported images whose names are markup; and the model's name."""
    with serve(tmp_path_factory.mktemp("home"), DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        for place in range(24):
            strokes = [[[x + place, y] for x, y in stroke] for stroke in STROKES[place % 2]]
            server.post("/api/drawings", {"label": LABELS[place % 2], "strokes": strokes, "set": "letters"})
        overrides = {
            **TINY,
            "dataset": "drawings:letters",
            "network": {"layers": [{"type": "dense", "units": 8}, {"type": "relu"}, {"type": "dense", "units": 2}]},
        }
        body = {"recipe": "quick", "overrides": overrides, "tags": [MARKUP[:30]], "note": MARKUP}
        run = server.post("/api/runs", body)["id"]
        until(lambda: server.get(f"/api/runs/{run}")["state"] == "succeeded")
        yield server, run, server.get(f"/api/runs/{run}")["model"]


@pytest.mark.parametrize("has_policy", [True, False], ids=["policy", "no policy"])
def test_markup_is_text_on_every_page(browser: Browser, hostile: tuple[Server, int, str], has_policy: bool) -> None:
    server, run, model = hostile
    context = browser.new_context(bypass_csp=not has_policy)
    page = context.new_page()
    places = ["/train", f"/runs/{run}", f"/compare?runs={run}", "/models", f"/models/{model}/judge"]
    places += [
        "/data?set=drawings:letters",
        "/data/projector?set=letters",
        "/draw/letters",
        f"/learn/inside?model={model}",
        f"/challenge?model={model}",
        *ADDRESSES,
    ]
    for path in places:
        page.goto(f"{server.url}{path}")
        page.wait_for_function(LOADED)
        page.wait_for_timeout(SHOWN_MS)
        assert page.evaluate(RAN) == ["undefined", 0], path
    page.goto(f"{server.url}/?model={model}")
    draw(page, STROKES[0])
    expect(page.locator("#spoken")).not_to_be_empty()
    assert page.evaluate(RAN) == ["undefined", 0]
    context.close()


def test_imported_names_are_text(browser: Browser, hostile: tuple[Server, int, str], tmp_path: Path) -> None:
    server = hostile[0]
    label = LABELS[0]
    files = {f"{folder}/{place}{label}.png": png(number=place) for folder in (label, "b") for place in range(8)}
    packed = tmp_path / "set.zip"
    packed.write_bytes(zip_of({**files, f"{label}/{label}.gif": b"GIF89a"}))
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{server.url}/data?import")
    page.set_input_files("#import-file", packed)
    expect(page.get_by_text(label).first).to_be_visible()
    for summary in page.locator("summary:visible").all():
        summary.click()
    assert page.evaluate(RAN) == ["undefined", 0]
    context.close()


def test_an_exported_page_shows_labels_as_text(page: Page, hostile: tuple[Server, int, str], tmp_path: Path) -> None:
    server, _, model = hostile
    file = tmp_path / "page.html"
    file.write_text(server.text(f"/api/models/{model}/download?format=html"), "utf-8")
    page.goto(file.as_uri())
    page.wait_for_load_state("load")
    assert page.evaluate(RAN) == ["undefined", 0]
    expect(page.locator("canvas").first).to_be_visible()
