"""A browser for all browser tests, and a server and a page for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import chromium
from tests.support.serving import Server, serve

expect.set_options(timeout=60_000)


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


@pytest.fixture
def pad(browser: Browser, pad_server: Server) -> Iterator[Page]:
    """The pad on a desktop, its storage empty."""
    for opened in _watched(browser, viewport={"width": 1280, "height": 800}):
        opened.goto(pad_server.url)
        yield opened


@pytest.fixture
def phone_pad(browser: Browser, pad_server: Server) -> Iterator[Page]:
    """The pad on a phone with a touch screen, its storage empty."""
    for opened in _watched(browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True):
        opened.goto(pad_server.url)
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a desktop; the test fails where the page logs an error that it did not ask for."""
    yield from _watched(browser, viewport={"width": 1280, "height": 800})


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A page of a phone with a touch screen."""
    yield from _watched(browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)


def _watched(browser: Browser, **options: object) -> Iterator[Page]:
    context = browser.new_context(**options)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors
