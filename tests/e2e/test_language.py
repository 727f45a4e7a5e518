"""The switch of the language, with scripts and without, and the note that every page has for a server that is away."""

import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import draw, sparse
from tests.support.drawings import recorded
from tests.support.serving import serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = sparse(recorded()["digit 3"]["strokes"])
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
LISTEN = """() => {
    window.said = [];
    const note = document.getElementById("server-away");
    const listen = () => window.said.push(note.textContent);
    new MutationObserver(listen).observe(note, { childList: true, characterData: true, subtree: true });
}"""
LANG = "document.documentElement.lang"


def test_the_switch_changes_every_word_and_leads_back_to_the_same_page(pad, pad_server) -> None:
    draw(pad, THREE)
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    assert pad.evaluate(LANG) == "en"
    pad.get_by_role("link", name="日本語").click()
    expect(pad.locator("#answer-sentence")).to_have_text("これは 3 です。")  # the drawing is still there
    expect(pad.locator("#answer-detail")).to_contain_text("確信度")
    expect(pad.locator("[data-label='3'] .bar-value")).to_contain_text("%")
    assert pad.evaluate(LANG) == "ja"
    assert pad.title() == "数字を描いてください · digitpad"

    pad.goto(f"{pad_server.url}/train")
    expect(pad.get_by_role("heading", level=1)).to_have_text("ネットワークを学習させる")
    expect(pad.locator("#dataset-note")).to_contain_text("訓練画像 60,000 枚、テスト画像 10,000 枚。")
    pad.evaluate("history.replaceState(null, '', '/train?recipe=quick#here')")  # as pages do with what they show
    pad.get_by_role("link", name="English").click()
    expect(pad).to_have_url(f"{pad_server.url}/train?recipe=quick#here")
    expect(pad.get_by_role("heading", level=1)).to_have_text("Train a network")


def test_the_switch_works_without_scripts_and_the_browser_s_wish_counts_before(browser: Browser, pad_server) -> None:
    context = browser.new_context(java_script_enabled=False, locale="ja-JP")
    page = context.new_page()
    page.goto(f"{pad_server.url}/train?recipe=quick")
    expect(page.get_by_role("heading", level=1)).to_have_text("ネットワークを学習させる")
    page.get_by_role("link", name="English").click()
    expect(page).to_have_url(f"{pad_server.url}/train?recipe=quick")
    expect(page.get_by_role("heading", level=1)).to_have_text("Train a network")
    page.goto(f"{pad_server.url}/nothing")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    context.close()


def test_the_pad_says_what_is_refused_in_its_language(browser: Browser, pad_server) -> None:
    context = browser.new_context(locale="ja-JP")
    page = context.new_page()
    page.goto(pad_server.url)
    draw(page, THREE)
    expect(page.locator("#answer-sentence")).to_have_text("これは 3 です。")
    page.locator("#teach-more").click()
    page.locator("#teach-other-label").fill("a\u202e")
    page.keyboard.press("Enter")
    expect(page.locator("#teach-note")).to_contain_text("ラベル：制御文字は使えません（U+202E がありました）")
    page.route("**/predict?*", lambda route: route.continue_(url=f"{pad_server.url}/predict?model=gone"))
    page.reload()
    expect(page.locator("#answer-detail")).to_have_text("モデル「gone」はありません。")
    context.close()


def test_every_page_says_that_the_server_is_away_and_comes_back(page, tmp_path: Path, cache_dir) -> None:
    settings = {"DIGITPAD_CACHE_DIR": str(cache_dir)}
    note = page.locator("#server-away")
    with serve(tmp_path, **settings) as server:
        port = urlsplit(server.url).port
        page.goto(f"{server.url}/models")
        expect(page.locator(".model")).to_have_count(2)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
    page.evaluate(LOOK)
    expect(note).to_contain_text("The server is not responding.")
    page.evaluate(LISTEN)
    page.locator(".model").first.get_by_text("Fine-tune").wait_for()  # what was there stays
    with serve(tmp_path, port=port, **settings):
        until(lambda: "The server is back." in page.evaluate("window.said"))  # which stands for seconds alone
        expect(page.locator(".model")).to_have_count(2)
        expect(note).to_be_hidden()
