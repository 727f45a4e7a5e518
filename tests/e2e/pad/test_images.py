"""Pictures on the pad: chosen, dropped, pasted; too large, of other kinds, or none at all."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.browser import choose, draw, sparse
from tests.support.drawings import PNG, THREE, encode, picture, recorded, standard_brush
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DRAWINGS = recorded()
ONE = sparse(DRAWINGS["digit 1"]["strokes"])
PHOTO = picture(THREE, standard_brush(THREE))
JPEG, WEBP = encode(PHOTO, "JPEG"), encode(PHOTO, "WEBP")
DROP = """([data, type]) => {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], 'three', {type}));
    for (const kind of ['dragenter', 'dragover', 'drop']) {
        const event = new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true});
        document.querySelector('#pad').dispatchEvent(event);
        if (kind === 'dragenter') window.marked = document.querySelector('#paper').hasAttribute('data-drop');
    }
}"""
PAINTED = """() => {
    const canvas = document.querySelector('#pad');
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return data.filter((value, index) => index % 4 === 3 && value > 0).length;
}"""


@pytest.mark.parametrize(("data", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")])
def test_a_chosen_picture_is_read_as_the_drawing_is_and_shown_on_the_pad(pad, data, kind):
    with pad.expect_file_chooser() as chooser:
        pad.locator("#picture").click()
    chooser.value.set_files([{"name": "three", "mimeType": kind, "buffer": data}])
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    expect(pad.locator("#spoken")).to_contain_text("This is a 3.")
    expect(pad.locator("#hint")).to_have_attribute("data-off", "")
    until(lambda: pad.evaluate(PAINTED) > 10_000)


def test_the_file_itself_is_sent_where_it_is_within_the_limits(pad):
    with pad.expect_request("**/predict*") as asked:
        choose(pad, JPEG, "image/png")  # by its content, whatever its name says
    head, _, body = asked.value.post_data_json["image"].partition(",")
    assert head == "data:image/jpeg;base64"
    assert base64.b64decode(body) == JPEG


def test_a_picture_over_the_server_s_limits_is_made_smaller_and_read(pad):
    large = encode(PHOTO.resize((5000, 5000)))
    with pad.expect_request("**/predict*") as asked:
        choose(pad, large)
    sent = Image.open(BytesIO(base64.b64decode(asked.value.post_data_json["image"].partition(",")[2])))
    assert 10_000_000 < sent.width * sent.height <= 20_000_000
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")


def test_a_dropped_picture_replaces_the_drawing_and_can_be_undone(pad):
    draw(pad, ONE)
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 1.")
    pad.evaluate(DROP, [base64.b64encode(PNG).decode(), "image/png"])
    assert pad.evaluate("window.marked") is True
    expect(pad.locator("#paper")).not_to_have_attribute("data-drop", "")
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    pad.locator("#undo").click()
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 1.")
    pad.locator("#redo").click()
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")


def test_a_picture_in_the_clipboard_is_pasted(pad):
    pad.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pad.evaluate(
        """async (data) => {
            const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
            const blob = new Blob([bytes], {type: 'image/png'});
            await navigator.clipboard.write([new ClipboardItem({'image/png': blob})]);
        }""",
        base64.b64encode(PNG).decode(),
    )
    pad.keyboard.press("Control+v")
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    pad.evaluate("navigator.clipboard.writeText('3')")
    pad.keyboard.press("Control+v")
    expect(pad.locator("#pad-note")).to_contain_text("no image")
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")


def test_a_stroke_on_a_picture_begins_a_new_drawing_and_the_eraser_takes_the_picture(pad):
    choose(pad, PNG)
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    draw(pad, ONE)
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 1.")
    pad.locator("#undo").click()
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    pad.locator("#eraser").click()
    draw(pad, [[[250, 250], [260, 250]]])
    expect(pad.locator("#answer-sentence")).to_have_text("Draw a digit")
    expect(pad.locator(".thumbnail")).to_have_count(1)


def test_what_is_no_picture_is_said_and_the_drawing_stays(pad):
    draw(pad, ONE)
    for data in (b"", b"no image", PNG[:60], b"<svg/>", b"GIF89a"):
        expect(pad.locator("#answer-sentence")).to_have_text("This is a 1.")
        choose(pad, data)
        expect(pad.locator("#pad-note")).to_contain_text("cannot be read as an image")
        expect(pad.locator("#answer-sentence")).to_have_text("This is a 1.")
        draw(pad, [[[400, 400], [410, 410]]])
        expect(pad.locator("#pad-note")).to_be_hidden()
        pad.keyboard.press("Control+z")


def test_a_picture_that_the_server_refuses_is_explained(pad):
    choose(pad, encode(Image.new("L", (400, 400), 255)))
    expect(pad.locator("#answer-detail")).to_have_text("Too little ink to read yet.")
    frames = [Image.new("L", (40, 40), tone) for tone in (0, 200)]
    buffer = BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    pad.route("**/predict*", lambda route: route.fulfill(status=422, json={"error": "expected a still image"}))
    choose(pad, buffer.getvalue())
    expect(pad.locator("#answer-sentence")).to_have_text("That could not be read.")
    expect(pad.locator("#answer-detail")).to_have_text("Expected a still image.")


def test_a_picture_is_no_drawing_to_keep_and_the_page_says_so(pad):
    choose(pad, PNG)
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    expect(pad.locator("[data-teach='3']")).to_be_disabled()
    expect(pad.locator("#teach-note")).to_contain_text("Only drawings can be saved")


def test_a_noisy_picture_in_uneven_light_is_explained_by_two_more_steps(pad):
    lit = np.asarray(picture(THREE, 30, ink=30, paper=230)) * np.linspace(0.4, 1, PHOTO.width)
    lit += np.random.default_rng(0).normal(0, 25, lit.shape)
    pad.locator("#doctor > summary").click()
    choose(pad, encode(Image.fromarray(lit.clip(0, 255).astype(np.uint8))))
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    expect(pad.locator(".step")).to_have_count(6)
    expect(pad.locator("#doctor-sentences")).to_contain_text("noisy")
    pad.locator("#step-even_out").focus()
    pad.keyboard.press("Space")
    expect(pad.locator(".step").nth(1)).to_contain_text("With this step:")
    assert pad.evaluate("document.activeElement.id") == "step-even_out"


def test_a_picture_that_opens_slowly_does_not_replace_what_was_drawn_meanwhile(pad):
    pad.evaluate(
        """() => {
            const open = window.createImageBitmap.bind(window);
            window.opening = [];
            window.createImageBitmap = async (blob) => {
                await new Promise((resolve) => window.opening.push(resolve));
                return open(blob);
            };
        }"""
    )
    release = "opening.splice(0).forEach((go) => go())"
    note = pad.locator("#pad-note")
    choose(pad, PNG)
    until(lambda: pad.evaluate("opening.length") == 1)
    expect(note).to_have_text("Opening the image …")
    draw(pad, ONE)
    expect(note).to_be_hidden()
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 1.")
    pad.evaluate(release)
    choose(pad, b"no image")
    until(lambda: pad.evaluate("opening.length") == 1)
    choose(pad, PNG)  # the newer one counts
    until(lambda: pad.evaluate("opening.length") == 2)
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 1.")
    pad.evaluate(release)
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 3.")
    expect(note).to_be_hidden()
    pad.locator("#undo").click()
    expect(pad.locator("#answer-sentence")).to_have_text("This is a 1.")
