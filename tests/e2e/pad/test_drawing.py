"""The pad, with mouse, finger and keyboard."""

import signal

import pytest
from playwright.sync_api import expect

from tests.support.browser import draw, fingers, sparse
from tests.support.drawings import recorded

pytestmark = pytest.mark.browser

DRAWINGS = recorded()
TOOLS = ("#undo", "#redo", "#brush", "#eraser", "#picture", "#clear")
THREE, ONE = (sparse(DRAWINGS[f"digit {digit}"]["strokes"]) for digit in "31")


@pytest.mark.parametrize("digit", "57")  # of two strokes and of one; test_predict.py reads all ten
def test_a_recorded_digit_drawn_with_the_mouse_is_read(pad, digit):
    draw(pad, DRAWINGS[f"digit {digit}"]["strokes"])
    expect(pad.locator("#answer-glyph")).to_have_text(digit)


def test_undo_redo_clear_and_the_keyboard(pad):
    undo, redo, clear, sentence = (pad.locator(f"#{name}") for name in ("undo", "redo", "clear", "answer-sentence"))
    for button in (undo, redo, clear):
        expect(button).to_be_disabled()
    draw(pad, THREE)
    expect(sentence).to_have_text("This is a 3.")
    undo.click()
    expect(sentence).to_have_text("Draw a digit")
    redo.click()
    expect(sentence).to_have_text("This is a 3.")
    clear.click()
    expect(sentence).to_have_text("Draw a digit")
    pad.keyboard.press("Control+z")
    expect(sentence).to_have_text("This is a 3.")
    pad.keyboard.press("Escape")
    expect(sentence).to_have_text("Draw a digit")
    pad.keyboard.press("Control+z")
    expect(sentence).to_have_text("This is a 3.")


@pytest.mark.slow
def test_the_brush_does_not_change_what_the_network_sees(pad):
    seen = "() => document.querySelector('#seen').toDataURL()"
    pictures = []
    for size in ("min", "max"):
        pad.locator("#brush").evaluate(
            f"(brush) => {{ brush.value = brush.{size}; brush.dispatchEvent(new Event('input')); }}"
        )
        draw(pad, THREE)
        expect(pad.locator("#spoken")).to_contain_text("3")  # said once the whole drawing is read
        pictures.append(pad.evaluate(seen))
        pad.locator("#clear").click()
        expect(pad.locator("#answer-sentence")).to_have_text("Draw a digit")
    assert pictures[0] == pictures[1]


def test_a_pen_lifted_outside_ends_the_stroke_and_keeps_it(pad):
    box = pad.locator("#pad").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    pad.mouse.move(*middle)
    pad.mouse.down()
    pad.mouse.move(middle[0], box["y"] + box["height"] + 80, steps=10)
    pad.mouse.up()
    pad.mouse.move(*middle)
    pad.mouse.move(middle[0] - 100, middle[1], steps=5)
    expect(pad.locator("#answer-glyph")).to_have_text("1")
    pad.locator("#undo").click()
    expect(pad.locator("#undo")).to_be_disabled()


def test_only_the_newest_drawing_s_answer_is_shown(pad):
    held = []

    def hold_the_first(route):
        if held:
            route.continue_()
        else:
            held.append(route)

    pad.route("**/predict*", hold_the_first)
    draw(pad, THREE)
    pad.locator("#clear").click()
    draw(pad, ONE)
    held[0].continue_()
    expect(pad.locator("#answer-glyph")).to_have_text("1")
    expect(pad.locator("[data-winner]")).to_have_attribute("data-label", "1")


@pytest.mark.slow
def test_when_the_server_is_away_the_drawing_is_kept_and_read_when_it_is_back(page, server):
    pad = page
    pad.goto(server.url)
    server.process.send_signal(signal.SIGSTOP)
    pad.route("**/predict*", lambda route: route.abort())
    draw(pad, THREE)
    expect(pad.locator("#away")).to_be_visible()
    server.process.send_signal(signal.SIGCONT)
    pad.unroute("**/predict*")
    expect(pad.locator("#answer-glyph")).to_have_text("3")
    expect(pad.locator("#away")).to_be_hidden()


def test_a_finger_draws_a_second_one_does_not_and_the_page_stays_where_it_is(phone, pad_server):
    phone.set_viewport_size({"width": 390, "height": 500})
    phone.goto(pad_server.url)
    box = phone.locator("#pad").bounding_box()
    x, top = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.2
    with fingers(phone) as touch:
        touch("touchStart", (x, top))
        for step in range(1, 8):
            touch("touchMove", (x, top + step * 25))
        touch("touchStart", (x, top + 175), (x - 120, top))
        for step in range(1, 5):
            touch("touchMove", (x, top + 175), (x - 120 + step * 40, top))
        touch("touchEnd")
    expect(phone.locator("#answer-glyph")).to_have_text("1")
    assert phone.evaluate("window.scrollY") == 0
    phone.locator("#undo").click()
    expect(phone.locator("#undo")).to_be_disabled()


def test_on_a_phone_pad_tools_and_answer_fit_without_scrolling(phone_pad):
    phone = phone_pad
    for name in ("#pad", *TOOLS, "#answer-sentence", "#seen", "[data-label='9']"):
        box = phone.locator(name).bounding_box()
        assert box["y"] + box["height"] <= 844, name
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= 390, name
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    for name in ("#pad", *TOOLS, "#teach-more", "#copy-open", "#doctor > summary"):
        box = phone.locator(name).bounding_box()
        assert min(box["width"], box["height"]) >= 44, name


def test_the_28_by_28_opens_large(pad):
    draw(pad, THREE)
    expect(pad.locator("#answer-glyph")).to_have_text("3")
    pad.locator("#seen-open").click()
    expect(pad.locator("#zoom-dialog")).to_be_visible()
    pad.keyboard.press("Escape")
    expect(pad.locator("#zoom-dialog")).to_be_hidden()
    expect(pad.locator("#answer-glyph")).to_have_text("3")


def test_the_answer_is_spoken_once_the_pen_is_lifted(pad):
    draw(pad, THREE)
    expect(pad.locator("#spoken")).to_contain_text("3")
