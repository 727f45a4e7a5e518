"""The pad's tools: eraser, pens and palms, and drawing with the keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import draw, fingers, heard, pen, sparse
from tests.support.drawings import recorded

pytestmark = [pytest.mark.browser, pytest.mark.slow]

THREE = sparse(recorded()["digit 3"]["strokes"])
FOUR = sparse(recorded()["digit 4"]["strokes"])
BAR = [[[60, 460], [440, 460]]]
STORED = "() => JSON.parse(sessionStorage.getItem('digitpad.drawing'))?.strokes ?? []"
INKED = """(box) => {
    const canvas = document.querySelector('#pad');
    const unit = canvas.width / 500;
    const [x, y, width, height] = box.map((side) => Math.round(side * unit));
    const data = canvas.getContext('2d').getImageData(x, y, width, height).data;
    return data.filter((value, index) => index % 4 === 3 && value > 128).length / (width * height);
}"""


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """A point of the drawing as a place on the screen."""
    box = page.locator("#pad").bounding_box()
    return box["x"] + x * box["width"] / 500, box["y"] + y * box["height"] / 500


def test_the_eraser_takes_whole_strokes_and_can_be_undone(pad):
    draw(pad, THREE)
    draw(pad, BAR)
    pad.locator("#eraser").click()
    expect(pad.locator("#eraser")).to_have_attribute("aria-pressed", "true")
    draw(pad, [[[400, 475], [400, 485]]])
    assert len(pad.evaluate(STORED)) == 1
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    draw(pad, [[[5, 5], [20, 5]]])  # where nothing is
    assert len(pad.evaluate(STORED)) == 1
    pad.locator("#undo").click()
    assert len(pad.evaluate(STORED)) == 2
    pad.locator("#undo").click()
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    pad.locator("#eraser").click()
    draw(pad, BAR)
    assert len(pad.evaluate(STORED)) == 2


def test_one_sweep_of_the_eraser_is_one_step_to_undo(pad):
    draw(pad, FOUR)
    strokes = len(pad.evaluate(STORED))
    assert strokes >= 2
    pad.locator("#eraser").click()
    draw(pad, [[[x, y] for y in range(20, 500, 60) for x in ((20, 480) if y % 120 == 20 else (480, 20))]])
    assert pad.evaluate(STORED) == []
    expect(pad.locator("#answer-sentence")).to_have_text("Draw a digit")
    pad.keyboard.press("Control+z")
    assert len(pad.evaluate(STORED)) == strokes


def test_escape_takes_back_the_stroke_that_is_being_drawn_and_then_clears(pad):
    draw(pad, THREE)
    pad.mouse.move(*place(pad, 50, 450))
    pad.mouse.down()
    pad.mouse.move(*place(pad, 450, 450), steps=4)
    pad.keyboard.press("Escape")
    pad.mouse.up()
    assert len(pad.evaluate(STORED)) == 1
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    pad.keyboard.press("Escape")
    assert pad.evaluate(STORED) == []


def test_undo_and_redo_past_either_end_do_nothing(pad):
    draw(pad, THREE)
    pad.keyboard.press("Control+Shift+z")  # nothing to redo
    pad.keyboard.press("Control+z")
    pad.keyboard.press("Control+z")  # nothing to undo
    expect(pad.locator("#answer-sentence")).to_have_text("Draw a digit")
    pad.keyboard.press("Control+y")
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")


def test_a_pen_pressed_harder_paints_wider_and_is_sent_as_points_alone(pad):
    with heard(pad, "request") as requests, pen(pad) as move:
        for y, pressure in ((150, 0.1), (350, 0.9)):
            move("mousePressed", *place(pad, 100, y), pressure)
            for x in range(110, 401, 10):
                move("mouseMoved", *place(pad, x, y), pressure)
            move("mouseReleased", *place(pad, 400, y), 0)
        expect(pad.locator("#spoken")).not_to_be_empty()
    sent = [request.post_data_json for request in requests if "/predict" in request.url]
    light, hard = (pad.evaluate(INKED, [200, y - 40, 100, 80]) for y in (150, 350))
    assert 0 < light < hard / 2
    assert {len(point) for stroke in sent[-1]["strokes"] for point in stroke} == {2}


def test_a_hand_that_rests_on_the_screen_draws_nothing(phone_pad):
    with fingers(phone_pad) as touch:
        touch("touchStart", place(phone_pad, 250, 100), radius=60)
        for y in range(100, 400, 50):
            touch("touchMove", place(phone_pad, 250, y), radius=60)
        touch("touchEnd")
        expect(phone_pad.locator("#undo")).to_be_disabled()
        touch("touchStart", place(phone_pad, 250, 100))
        touch("touchMove", place(phone_pad, 250, 400))
        touch("touchEnd")
    expect(phone_pad.locator("#undo")).to_be_enabled()


def test_a_pen_takes_over_from_the_palm_that_came_first(phone_pad):
    with fingers(phone_pad) as touch, pen(phone_pad) as move:
        touch("touchStart", place(phone_pad, 450, 450))
        touch("touchMove", place(phone_pad, 400, 450))
        move("mousePressed", *place(phone_pad, 250, 100))
        for y in range(100, 400, 20):
            move("mouseMoved", *place(phone_pad, 250, y))
        touch("touchMove", place(phone_pad, 300, 450))
        move("mouseReleased", *place(phone_pad, 250, 400), 0)
        touch("touchEnd")
    (stroke,) = phone_pad.evaluate(STORED)
    assert {round(x / 5) for x, *_ in stroke["line"]} == {50}
    expect(phone_pad.locator("#answer-glyph")).to_have_text("1")


def test_a_one_is_drawn_with_the_keyboard_alone(pad):
    pad.keyboard.press("Tab")
    for _ in range(30):
        if pad.evaluate("document.activeElement.id") == "pad":
            break
        pad.keyboard.press("Tab")
    pad.keyboard.press("ArrowUp")
    expect(pad.locator(".pen-place")).to_have_attribute("r", "9")
    pad.keyboard.press("Space")
    expect(pad.locator("#pen-spoken")).to_have_text("Pen down")
    for _ in range(15):
        pad.keyboard.press("ArrowDown")
    pad.keyboard.press("Space")
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 1.")
    expect(pad.locator("#spoken")).to_contain_text("This is a 1.")
    assert pad.evaluate("window.scrollY") == 0
    pad.keyboard.press("Escape")
    expect(pad.locator("#answer-sentence")).to_have_text("Draw a digit")


def test_everything_can_be_reached_with_the_keyboard_and_shows_that_it_is(pad):
    draw(pad, THREE)
    expect(pad.locator("#spoken")).to_contain_text("3")
    pad.locator("#doctor > summary").click()
    seen = []
    for _ in range(60):
        pad.keyboard.press("Tab")
        name, outlined = pad.evaluate(
            "() => [document.activeElement.id || document.activeElement.className,"
            " getComputedStyle(document.activeElement).outlineStyle !== 'none']"
        )
        assert outlined or name == "", name
        seen.append(name)
    wanted = {"pad", "undo", "brush", "eraser", "picture", "clear", "seen-open", "teach-label", "copy-open"}
    assert wanted <= set(seen)


def test_nothing_moves_for_those_who_asked_for_that(pad):
    pad.emulate_media(reduced_motion="reduce")
    durations = pad.evaluate(
        "() => [...document.querySelectorAll('*')].map((node) => getComputedStyle(node).transitionDuration)"
    )
    assert {duration for entry in durations for duration in entry.split(", ")} == {"0s"}


def test_the_pad_is_sharp_on_a_dense_screen(browser, pad_server):
    page = browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=3)
    page.goto(pad_server.url)
    width = "() => [document.querySelector('#pad').width, document.querySelector('#pad').getBoundingClientRect().width]"
    pixels, wide = page.evaluate(width)
    assert pixels == round(wide * 3)
    page.close()
