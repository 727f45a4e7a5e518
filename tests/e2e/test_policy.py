"""The content security policy and the token, in a real browser: nothing that the pages need is refused."""

import re

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.browser import draw
from tests.support.drawings import recorded
from tests.support.run_page import last_epoch
from tests.support.runs import TINY
from tests.support.serving import serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = recorded()["digit 3"]["strokes"]
TOKEN = "a-token-of-the-test"


def listen(page: Page) -> list[str]:
    """What the browser refuses from now on, in its own words."""
    refused: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if re.search("Content Security Policy|Refused to|MIME type", message.text):
            refused.append(message.text)

    page.on("console", hear)
    return refused


def test_no_page_asks_for_what_the_policy_forbids(page: Page, server) -> None:
    refused = listen(page)
    run = server.post("/api/runs", {"recipe": "quick", "overrides": TINY})["id"]
    until(lambda: server.get(f"/api/runs/{run}")["state"] == "succeeded")
    page.goto(f"{server.url}/")
    draw(page, THREE)
    expect(page.locator("#spoken")).to_contain_text("3")
    for path in ("/train", f"/runs/{run}"):
        page.goto(f"{server.url}{path}")
        if path == "/train":
            page.goto(f"{server.url}/train?run={run}")
        until(lambda: last_epoch(page) == 2)
    page.goto(f"{server.url}/challenge")
    page.locator("#fool button").click()
    draw(page, THREE)
    expect(page.locator("#spoken")).to_contain_text("3")
    page.goto(f"{server.url}/models")
    expect(page.locator("body")).to_contain_text("mnist-mlp")
    page.goto(f"{server.url}/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    assert not refused


def test_the_policy_stops_inline_script(page: Page, server) -> None:
    page.goto(f"{server.url}/")
    page.evaluate(
        "() => { const s = document.createElement('script'); s.text = 'window.ran = 1'; document.head.append(s) }"
    )
    assert page.evaluate("window.ran") is None


def test_the_printed_address_lets_a_browser_in_and_nobody_else(browser: Browser, tmp_path, cache_dir) -> None:
    with serve(tmp_path, DIGITPAD_TOKEN=TOKEN, DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        stranger, friend = browser.new_context(), browser.new_context()
        page = stranger.new_page()
        assert page.goto(f"{server.url}/train").status == 401
        expect(page.locator("h1")).to_contain_text("needs its token")
        page.locator("#token").fill("another")
        page.locator("form button").click()
        expect(page.get_by_role("alert")).to_contain_text("That is not the token.")
        page.locator("#token").fill(TOKEN)
        page.locator("form button").click()
        expect(page).to_have_url(f"{server.url}/train")
        page = friend.new_page()
        refused = listen(page)
        page.goto(f"{server.url}/?token={TOKEN}")
        expect(page).to_have_url(f"{server.url}/")
        draw(page, THREE)
        expect(page.locator("#spoken")).to_contain_text("3")
        page.goto(f"{server.url}/train")
        page.evaluate(
            "body => fetch('/api/runs', {method: 'POST', body: JSON.stringify(body)})",
            {"recipe": "quick", "overrides": TINY},
        )
        page.goto(f"{server.url}/train?run=1")
        until(lambda: last_epoch(page) == 2)
        assert TOKEN not in page.evaluate("document.cookie")
        assert not refused
        stranger.close()
        friend.close()
