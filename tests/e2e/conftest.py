"""A browser for all browser tests, and a server and a page for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium
from tests.serving import Server, serve

expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def server(tmp_path: Path, cache_dir: Path) -> Iterator[Server]:
    """A real server that keeps everything in this test's own folder."""
    with serve(tmp_path / "home", DIGITPAD_CACHE_DIR=str(cache_dir)) as started:
        yield started


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page of a desktop; the test fails where the page logs an error that it did not ask for."""
    yield from _watched(browser, viewport={"width": 1280, "height": 800})


@pytest.fixture
def phone(browser: Browser, server: Server) -> Iterator[Page]:
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
