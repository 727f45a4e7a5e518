"""A browser behind proxies: under a path that is kept or stripped, and under another name."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browser import draw
from tests.support.drawings import recorded
from tests.support.proxy import Proxy, certify, reverse_proxy
from tests.support.run_page import last_epoch
from tests.support.runs import TINY
from tests.support.serving import serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = recorded()["digit 3"]["strokes"]
TOKEN = "a-token-of-the-test"
NAME = "digits.localhost"  # which browsers look for on loopback
LINKS = """() => [...document.querySelectorAll("a[href]:not([download]), form[action]")]
    .map((node) => node.href ?? node.action)"""
FILES = """() => [...document.querySelectorAll("link[href], script[src], img[src], source[src], iframe[src]")]
    .map((node) => node.href ?? node.src).filter((address) => !/^(data|blob):/.test(address))"""
LOADED = "() => document.querySelector('[aria-busy=true]') === null && document.readyState === 'complete'"
MOST_OF_A_KIND = 2  # pages that differ in a number or a name
TOLD = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "{scheme}", "x-forwarded-host": "{host}"}


@contextmanager
def served(folder: Path, cache: Path, **settings: str) -> Iterator[str]:
    """The address of a server, without its root path."""
    with serve(folder, DIGITPAD_CACHE_DIR=str(cache), **settings) as server:
        yield server.url.removesuffix(settings.get("DIGITPAD_ROOT_PATH", ""))


def kind(address: str, start: str) -> str:
    """What pages that differ in a number, a name or a query have in common."""
    path = re.sub(r"\d+", "1", urlsplit(address.removeprefix(start)).path)
    return re.sub(r"/(code|models)/[^/]+", r"/\1/x", path)


def reads_and_trains(page: Page, proxy: Proxy) -> None:
    """Read a drawing on the pad, and follow a training over a socket."""
    page.goto(f"{proxy.url}/")
    draw(page, THREE)
    expect(page.locator("#answer-glyph")).to_have_text("3")
    page.goto(f"{proxy.url}/train")
    root = urlsplit(proxy.url).path
    run = page.evaluate(
        """async ([path, body]) => {
            const headers = { "content-type": "application/json" };
            return (await (await fetch(path, { method: "POST", headers, body: JSON.stringify(body) })).json()).id;
        }""",
        [f"{root}/api/runs", {"recipe": "quick", "overrides": {**TINY, "epochs": 3}}],
    )
    frames: list[str] = []
    page.on("websocket", lambda one: one.on("framereceived", lambda frame: frames.append(f"{one.url} {frame}")))
    page.goto(f"{proxy.url}/train?run={run}")
    until(lambda: last_epoch(page) == 3)
    expect(page.locator("#run-state")).to_have_attribute("data-state", "succeeded")
    assert {urlsplit(frame.split()[0]).path for frame in frames} == {f"{root}/api/runs/{run}/stream"}
    assert any('"succeeded"' in frame for frame in frames)


def crawl(page: Page, start: str) -> set[str]:
    """All pages that can be reached from `start` by links, a few of each kind; no link, file or call may leave it."""
    outside: list[str] = []
    failed: list[str] = []

    def judge(address: str) -> None:
        if not address.startswith(f"{start}/") and not address.startswith(("data:", "blob:")):
            outside.append(f"{page.url} → {address}")

    page.on("request", lambda request: judge(request.url))

    def check(status: int, address: str) -> None:
        if status >= 400 and status != 409:  # which says that a data set is not on this machine
            failed.append(f"{status} {address}")

    page.on("response", lambda answer: check(answer.status, answer.url))
    waiting, seen, counts = [f"{start}/"], {f"{start}/"}, dict[str, int]()
    while waiting:
        address = waiting.pop()
        page.goto(address)
        page.wait_for_function(LOADED)
        for found in page.evaluate(FILES):
            judge(found)
        for found in page.evaluate(LINKS):
            link, _ = urldefrag(found)
            if urlsplit(link).netloc != urlsplit(start).netloc:  # the tutorials that recipes are from
                continue
            judge(link)
            if link in seen or re.search(r"/(language|theme)/", link):
                continue
            seen.add(link)
            alike = kind(link, start)
            counts[alike] = counts.get(alike, 0) + 1
            if counts[alike] <= MOST_OF_A_KIND:
                waiting.append(link)
    assert not outside
    assert not failed
    return {kind(address, start) for address in seen}


@pytest.mark.parametrize("way", ["kept", "stripped", "stripped and told"])
def test_everything_works_and_stays_under_a_path(browser: Browser, tmp_path: Path, cache_dir: Path, way: str) -> None:
    told = way == "stripped and told"
    prefix = "/user/me@x.org/proxy/8000" if told else "/pad"
    settings = {"DIGITPAD_TOKEN": TOKEN} | ({} if told else {"DIGITPAD_ROOT_PATH": prefix})
    says = {"x-forwarded-prefix": "{prefix}"} if told else {}
    with (
        served(tmp_path, cache_dir, **settings) as upstream,
        reverse_proxy(upstream, prefix=prefix, strips=way != "kept", says=says) as proxy,
    ):
        context = browser.new_context(locale="en")
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        assert page.goto(f"{proxy.url}/train").status == 401  # type: ignore[union-attr]
        page.locator("#token").fill(TOKEN)
        page.locator("form button").click()
        expect(page).to_have_url(f"{proxy.url}/train")
        page.goto(f"{proxy.url}/")
        reads_and_trains(page, proxy)

        page.goto(f"{proxy.url}/models?x=1#y")
        page.locator("[data-language=ja]").click()
        expect(page).to_have_url(f"{proxy.url}/models?x=1#y")
        expect(page.locator("html")).to_have_attribute("lang", "ja")
        expect(page.locator(".nav a").first).to_have_text("描く")
        page.locator("#themes summary").click()
        with page.expect_response("**/theme/dark*"):
            page.locator("[data-choose-theme=dark]").click()
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        cookies = context.cookies()
        assert len(cookies) == 3
        assert {one["path"] for one in cookies} == {prefix}

        page.goto(f"{proxy.url}/docs")
        expect(page.locator(".opblock").first).to_be_visible()
        found = crawl(page, proxy.url)
        assert {
            "/train",
            "/runs/1",
            "/models",
            "/models/x/judge",
            "/data",
            "/learn",
            "/learn/1",
            "/learn/code/x",
        } <= found
        assert not proxy.outside
        assert not errors
        context.close()


def on_another_name(browser: Browser, folder: Path) -> tuple[BrowserContext, ssl.SSLContext]:
    """A browser that takes any certificate, and what shows it one."""
    certify(folder, NAME)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
    return browser.new_context(ignore_https_errors=True, locale="en"), tls


@pytest.mark.parametrize("rewrites_origin", [False, True])
def test_a_forwarded_port_works_under_its_public_name(
    browser: Browser, tmp_path: Path, cache_dir: Path, rewrites_origin: bool
) -> None:
    context, tls = on_another_name(browser, tmp_path)
    with served(tmp_path / "home", cache_dir, DIGITPAD_TOKEN=TOKEN, DIGITPAD_ALLOWED_HOSTS=NAME) as upstream:
        forwards = {"host": f"localhost:{urlsplit(upstream).port}", "says": TOLD, "rewrites_origin": rewrites_origin}
        with reverse_proxy(upstream, name=NAME, tls=tls, **forwards) as proxy:  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(f"{proxy.url}/?token={TOKEN}")
            expect(page).to_have_url(f"{proxy.url}/")
            assert [one["secure"] for one in context.cookies()] == [True]
            reads_and_trains(page, proxy)
            page.goto(f"{proxy.url}/train/")
            expect(page).to_have_url(f"{proxy.url}/train")
    context.close()


def test_a_page_under_a_name_that_the_server_is_not_told_says_which_setting_is_missing(
    browser: Browser, tmp_path: Path, cache_dir: Path
) -> None:
    context = browser.new_context(locale="en")
    page = context.new_page()
    with served(tmp_path, cache_dir) as upstream:
        host = f"localhost:{urlsplit(upstream).port}"
        with reverse_proxy(upstream, name=NAME, host=host) as proxy:  # a proxy that tells nothing
            page.goto(f"{proxy.url}/")
            draw(page, THREE)
            expect(page.locator("#answer-sentence")).to_have_text("The server takes no requests from this page.")
            expect(page.locator("#answer-detail")).to_contain_text("DIGITPAD_ALLOWED_ORIGINS")
            expect(page.locator("#answer-detail")).to_contain_text(proxy.url)
            expect(page.locator("#spoken")).to_contain_text("DIGITPAD_ALLOWED_ORIGINS")
            for width in (390, 1280):
                page.set_viewport_size({"width": width, "height": 844})
                words, bars = (page.locator(name).bounding_box() for name in ("#answer-detail", "#bars"))
                assert words is not None
                assert bars is not None
                assert words["y"] + words["height"] <= bars["y"]
            page.locator("#doctor > summary").click()
            expect(page.locator("#doctor-note")).to_contain_text("DIGITPAD_ALLOWED_ORIGINS")
            page.goto(f"{proxy.url}/train?recipe=quick")
            page.locator("#start").click()
            expect(page.locator("#form-error")).to_contain_text("DIGITPAD_ALLOWED_ORIGINS")
        with reverse_proxy(upstream, name=NAME, host=host, says=TOLD) as proxy:
            assert page.goto(f"{proxy.url}/").status == 421  # type: ignore[union-attr]
            expect(page.locator("main")).to_contain_text("DIGITPAD_ALLOWED_HOSTS")
            expect(page.locator("main")).to_contain_text(NAME)
    context.close()
