"""A class that draws into one set: counts come live, and no drawing is lost or doubled."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import draw
from tests.support.waiting import until

pytestmark = pytest.mark.browser

LINE = [[[100, 100], [400, 400]]]


def declare(page, server, name="shapes", labels="○ △ ×"):
    """Make a set as a person does."""
    page.goto(f"{server.url}/data?make")
    page.locator("#make-name").fill(name)
    page.locator("#make-labels").fill(labels)
    page.get_by_role("button", name="Start drawing").click()
    expect(page.locator("#draw-ask")).to_have_text(f"Draw {labels.split()[0]}: number 1")


def counts(page):
    return page.locator("#draw-counts li")


def test_enter_saves_what_the_mouse_drew_and_all_pages_count_it(page, server, browser):
    declare(page, server)
    watching = browser.new_page()
    watching.goto(f"{server.url}/data")
    listed = watching.locator("[data-set='drawings:shapes']")
    expect(listed).to_contain_text("empty, draw the first")
    expect(listed).to_contain_text("○ △ ×")
    listed.click()
    expect(counts(watching)).to_have_text(["○0 / 10", "△0 / 10", "×0 / 10"])

    draw(page, LINE)
    page.keyboard.press("Enter")
    expect(page.locator("#draw-kept")).to_contain_text("Saved as ○.")
    expect(counts(watching)).to_have_text(["○1 / 10", "△0 / 10", "×0 / 10"])
    page.locator("[data-label='×']").click()
    draw(page, LINE)
    page.keyboard.press("Enter")  # which saves the drawing, and does not press the label again
    expect(counts(watching)).to_have_text(["○1 / 10", "△0 / 10", "×1 / 10"])
    expect(counts(page)).to_have_text(["○1 / 10", "△0 / 10", "×1 / 10"])
    watching.goto(f"{server.url}/data?set=drawings:shapes")
    expect(watching.locator(".cell")).to_have_count(2)
    server.post("/api/drawings", {"label": "△", "strokes": LINE, "set": "shapes"})
    expect(watching.locator(".cell")).to_have_count(3)
    watching.goto(f"{server.url}/mine?set=digits")
    expect(watching.locator("#mine-count")).not_to_be_empty()
    for number in range(3):
        server.post("/api/drawings", {"label": "3", "strokes": [[[number, 0], [9, 9]]], "set": "digits"})
    watching.locator("#mine-set").select_option("digits")
    expect(watching.locator("#mine-count")).to_have_text("3 drawings; 17 more are needed.")
    watching.close()


def test_a_drawing_whose_answer_is_lost_outlasts_a_reload_and_is_saved_once(page, server):
    declare(page, server)

    def lose(route):
        route.fetch()  # the server saves it; the answer is lost on the way
        route.abort()

    page.route("**/api/drawings", lose)
    draw(page, LINE)
    page.keyboard.press("Enter")
    expect(page.locator("#draw-kept")).to_contain_text("One drawing could not be saved.")
    expect(page.locator("#draw-kept")).to_contain_text("It stays on this page.")
    page.unroute("**/api/drawings")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator("#draw-kept")).to_contain_text("Saved as ○.")
    expect(counts(page)).to_have_text(["○1 / 10", "△0 / 10", "×0 / 10"])
    assert server.get("/api/drawings/sets/shapes")["count"] == 1


def test_a_count_that_comes_before_the_answer_counts_once(page, server):
    declare(page, server)

    def late(route):
        answer = route.fetch()
        until(lambda: server.get("/api/drawings/sets/shapes")["count"] == 1)
        page.wait_for_timeout(1500)  # the live count is there by now
        route.fulfill(response=answer)

    page.route("**/api/drawings", late)
    draw(page, LINE)
    page.keyboard.press("Enter")
    expect(page.locator("#draw-kept")).to_contain_text("Saved as ○.")
    expect(counts(page)).to_have_text(["○1 / 10", "△0 / 10", "×0 / 10"])
    page.wait_for_timeout(500)
    expect(counts(page)).to_have_text(["○1 / 10", "△0 / 10", "×0 / 10"])
    page.unroute("**/api/drawings")


def test_a_phone_that_sleeps_in_the_middle_of_a_stroke_keeps_what_was_drawn(phone, server):
    server.post("/api/drawings", {"label": "○", "strokes": LINE, "set": "shapes"})
    phone.goto(f"{server.url}/data?draw=shapes&label=○&label=△")
    expect(counts(phone)).to_have_count(2)  # the pad stays where it is from now on
    box = phone.locator("#pad[data-ready]").bounding_box()
    session = phone.context.new_cdp_session(phone)

    def touch(kind, *points):
        places = [{"x": box["x"] + x, "y": box["y"] + y, "id": 0, "radiusX": 5, "radiusY": 5} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (50, 50))
    touch("touchMove", (150, 150))
    touch("touchCancel")
    expect(phone.locator("#keep")).to_be_enabled()
    touch("touchStart", (150, 50))
    touch("touchMove", (50, 150))
    hide = """(state) => {
        Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    phone.evaluate(hide, "hidden")
    touch("touchMove", (20, 20))  # too late: the stroke is over
    phone.evaluate(hide, "visible")
    phone.locator("#keep").click()
    expect(phone.locator("#draw-kept")).to_contain_text("Saved as △.")
    drawing = server.get("/api/drawings?set=shapes")["drawings"][0]
    assert [len(stroke) > 1 for stroke in drawing["strokes"]] == [True, True]
    assert min(x for x, _ in drawing["strokes"][1]) > 30
