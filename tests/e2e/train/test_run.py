"""A run while it learns, in a real browser: its curves, its inside, its log."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.support.drawings import recorded
from tests.support.run_page import epochs, first_epoch, last_epoch, lines, open_tab, painted
from tests.support.runs import TINY
from tests.support.serving import Server
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAINTED = """() => [...document.querySelectorAll('#sheet canvas')].filter((canvas) =>
    canvas.getContext('2d').getImageData(0, 0, 28, 28).data.some((value, i) => i % 4 === 0 && value > 128)).length"""
PICTURE = "document.querySelector('#chart-gradient canvas').toDataURL()"


def test_the_table_of_epochs_may_open_before_a_run_is_known(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/train")
    page.evaluate("""() => new Promise((resolve) => {
        const details = document.querySelector("#epochs-details");
        details.addEventListener("toggle", resolve, { once: true });
        details.open = true;
    })""")  # the page's own errors fail a test


def test_a_run_shows_what_happens_inside_it(page: Page, server: Server) -> None:
    strokes = recorded()["digit 3"]["strokes"]
    for _ in range(20):  # fewer have no line
        server.post("/api/drawings", {"label": "3", "strokes": strokes})
    page.goto(f"{server.url}/train")
    run = server.post("/api/runs", {"recipe": "quick", "overrides": {**TINY, "epochs": 6}})["id"]
    page.goto(f"{server.url}/train?run={run}")
    expect(page.locator("#run-state")).to_have_text("done", timeout=60_000)

    open_tab(page, "inside")
    assert page.url.endswith(f"?run={run}#inside")
    until(lambda: page.evaluate(PAINTED) == 20)
    expect(page.locator("#sheet-score")).to_contain_text("of 20 right")
    expect(page.locator("#watch-epoch-value")).to_have_text("6 of 6")
    score = page.locator("#sheet-score").text_content()
    page.locator("#watch-epoch").press("Home")
    expect(page.locator("#watch-epoch-value")).to_have_text("0 of 6")
    expect(page.locator("#first-layer-note")).to_have_text("before the first step")
    until(lambda: page.locator("#sheet-score").text_content() != score)
    for _ in range(12):  # of a training of so few batches each is kept
        if page.locator("#watch-epoch-value").text_content() == "1 of 6":
            break
        page.locator("#watch-epoch").press("ArrowRight")
    expect(page.locator("#watch-epoch-value")).to_have_text("1 of 6")
    expect(page.locator("#first-layer-note")).to_have_text("after epoch 1")
    wrong = page.locator(".sheet-digit[data-wrong]").first
    expect(wrong).to_contain_text("✗")  # told without colour, too
    wrong.click()
    expect(page.locator("#zoom-text")).to_contain_text("Epoch 1: it mistakes this")
    page.keyboard.press("Escape")
    page.locator("#watch-follow").click()
    page.locator("#watch-play").click()  # from the first moment to the last
    expect(page.locator("#watch-play")).to_have_text("Pause")
    expect(page.locator("#watch-play")).to_have_text("Play", timeout=20_000)
    expect(page.locator("#watch-follow")).to_be_disabled()
    expect(page.locator("#watch-epoch-value")).to_have_text("6 of 6")
    expect(page.locator("#first-layer button:enabled")).to_have_count(16)
    expect(page.locator("#first-layer-note")).to_have_text("after epoch 6")
    expect(page.locator("#histograms svg")).to_have_count(2)
    assert page.locator(".histogram-now").first.get_attribute("d").startswith("M")
    expect(page.locator("#event-log")).to_contain_text("Epoch 6 of 6")

    page.locator("#chart-gradient").scroll_into_view_if_needed()
    until(lambda: lines(page, "gradient") == ["Layer 1: Dense", "Layer 3: Dense"])
    expect(page.locator("[name=gradient-scale][value=log]")).to_be_checked()
    logarithmic = page.evaluate(PICTURE)
    page.locator("[name=gradient-scale][value=linear]").check(force=True)
    until(lambda: page.evaluate(PICTURE) != logarithmic)
    open_tab(page, "curves")
    assert lines(page, "loss") == ["training, batch by batch", "training", "validation", "your drawings"]
    until(lambda: all(painted(page, "loss", color) for color in ("training", "validation", "yours")))
    page.locator("#chart-loss-legend [data-line=yours]").click()
    until(lambda: not painted(page, "loss", "yours"))
    expect(page.locator("#chart-accuracy-legend [data-line=yours]")).to_have_attribute("aria-pressed", "true")
    chart = page.locator("#chart-loss")
    said = chart.get_attribute("aria-valuetext")
    assert said.startswith("epoch 6, training ")
    page.locator("#smoothing").press("End")
    until(lambda: chart.get_attribute("aria-valuetext") != said)
    page.locator("#zoom-in").click()
    until(lambda: first_epoch(page, "accuracy") > 1)
    page.locator("#zoom-all").click()
    until(lambda: first_epoch(page, "accuracy") == 1)

    chart.press("Home")
    assert chart.get_attribute("aria-valuetext").startswith("epoch 1, training ")
    expect(chart.locator(".chart-tip-head")).to_have_text("epoch 1")
    chart.press("ArrowRight")
    expect(chart.locator(".chart-tip-head")).to_have_text("epoch 2")
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    names = chart.locator(".chart-tip-name")
    expect(names).to_have_text(["training", "validation"])  # at one epoch, of those that are shown
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 30, box["y"] + 120, steps=4)
    page.mouse.up()
    until(lambda: first_epoch(page, "speed") > 2)  # all charts show the same epochs
    chart.dblclick(position={"x": 200, "y": 100})
    until(lambda: first_epoch(page, "speed") == 1)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    until(lambda: page.locator("#zoom-all").is_enabled())
    chart.press("0")
    expect(page.locator("#zoom-all")).to_be_disabled()

    with page.expect_download() as saved:
        page.locator("[data-csv]").first.click()
    text = Path(saved.value.path()).read_text()
    assert all(name in text.splitlines()[0] for name in ("yours_accuracy", "1 dense gradient_norm"))
    open_tab(page, "inside")
    with page.expect_download() as saved:
        page.locator("[data-png=gradient]").click()
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")


def test_a_run_from_before_its_inside_was_kept_shows_the_rest(page: Page, server: Server) -> None:
    run = server.post("/api/runs", {"recipe": "quick", "overrides": TINY})["id"]
    until(lambda: server.get(f"/api/runs/{run}")["state"] == "succeeded")

    def without(route: WebSocketRoute) -> None:
        """Take away what older runs lack."""
        upstream = route.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            message = json.loads(text)
            for name in ("layers", "sheet", "yours", "batch_losses"):
                message.get("data", {}).pop(name, None)
            route.send(json.dumps(message))

        upstream.on_message(pass_on)

    page.route_web_socket("**/stream**", without)
    page.route("**/api/runs/*/moments", lambda route: route.fulfill(json={"moments": []}))
    page.goto(f"{server.url}/runs/{run}")
    until(lambda: last_epoch(page) == 2)
    assert epochs(page) == [1, 2]
    assert lines(page, "loss") == ["training", "validation"]  # nobody has drawn anything here
    open_tab(page, "inside")
    expect(page.locator("#inside")).to_be_hidden()
    expect(page.locator("#inside-none")).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator("#tab-log")).to_be_focused()
    expect(page.locator("#panel-inside")).to_be_hidden()
    expect(page.locator("#event-log")).to_contain_text("Epoch 2 of 2")


@pytest.mark.parametrize("way", ["swallowed", "refused"])
def test_a_run_is_followed_where_no_socket_gets_through(page: Page, server: Server, way: str) -> None:
    def answer(socket: WebSocketRoute) -> None:
        if way == "refused":
            socket.close()

    page.route_web_socket("**/stream?**", answer)
    run = server.post("/api/runs", {"recipe": "quick", "overrides": {**TINY, "epochs": 40}})["id"]
    page.goto(f"{server.url}/runs/{run}")
    expect(page.locator("#run-away")).to_contain_text("asks every 2 s", timeout=15_000)
    expect(page.locator("#run-state")).to_have_text("done", timeout=60_000)
    expect(page.locator("#watch-epoch-value")).to_have_text("40 of 40")


def test_a_run_is_followed_over_a_new_socket_where_the_first_falls_silent(page: Page, server: Server) -> None:
    opened: list[WebSocketRoute] = []

    def answer(socket: WebSocketRoute) -> None:
        opened.append(socket)
        upstream = socket.connect_to_server()
        if len(opened) == 1:
            heard: list[object] = []
            upstream.on_message(lambda text: (heard.append(text), socket.send(text)) if len(heard) < 2 else None)
            upstream.on_close(lambda code, reason: None)

    page.route_web_socket("**/stream?**", answer)
    run = server.post("/api/runs", {"recipe": "quick", "overrides": {**TINY, "epochs": 40}})["id"]
    page.goto(f"{server.url}/runs/{run}")
    expect(page.locator("#run-state")).to_have_text("done", timeout=60_000)
    expect(page.locator("#watch-epoch-value")).to_have_text("40 of 40")
    assert len(opened) >= 2


def test_each_view_of_a_run_has_an_address_and_is_no_longer_than_two_screens(page: Page, server: Server) -> None:
    run = server.post("/api/runs", {"recipe": "quick", "overrides": TINY})["id"]
    until(lambda: server.get(f"/api/runs/{run}")["state"] == "succeeded")
    page.goto(f"{server.url}/runs/{run}#evaluation")
    expect(page.locator("#judge-body")).to_be_visible(timeout=60_000)
    expect(page.locator("#tab-evaluation")).to_have_attribute("aria-selected", "true")
    for width, height, screens in ((1280, 800, 2), (390, 844, 3)):
        page.set_viewport_size({"width": width, "height": height})
        for name in ("curves", "inside", "map", "evaluation", "settings", "log"):
            page.goto(f"{server.url}/runs/{run}#{name}")
            expect(page.locator(f"#panel-{name}")).to_be_visible()
            expect(page.locator(".run-panel:not([hidden])")).to_have_count(1)
            assert page.evaluate("document.documentElement.scrollHeight") <= screens * height, (name, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width  # less what the gutter takes
    page.goto(f"{server.url}/runs/{run}#nothing")
    expect(page.locator("#panel-curves")).to_be_visible()
