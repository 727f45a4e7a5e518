"""Teach it: "it was a ..." keeps the strokes and their label on the server."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import draw, sparse
from tests.support.drawings import recorded
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = sparse(recorded()["digit 3"]["strokes"])


@pytest.fixture
def kept(pad_server):
    """Asks what is kept; nothing is before and after."""

    def ask():
        return pad_server.get("/api/drawings")["drawings"]

    assert ask() == []
    yield ask
    import urllib.request

    for drawing in ask():
        address = f"{pad_server.url}/api/drawings/{drawing['id']}"
        urllib.request.urlopen(urllib.request.Request(address, method="DELETE")).close()


def test_one_tap_keeps_the_drawing_and_another_takes_it_back(pad, kept):
    expect(pad.locator("[data-teach='3']")).to_be_disabled()
    with pad.expect_request("**/predict*"):
        draw(pad, THREE)
    expect(pad.locator("#spoken")).to_contain_text("3")
    pad.locator("[data-teach='3']").click()
    expect(pad.locator("#teach-note")).to_contain_text("Saved as a 3. 1 of 20 to teach it your hand.")
    expect(pad.locator("[data-teach='3']")).to_have_attribute("aria-pressed", "true")
    (drawing,) = kept()
    assert (drawing["label"], drawing["set"]) == ("3", "mine")
    sent = pad.evaluate("() => JSON.parse(sessionStorage.getItem('digitpad.drawing')).strokes.map(({line}) => line)")
    assert drawing["strokes"] == sent
    pad.locator("#teach-note").get_by_role("button", name="Undo").click()
    expect(pad.locator("#teach-note")).to_contain_text("Deleted.")
    expect(pad.locator("[data-teach='3']")).to_have_attribute("aria-pressed", "false")
    assert kept() == []


def test_another_label_takes_the_place_of_the_first(pad, kept):
    draw(pad, THREE)
    pad.locator("[data-teach='3']").click()
    expect(pad.locator("#teach-note")).to_contain_text("Saved as a 3")
    pad.locator("[data-teach='8']").click()
    expect(pad.locator("#teach-note")).to_contain_text("Saved as an 8")
    until(lambda: [drawing["label"] for drawing in kept()] == ["8"])
    pad.locator("#teach-more").click()
    pad.locator("#teach-other-label").fill("か\u3099")
    pad.keyboard.press("Enter")
    expect(pad.locator("#teach-note")).to_contain_text("が")
    until(lambda: [drawing["label"] for drawing in kept()] == ["が"])


def test_a_drawing_that_is_two_digits_at_once_leads_to_make_it_mine(pad, kept):
    def torn(route):
        answer = route.fetch().json()
        rest = dict.fromkeys(answer["probabilities"], 0.01)
        route.fulfill(json={**answer, "label": "1", "probabilities": {**rest, "1": 0.6, "7": 0.32}, "is_digit": True})

    note = pad.locator("#teach-note")
    expect(note).to_contain_text("Wrong? Tap what it was.")
    pad.route("**/predict*", torn)
    draw(pad, THREE)
    expect(pad.locator("#answer-sentence")).to_have_text("A 1, or perhaps a 7.")
    expect(note).to_contain_text("Hands differ. Tap what it was")
    pad.unroute("**/predict*")
    pad.locator("#clear").click()
    draw(pad, THREE)
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    expect(note).to_contain_text("Wrong? Tap what it was.")
    pad.locator("[data-teach='3']").click()
    note.get_by_role("link", name="Teach it your hand").click()
    expect(pad).to_have_url(re.compile(r"/mine\?set=mine$"))


def test_a_new_drawing_is_kept_beside_the_one_before(pad, kept):
    for _ in range(2):
        draw(pad, THREE)
        expect(pad.locator("[data-teach='3']")).to_have_attribute("aria-pressed", "false")
        pad.locator("[data-teach='3']").click()
        expect(pad.locator("#teach-note")).to_contain_text("Saved as a 3")
        pad.locator("#clear").click()
        expect(pad.locator("[data-teach='3']")).to_be_disabled()
    assert len(kept()) == 2


def test_when_the_server_is_away_the_lesson_can_be_tried_again(pad, kept):
    draw(pad, THREE)
    pad.route("**/api/drawings", lambda route: route.abort())
    pad.locator("[data-teach='3']").click()
    note = pad.locator("#teach-note")
    expect(note).to_contain_text("It could not be saved. The server is not responding.")
    expect(note).to_contain_text("Nothing is lost.")
    pad.unroute("**/api/drawings")
    pad.locator("#clear").click()
    pad.keyboard.press("Control+z")
    draw(pad, [[[480, 480]]])
    pad.keyboard.press("Control+z")
    pad.locator("[data-teach='3']").click()
    expect(note).to_contain_text("Saved as a 3")
    assert len(kept()) == 1


def test_an_answer_that_comes_late_does_not_wipe_what_was_said(pad, kept):
    waiting = []
    pad.route("**/predict*", lambda route: waiting.append(route))
    draw(pad, THREE)
    pad.route("**/api/drawings", lambda route: route.abort())
    pad.locator("[data-teach='3']").click()
    note = pad.locator("#teach-note")
    expect(note).to_contain_text("It could not be saved.")
    pad.unroute("**/predict*")
    for route in waiting:
        route.continue_()
    expect(pad.locator("#spoken")).to_contain_text("3")
    expect(note).to_contain_text("It could not be saved.")


def test_a_stroke_that_is_taken_back_takes_nothing_of_the_lesson_along(pad, kept):
    draw(pad, [*THREE, [[440, 60], [450, 70]]])
    expect(pad.locator("#answer-parts .part")).to_have_count(2)
    expect(pad.locator("#teach-title")).to_have_text("Part 1 was")
    waiting, held = [], True
    pad.route("**/predict*", lambda route: waiting.append(route) if held else route.continue_())
    pad.keyboard.press("Control+z")
    pad.locator("[data-teach='3']").click()
    note = pad.locator("#teach-note")
    expect(note).to_contain_text("Saved as a 3")
    held = False  # also of those that are asked again
    for route in waiting:
        route.continue_()
    expect(pad.locator("#answer-parts")).to_be_hidden()
    expect(pad.locator("#teach-title")).to_have_text("It was")
    expect(note).to_contain_text("Saved as a 3")
    expect(pad.locator("[data-teach='3']")).to_have_attribute("aria-pressed", "true")
    assert len(kept()) == 1


def test_what_the_server_refuses_is_said_in_its_words(pad, kept):
    draw(pad, THREE)
    pad.route("**/api/drawings", lambda route: route.fulfill(status=409, json={"error": "the set is full"}))
    pad.locator("[data-teach='3']").click()
    expect(pad.locator("#teach-note")).to_contain_text("the set is full")
    pad.unroute("**/api/drawings")
    pad.locator("#teach-note button").click()
    expect(pad.locator("#teach-note")).to_contain_text("Saved as a 3")
