"""A browser for all browser tests, and a server and a page for each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import chromium
from tests.support.serving import Server, serve

expect.set_options(timeout=60_000)

DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
FORGET = """async () => {
    localStorage.clear();
    sessionStorage.clear();
    for (const {name} of await indexedDB.databases())
        await new Promise((done) => {
            const asked = indexedDB.deleteDatabase(name);
            asked.onsuccess = asked.onerror = asked.onblocked = done;
        });
}"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def server(tmp_path: Path, cache_dir: Path) -> Iterator[Server]:
    """A real server that keeps everything in this test's own folder."""
    with serve(tmp_path / "home", DIGITPAD_CACHE_DIR=str(cache_dir)) as started:
        yield started


@pytest.fixture(scope="session")
def pad_server(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[Server]:
    """One server for all tests of the pad that leave nothing behind which another would see."""
    with serve(tmp_path_factory.mktemp("pad"), DIGITPAD_CACHE_DIR=str(cache_dir)) as started:
        yield started


@pytest.fixture(scope="session")
def shared_pages(browser: Browser) -> Iterator[dict[str, Page]]:
    """Pages that tests use one after the other: opening one takes longer than most of what is done with it."""
    opened: dict[str, Page] = {}
    yield opened
    for each in opened.values():
        each.context.close()


@pytest.fixture
def pad(browser: Browser, pad_server: Server, shared_pages: dict[str, Page]) -> Iterator[Page]:
    """The pad on a desktop, its storage empty."""
    yield from _visit(browser, pad_server.url, shared_pages, "desktop")


@pytest.fixture
def phone_pad(browser: Browser, pad_server: Server, shared_pages: dict[str, Page]) -> Iterator[Page]:
    """The pad on a phone with a touch screen, its storage empty."""
    yield from _visit(browser, pad_server.url, shared_pages, "phone")


@pytest.fixture
def fresh_pad(page: Page, pad_server: Server) -> Page:
    """The pad on a desktop, in a page that no other test uses: for what cannot be taken back of a page."""
    page.goto(pad_server.url)
    return page


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a desktop; the test fails where the page logs an error that it did not ask for."""
    yield from _watched(browser, **DEVICES["desktop"])


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A page of a phone with a touch screen."""
    yield from _watched(browser, **DEVICES["phone"])


def _watched(browser: Browser, **options: Any) -> Iterator[Page]:
    context = browser.new_context(**options)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors


def _visit(browser: Browser, url: str, shared: dict[str, Page], device: str) -> Iterator[Page]:
    """The shared page of that device at `url`, as if nobody had been there; what a test did to it is taken back."""
    if device not in shared:
        shared[device] = browser.new_context(**DEVICES[device]).new_page()
    opened, errors = shared[device], []
    hear = lambda error: errors.append(str(error))  # noqa: E731
    opened.goto(f"{url}/health")
    opened.evaluate(FORGET)
    opened.on("pageerror", hear)
    opened.goto(url)
    yield opened
    opened.unroute_all(behavior="ignoreErrors")
    for other in opened.context.pages:
        if other != opened:
            other.close()
    opened.mouse.up()
    opened.mouse.move(0, 0)
    opened.goto("about:blank")
    opened.remove_listener("pageerror", hear)
    opened.set_viewport_size(DEVICES[device]["viewport"])
    opened.emulate_media(media="null", color_scheme="null", reduced_motion="null", forced_colors="null")
    opened.context.clear_permissions()
    opened.context.clear_cookies()
    assert not errors
