"""What the pad makes of answers: no digit at all, several digits, why, slow servers and those of an older version."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import SCRIBBLE, beside, choose, draw, sparse
from tests.support.drawings import encode, picture, recorded
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DRAWINGS = recorded()
THREE = sparse(DRAWINGS["digit 3"]["strokes"])
SHARES = "() => [...document.querySelectorAll('#bars [data-label]')].map((bar) => Number(bar.dataset.value))"
SEEN = "() => document.querySelector('#seen').toDataURL()"


def test_a_scribble_is_no_digit_and_the_bars_are_there_all_the_same(pad):
    draw(pad, SCRIBBLE)
    expect(pad.locator("#answer-sentence")).to_have_text("That does not look like a digit to me.")
    expect(pad.locator("#answer-detail")).to_contain_text("closest:")
    expect(pad.locator("#spoken")).to_contain_text("That does not look like a digit to me. Closest:")
    expect(pad.locator("#answer-glyph")).to_have_text("?")
    expect(pad.locator("[data-winner]")).to_have_count(0)
    assert sum(pad.evaluate(SHARES)) == pytest.approx(1, abs=1e-6)
    pad.keyboard.press("Escape")
    draw(pad, THREE)
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    expect(pad.locator("[data-winner]")).to_have_attribute("data-label", "3")


def test_digits_side_by_side_are_read_one_by_one_and_each_can_be_looked_at(pad):
    draw(pad, beside("2", "0", "5"))
    expect(pad.locator("#answer-sentence")).to_have_text("This reads 205.")
    expect(pad.locator("#spoken")).to_have_text("This reads 2 0 5.")
    expect(pad.locator(".part-label")).to_have_text(["2", "0", "5"])
    expect(pad.locator("#answer-glyph")).to_be_hidden()
    expect(pad.locator("#overlay .box")).to_have_count(3)
    lefts = pad.evaluate("() => [...document.querySelectorAll('#overlay .box')].map((box) => box.x.baseVal.value)")
    assert lefts == sorted(lefts)
    pictures = []
    for place, label in enumerate("205"):
        button = pad.locator(".part").nth(place)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(pad.locator("[data-winner]")).to_have_attribute("data-label", label)
        expect(pad.locator("#answer-detail")).to_contain_text(f"Part {place + 1} of 3: a {label}")
        expect(pad.locator("#overlay .box").nth(place)).to_have_class("box chosen")
        pictures.append(pad.evaluate(SEEN))
    assert len(set(pictures)) == 3
    for _ in range(10):  # the boxes are no part of the drawing
        pad.keyboard.press("Control+z")
    expect(pad.locator("#overlay .box")).to_have_count(0)
    expect(pad.locator("#answer-sentence")).to_have_text("Draw a digit")


def test_a_part_is_kept_alone(pad, pad_server):
    draw(pad, beside("2", "5"))
    expect(pad.locator("#answer-sentence")).to_have_text("This reads 25.")
    pad.locator(".part").nth(1).click()
    expect(pad.locator("#teach-title")).to_have_text("Part 2 was")
    pad.locator("[data-teach='5']").click()
    expect(pad.locator("#teach-note")).to_contain_text("Saved as a 5")
    (kept,) = pad_server.get("/api/drawings")["drawings"]
    assert min(x for stroke in kept["strokes"] for x, _ in stroke) > 250
    pad.locator("#teach-note").get_by_role("button", name="Undo").click()
    expect(pad.locator("#teach-note")).to_contain_text("Deleted.")


def test_digits_in_a_picture_are_framed_where_they_are(pad):
    strokes = beside("2", "5")
    choose(pad, encode(picture(strokes, 14, size=500)))
    expect(pad.locator("#answer-sentence")).to_have_text("This reads 25.")
    boxes = pad.evaluate(
        "() => [...document.querySelectorAll('#overlay .box')].map((box) =>"
        " ['x', 'y', 'width', 'height'].map((side) => box[side].baseVal.value))"
    )
    # a picture lies 12 units inside the pad, and its side of 500 pixels is 476 units of it
    for box, digit in zip(boxes, (strokes[:1], strokes[1:]), strict=True):
        left = min(x for stroke in digit for x, _ in stroke)
        right = max(x for stroke in digit for x, _ in stroke)
        assert box[0] == pytest.approx(12 + (left - 7) * 0.952, abs=4)
        assert box[0] + box[2] == pytest.approx(12 + (right + 7) * 0.952, abs=4)


def test_why_begins_with_the_ink_and_similar_images_and_leads_inside(pad):
    pad.locator("#doctor > summary").click()
    expect(pad.locator("#why-note")).to_contain_text("Draw something")
    draw(pad, THREE)
    expect(pad.locator("#why-words")).to_contain_text("It reads 3 (")
    other = pad.locator("#why-other").input_value()
    expect(pad.locator("#why-against")).to_have_text(f"ink that speaks for {other}")
    expect(pad.locator("#why-near h3")).to_have_count(2)
    expect(pad.locator("[data-near='3'] .mini")).to_have_count(3)
    expect(pad.locator("#doctor-more")).not_to_have_attribute("open", "")  # no step changes the answer
    before = pad.evaluate("() => document.querySelector('#why-ink').toDataURL()")
    third = next(label for label in "0789" if label != other)
    pad.locator("#why-other").select_option(third)
    expect(pad.locator("#why-words")).to_contain_text(f"rather than {third} (")
    expect(pad.locator(f"[data-near='{third}'] .mini")).to_have_count(3)
    assert pad.evaluate("() => document.querySelector('#why-ink').toDataURL()") != before
    pad.locator("[data-near='3'] .mini").first.click()
    expect(pad.locator("#zoom-dialog")).to_be_visible()
    pad.keyboard.press("Escape")
    pad.locator("#why-inside").click()
    expect(pad.locator("#says")).to_contain_text("It reads 3,")


def test_two_parts_can_be_read_as_one_and_apart_again(pad):
    draw(pad, beside("2", "5"))
    expect(pad.locator("#answer-sentence")).to_have_text("This reads 25.")
    pad.locator("#read-as-one").click()
    expect(pad.locator("#answer-parts")).to_be_hidden()
    expect(pad.locator("#overlay .box")).to_have_count(0)
    expect(pad.locator("#teach-title")).to_have_text("It was")
    expect(pad.locator("#read-as-one")).to_have_text("Read as several")
    pad.locator("#read-as-one").click()
    expect(pad.locator("#answer-sentence")).to_have_text("This reads 25.")
    pad.locator("#read-as-one").click()
    expect(pad.locator("#answer-parts")).to_be_hidden()
    pad.locator("#clear").click()
    draw(pad, beside("2", "5"))
    expect(pad.locator("#answer-sentence")).to_have_text("This reads 25.")


def test_why_shows_what_came_what_is_seen_and_what_each_step_does(pad):
    small = [[[x * 0.3 + 10, y * 0.3 + 300] for x, y in stroke] for stroke in THREE]
    pad.locator("#doctor > summary").click()
    expect(pad.locator("#doctor-note")).to_contain_text("Draw something")
    draw(pad, small)
    expect(pad.locator("#doctor-read")).to_contain_text("Read as a 3")
    pad.locator("#doctor-more").evaluate("(details) => details.open = true")
    expect(pad.locator("#doctor-body")).to_be_visible()
    expect(pad.locator("#doctor-read")).to_contain_text("Read as a 3")
    expect(pad.locator("#doctor-sentences li").first).to_contain_text("wide")
    expect(pad.locator(".step")).to_have_count(4)
    expect(pad.locator(".step-change")).to_contain_text(["%", "%", "%", "%"])
    seen = "() => document.querySelector('#doctor-input').toDataURL()"
    before = pad.evaluate(seen)
    assert before == pad.evaluate(SEEN)
    for step in ("center", "scale"):
        with pad.expect_response("**/api/doctor*"):
            pad.locator(f"#step-{step}").uncheck()
    expect(pad.locator("#doctor-read")).to_contain_text("With these steps")
    until(lambda: pad.evaluate(seen) != before)
    expect(pad.locator(".step").nth(2)).to_contain_text("With this step:")
    smoothing = "(id) => getComputedStyle(document.getElementById(id)).imageRendering"
    assert {pad.evaluate(smoothing, name) for name in ("doctor-raw", "doctor-input", "seen")} == {"pixelated"}
    pad.locator(".step .mini").first.click()
    expect(pad.locator("#zoom-dialog")).to_be_visible()
    pad.keyboard.press("Escape")
    pad.keyboard.press("Escape")
    expect(pad.locator("#doctor-note")).to_contain_text("Draw something")


def test_why_explains_the_part_that_is_looked_at(pad):
    draw(pad, beside("2", "5"))
    expect(pad.locator("#answer-sentence")).to_have_text("This reads 25.")
    pad.locator("#doctor > summary").click()
    expect(pad.locator("#doctor-read")).to_contain_text("a 2")
    pad.locator(".part").nth(1).click()
    expect(pad.locator("#doctor-of")).to_have_text(" (part 2)")
    expect(pad.locator("#doctor-read")).to_contain_text("a 5")


def test_why_says_what_went_wrong(pad):
    pad.route("**/api/doctor*", lambda route: route.fulfill(status=404, json={"error": "there is nothing"}))
    draw(pad, THREE)
    pad.locator("#doctor > summary").click()
    expect(pad.locator("#doctor-note")).to_have_text("This server cannot explain its answers.")
    pad.unroute("**/api/doctor*")
    pad.route("**/api/doctor*", lambda route: route.abort())
    pad.locator("#undo").click()
    pad.locator("#redo").click()
    expect(pad.locator("#doctor-note")).to_contain_text("The server is not responding")


def test_a_slow_answer_is_waited_for_and_the_page_says_so(pad):
    held = []
    holding = True
    pad.route("**/predict*", lambda route: held.append(route) if holding else route.continue_())
    draw(pad, THREE)
    expect(pad.locator("#answer-sentence")).to_have_text("Reading …")
    expect(pad.locator("#answer-detail")).to_contain_text("Waiting for the server")
    holding = False
    held[0].continue_()
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")


def test_an_answer_without_the_newer_fields_is_shown_as_ever(pad):
    def older(route):
        answer = route.fetch().json()
        wanted = ("label", "probabilities", "blank", "model", "input")
        route.fulfill(json={key: answer[key] for key in wanted})

    pad.route("**/predict*", older)
    draw(pad, SCRIBBLE)
    expect(pad.locator("[data-winner]")).to_have_count(1)
    pad.keyboard.press("Escape")
    draw(pad, THREE)
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    expect(pad.locator("#spoken")).to_contain_text("This is a 3.")
    pad.unroute_all(behavior="ignoreErrors")


def fits(page: Page, names: tuple[str, ...], width: int, height: int) -> None:
    for name in names:
        box = page.locator(name).first.bounding_box()
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= width, name
        assert box["y"] + box["height"] <= height, name
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_on_a_phone_every_kind_of_answer_fits_and_moves_nothing(phone_pad):
    names = ("#pad", "#clear", "#answer-sentence", "#seen", "#bars [data-label='9']")
    place = lambda: [phone_pad.locator(name).bounding_box()["y"] for name in ("#seen", "#bars")]  # noqa: E731
    empty = place()
    for strokes, words in (
        (THREE, "This is a 3."),
        (SCRIBBLE, "That does not look like a digit to me."),
        (beside("2", "0", "5"), "This reads 205."),
    ):
        draw(phone_pad, strokes)
        expect(phone_pad.locator("#answer-sentence")).to_have_text(words)
        fits(phone_pad, names, 390, 844)
        assert place() == pytest.approx(empty, abs=0.1)
        phone_pad.locator("#clear").click()
        expect(phone_pad.locator("#answer-sentence")).to_have_text("Draw a digit")
