"""A class is invited: phones draw into one set and see nothing else, and the projector shows what they draw."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.data.test_class import LINE, counts, declare
from tests.support.browser import draw, fingers
from tests.support.browser_fixtures import DEVICES
from tests.support.classroom import hold_class
from tests.support.serving import Server, serve
from tests.support.waiting import run_async

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOKEN = "a-token-of-the-test"
BEARER = {"authorization": f"Bearer {TOKEN}"}
PHONES, DRAWINGS = 40, 3
ANIMATION = "(node) => getComputedStyle(node).animationName"


@pytest.fixture
def server(tmp_path: Path, cache_dir: Path) -> Iterator[Server]:
    """A server that a network reaches."""
    settings = {"DIGITPAD_HOST": "0.0.0.0", "DIGITPAD_TOKEN": TOKEN, "DIGITPAD_CACHE_DIR": str(cache_dir)}
    with serve(tmp_path / "home", **settings) as started:
        yield started


def enter(page: Page, server: Server) -> None:
    """Open the server as its owner."""
    page.goto(f"{server.url}/?token={TOKEN}")


def stored(server: Server) -> list[str]:
    """The labels of the drawings, the oldest first."""
    drawings = json.loads(server.text("/api/drawings?set=shapes", BEARER))["drawings"]
    return [drawing["label"] for drawing in reversed(drawings)]


def invite(page: Page) -> str:
    page.get_by_role("button", name="Invite").click()
    page.get_by_role("button", name="Make an invitation").click()
    expect(page.locator("#invite-address")).to_have_value(re.compile(r"/join/\w{4}-\w{4}$"))
    expect(page.locator("#invite-qr")).to_be_visible()
    assert page.locator("#invite-qr").evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    return page.locator("#invite-address").input_value()


def save_one(phone: Page, label: str) -> None:
    """Draw a line with a finger, and press Save."""
    expect(phone.locator("#draw-ask")).to_have_text(f"Draw {label}")
    box = phone.locator("#pad[data-ready]").bounding_box()
    assert box is not None
    with fingers(phone) as touch:
        touch("touchStart", (box["x"] + 60, box["y"] + 60))
        for step in range(1, 8):
            touch("touchMove", (box["x"] + 60 + 20 * step, box["y"] + 60 + 15 * step))
        touch("touchEnd")
    phone.locator("#keep").tap()


def test_an_invited_phone_draws_and_the_teacher_and_the_projector_count_it(page, phone, server):
    enter(page, server)
    declare(page, server)
    address = invite(page)
    projector = page.context.new_page()
    projector.goto(f"{server.url}/data/projector?set=shapes")
    host, code = (projector.locator(f"#projector-{part}") for part in ("host", "number"))
    expect(code).to_have_text(address.rpartition("/")[2])
    assert address == f"http://{host.inner_text()}{code.inner_text()}"
    expect(projector.locator("#projector-qr")).to_be_visible()
    expect(projector.locator("#projector-total")).to_have_text("0 drawings")

    phone.goto(address)
    assert phone.url.endswith("/draw/shapes")
    for label in "○△×○":
        save_one(phone, label)
        expect(phone.locator("#draw-kept")).to_have_text(f"Saved as {label}.")
    expect(counts(phone)).to_have_text(["○2 / 10", "△1 / 10", "×1 / 10"])
    expect(counts(page)).to_have_text(["○2 / 10", "△1 / 10", "×1 / 10"])
    expect(projector.locator("#projector-total")).to_have_text("4 drawings")
    expect(projector.locator(".projector-count")).to_have_text(["2", "1", "1"])
    for label, number in {"○": 2, "△": 1, "×": 1}.items():
        expect(projector.locator(f".projector-label[data-label='{label}'] svg")).to_have_count(number)
    assert projector.locator("[data-flying]").first.evaluate(ANIMATION) == "fly-in"
    assert phone.evaluate("document.documentElement.scrollWidth") <= DEVICES["phone"]["viewport"]["width"]

    page.get_by_role("button", name="End the invitation").click()
    expect(page.locator("#invite-until")).to_have_text("The invitation has ended.")
    expect(phone.locator("#data-error")).to_contain_text("This invitation has ended.")
    expect(projector.locator("#projector-code")).to_be_hidden()
    expect(projector.locator("#projector-invitation")).to_have_text("There is no invitation.")
    draw(phone, LINE)
    expect(phone.locator("#clear")).to_be_enabled()
    expect(phone.locator("#keep")).to_be_disabled()
    assert stored(server) == ["○", "△", "×", "○"]

    # the owner takes one away
    last = json.loads(server.text("/api/drawings?set=shapes", BEARER))["drawings"][0]["id"]
    gone = page.request.delete(f"{server.url}/api/drawings/{last}", headers={"origin": server.url})
    assert gone.status == 204
    expect(projector.locator(".projector-count")).to_have_text(["1", "1", "1"])
    expect(projector.locator(f"svg[data-id='{last}']")).to_have_count(0)
    expect(projector.locator(".projector-newest svg")).to_have_count(3)


def test_the_newest_drawing_takes_the_place_of_the_oldest_and_none_flies_where_less_motion_is_wished(
    browser: Browser, server: Server
):
    context = browser.new_context(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    owner = context.new_page()
    enter(owner, server)
    declare(owner, server)
    projector = context.new_page()
    projector.goto(f"{server.url}/data/projector?set=shapes")
    newest = projector.locator(".projector-label[data-label='○'] .projector-newest")
    expect(newest).to_have_count(1)
    post = """(body) => fetch("/api/drawings/sets/shapes/drawings", {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    }).then((answer) => answer.json())"""
    ids: list[str] = []
    for number in range(60):
        body = {"label": "○", "strokes": [[[number, 0], [50, 80]]]}
        ids.append(owner.evaluate(post, body)["id"])
    expect(projector.locator(f"svg[data-id='{ids[-1]}']")).to_have_count(1)
    shown = newest.locator("svg").evaluate_all("(all) => all.map(({ dataset }) => dataset.id)")
    assert 4 < len(shown) < 60
    assert set(shown) == set(ids[-len(shown) :])
    assert newest.locator("li").evaluate_all(
        "(all) => all.every((one) => getComputedStyle(one).animationName === 'none')"
    )
    room = newest.evaluate("(list) => [list.scrollWidth <= list.clientWidth, list.scrollHeight <= list.clientHeight]")
    assert room == [True, True]
    projector.set_viewport_size({"width": 1920, "height": 1080})
    expect(newest.locator("svg")).not_to_have_count(len(shown))
    larger = newest.locator("svg").evaluate_all("(all) => all.map(({ dataset }) => dataset.id)")
    assert set(larger) == set(ids[-len(larger) :])
    context.close()


def test_forty_phones_at_once_lose_nothing_and_double_nothing(server):
    labels = ["○", "△", "×"]
    report = run_async(hold_class(server.url, TOKEN, labels, phones=PHONES, drawings=DRAWINGS))
    assert report.stored == Counter((phone, number) for phone in range(PHONES) for number in range(DRAWINGS))
    assert report.counted == report.shown == dict.fromkeys(labels, PHONES)


def test_a_server_of_this_machine_alone_says_how_to_start_it_for_others(page, tmp_path, cache_dir):
    with serve(tmp_path / "alone", DIGITPAD_CACHE_DIR=str(cache_dir)) as alone:
        declare(page, alone)
        page.goto(f"{alone.url}/data?set=drawings:shapes")
        page.get_by_role("link", name="Show on the projector").click()
        expect(page.locator("#projector-join-error")).to_contain_text("make run HOST=0.0.0.0")
        expect(page.get_by_role("button", name="Make an invitation")).to_be_disabled()
        page.goto(f"{alone.url}/data?draw=shapes")
        draw(page, LINE)
        page.keyboard.press("Enter")
        expect(page.locator("#draw-kept")).to_contain_text("Saved as ○.")
