"""What the pad remembers: the drawing over a reload, and the last ones in the strip."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import choose, draw, sparse
from tests.support.drawings import PNG, encode, picture, recorded, standard_brush
from tests.support.serving import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DRAWINGS = recorded()
THREE, ONE = sparse(DRAWINGS["digit 3"]["strokes"]), sparse(DRAWINGS["digit 1"]["strokes"])
LIT = """() => {
    const canvas = document.querySelector('#seen');
    return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
}"""


def reads(page, label):
    expect(page.locator("#answer-sentence")).to_have_text(f"This is a {label}.")
    expect(page.locator("#spoken")).to_contain_text(f"This is a {label}.")


def test_the_drawing_and_its_answer_are_there_after_a_reload(pad):
    draw(pad, THREE)
    reads(pad, 3)
    seen = pad.evaluate(LIT)
    pad.reload()
    reads(pad, 3)
    assert pad.evaluate(LIT) == seen
    pad.keyboard.press("Escape")
    pad.reload()
    expect(pad.locator("#answer-sentence")).to_have_text("Draw a digit")
    expect(pad.locator(".thumbnail")).to_have_count(1)


def test_a_picture_is_there_after_a_reload_also_a_large_one(pad):
    choose(pad, PNG)
    reads(pad, 3)
    pad.reload()
    reads(pad, 3)
    photo = picture(THREE, standard_brush(THREE) * 4, size=2240).resize((4000, 4000)).convert("RGB")
    with pad.expect_response("**/predict*"):
        choose(pad, encode(photo.effect_spread(6), "JPEG", quality=95), "image/jpeg")
    pad.reload()
    expect(pad.locator("#hint")).to_have_attribute("data-off", "")


def test_a_new_visit_begins_with_an_empty_pad_and_the_last_drawings_below(pad, pad_server: Server):
    draw(pad, THREE)
    reads(pad, 3)
    pad.keyboard.press("Escape")
    draw(pad, ONE)
    reads(pad, 1)
    another = pad.context.new_page()
    another.goto(pad_server.url)
    expect(another.locator("#answer-sentence")).to_have_text("Draw a digit")
    expect(another.locator(".thumbnail")).to_have_count(1)


def test_a_drawing_comes_back_from_the_strip_and_that_can_be_undone(pad):
    expect(pad.locator("#past-note")).to_contain_text("Cleared drawings appear here")
    for strokes, label in ((THREE, 3), (ONE, 1)):
        draw(pad, strokes)
        reads(pad, label)
        pad.keyboard.press("Escape")
        expect(pad.locator("#answer-sentence")).to_have_text("Draw a digit")
    expect(pad.locator(".thumbnail")).to_have_count(2)
    pad.locator(".thumbnail").nth(1).click()
    reads(pad, 3)
    pad.locator(".thumbnail").nth(0).click()
    reads(pad, 1)
    expect(pad.locator(".thumbnail")).to_have_count(2)  # none is there twice
    pad.locator("#undo").click()
    reads(pad, 3)


def test_the_strip_is_forgotten_and_brought_back(pad):
    draw(pad, THREE)
    pad.locator("#clear").click()
    pad.locator("#past-forget").click()
    expect(pad.locator(".thumbnail")).to_have_count(0)
    pad.locator("#past-forget").click()
    expect(pad.locator(".thumbnail")).to_have_count(1)
    pad.locator("#past-forget").click()
    pad.reload()
    expect(pad.locator(".thumbnail")).to_have_count(0)
    expect(pad.locator("#past-forget")).to_be_hidden()


def test_the_strip_keeps_no_more_than_its_bound(pad):
    pad.evaluate(
        """() => localStorage.setItem('digitpad.past', JSON.stringify(
            Array.from({length: 16}, (_, i) => ({strokes: [{line: [[i * 20, 9], [i * 20, 400]], width: 30}]}))))"""
    )
    pad.reload()
    expect(pad.locator(".thumbnail")).to_have_count(16)
    draw(pad, THREE)
    pad.locator("#clear").click()
    expect(pad.locator(".thumbnail")).to_have_count(16)
    assert pad.evaluate("JSON.parse(localStorage.getItem('digitpad.past'))[0].strokes[0].line.length") > 2


@pytest.mark.parametrize(
    "stored", ["{", "7", '[{"strokes": [[1]]}, {"picture": "http://x"}, null]', '{"strokes": "x"}']
)
def test_what_the_browser_kept_and_nobody_can_read_does_no_harm(pad, stored):
    pad.evaluate(
        "(text) => { localStorage.setItem('digitpad.past', text); sessionStorage.setItem('digitpad.drawing', text); }",
        stored,
    )
    pad.reload()
    expect(pad.locator(".thumbnail")).to_have_count(0)
    draw(pad, THREE)
    reads(pad, 3)
    pad.locator("#clear").click()
    expect(pad.locator(".thumbnail")).to_have_count(1)


def test_a_browser_whose_storage_is_off_draws_and_says_that_it_keeps_nothing(fresh_pad):
    pad = fresh_pad
    pad.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, name, {get() { throw new DOMException('off', 'SecurityError'); }});"
    )
    pad.reload()
    draw(pad, THREE)
    reads(pad, 3)
    pad.locator("#clear").click()
    expect(pad.locator("#past-note")).to_contain_text("cannot save drawings")
