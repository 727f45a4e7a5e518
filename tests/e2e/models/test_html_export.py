"""A model as one HTML file, opened from a disk: what it says is what the server says."""

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.models import ModelStore
from app.models.formats.registry import export_model
from app.settings import SHIPPED_MODELS
from tests.support.browser import draw, fingers, sparse
from tests.support.drawings import recorded

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DRAWINGS = [drawing["strokes"] for drawing in recorded().values()]
THREE = sparse(recorded()["digit 3"]["strokes"])
COUNT = 200
UNITS = 20_000
"""From paper to ink, in pictures that come as texts of 784 characters: as lists they take longer than all the rest."""
READ = f"""(sets) => sets.map((strokes) => {{
  const text = (input) => String.fromCharCode(...input.flat().map((value) => Math.round(value * {UNITS})));
  const short = ({{ input, digits, ...rest }}) => ({{ ...rest, input: text(input), digits: digits?.map(short) }});
  return short(digitpad.predict(strokes));
}})"""


def drawings(count):
    """Recorded drawings, turned, stretched, shaken, of any size, and every fifth with another beside it."""
    rng = np.random.default_rng(5)
    made = [[], [[]], [[[5, 5]]], [[[0, 0], [0, 0]], [[0, 0]]], [[[1e300, -1e300], [-1e300, 1e300]]]]
    for index in range(count - len(made)):
        strokes = [np.array(stroke).reshape(-1, 2) for stroke in DRAWINGS[index % len(DRAWINGS)]]
        if index % 5 == 0:
            right = max((stroke[:, 0].max() for stroke in strokes if len(stroke)), default=0)
            other = DRAWINGS[index * 7 % len(DRAWINGS)]
            strokes += [np.array(stroke).reshape(-1, 2) + np.array([right + 120, 0]) for stroke in other]
        matrix = np.eye(2) + rng.normal(0, 0.15, (2, 2))
        size = 10 ** rng.uniform(-2, 3)
        made.append(
            [((stroke @ matrix + rng.normal(0, 3, stroke.shape)) * size).round(4).tolist() for stroke in strokes]
        )
    return made


def same(found, wanted):
    """Whether an answer of the page is that of the server."""
    keys = {"label", "is_digit", "blank", "model", "reading"}
    assert {key: found.get(key) for key in keys} == {key: wanted.get(key) for key in keys}
    assert found["probabilities"] == pytest.approx(wanted["probabilities"], abs=1e-4)
    assert found["score"] == (None if wanted["score"] is None else pytest.approx(wanted["score"], abs=1e-4))
    ink = np.array([ord(character) for character in found["input"]]) / UNITS
    assert np.abs(ink - np.ravel(wanted["input"])).max() < 1.5e-4  # what the server rounds to, and what is rounded here
    parts = wanted.get("digits") or []
    assert len(found.get("digits") or []) == len(parts)
    for one, other in zip(found.get("digits") or [], parts, strict=True):
        assert one["box"] == pytest.approx(other["box"], rel=1e-9)
        same(one, other)


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The shipped model as a page, by its address on the disk."""
    path = export_model(ModelStore(SHIPPED_MODELS), "mnist-mlp", "html", tmp_path_factory.mktemp("stick"))
    return path.as_uri()


def test_two_hundred_drawings_get_the_answers_of_the_server(page, html, client):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(html)
    page.locator("#pad[data-ready]").wait_for()
    sets = drawings(COUNT)
    found = page.evaluate(READ, sets)
    wanted = client.post("/predict?input=true", json=[{"strokes": strokes} for strokes in sets]).json()
    for one, other in zip(found, wanted, strict=True):
        same(one, other)
    assert sum("digits" in one for one in wanted) > 20
    assert sum(one["is_digit"] for one in wanted) > 50
    assert {one["label"] for one in wanted} == {None, *"0123456789"}
    refused = "(bad) => { try { digitpad.predict(bad); return ''; } catch (error) { return error.message; } }"
    for bad in (None, 3, [[1, 2]], [[["a", 1]]], [[[1]]], [[[0, 0]] * 10_001]):
        assert "strokes: expected" in page.evaluate(refused, bad)
    # Nothing but the file itself, whatever it tries: its policy forbids the rest.
    assert {url.partition(":")[0] for url in requests} <= {"file", "data"}
    assert page.evaluate("() => fetch('https://example.com/').then(() => 'sent', () => 'refused')") == "refused"


def test_it_is_drawn_on_with_a_mouse_and_a_keyboard_and_says_what_it_reads(page, html):
    page.goto(html)
    draw(page, THREE)
    expect(page.locator("#answer-sentence")).to_have_text("This is a 3.")
    expect(page.locator("#spoken")).to_contain_text("This is a 3.")
    expect(page.locator("[data-winner]")).to_have_attribute("data-label", "3")
    assert Axe().run(page).violations_count == 0
    page.locator("#seen-open").click()
    expect(page.locator("#zoom-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    expect(page.locator("#answer-sentence")).to_have_text("Draw a digit")
    page.locator("#pad").focus()
    page.keyboard.press("Space")
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.locator("#answer-sentence")).to_have_text("This is a 1.")
    page.locator("#clear").click()
    scribble = [[[60 + (i * 197) % 380, 60 + (i * 131) % 380] for i in range(40)]]
    draw(page, scribble)
    expect(page.locator("#answer-sentence")).to_have_text("That does not look like a digit to me.")
    page.get_by_role("link", name="日本語").click()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page.locator("#answer-sentence")).to_have_text(re.compile("[ぁ-ヿ]"))
    expect(page.locator("#clear")).to_have_text(re.compile("[ぁ-ヿ一-鿿]"))
    draw(page, THREE)
    expect(page.locator("#answer-sentence")).to_contain_text("3")


def test_a_finger_draws_on_it_and_the_page_stays_where_it_is(phone, html):
    phone.goto(html)
    phone.locator("#pad[data-ready]").wait_for()
    assert phone.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    box = phone.locator("#pad").bounding_box()
    scale = box["width"] / 500
    with fingers(phone) as touch:
        for stroke in THREE:
            points = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]
            touch("touchStart", points[0])
            for point in points[1:]:
                touch("touchMove", point)
            touch("touchEnd")
    expect(phone.locator("#answer-sentence")).to_have_text("This is a 3.")
    assert phone.evaluate("() => scrollY") == 0


SITE = "http://page.test/"
PAGE = """<canvas width="300" height="300"></canvas><output></output>
<script type="module">
  import { collectStrokes, labels, predict } from "./mnist-mlp.js";
  const pad = collectStrokes(document.querySelector("canvas"), {
    onStroke: (strokes) => { document.querySelector("output").value = predict(strokes).label; },
  });
  window.digitpad = { labels, pad, predict };
</script>"""


@pytest.fixture
def module_page(page, tmp_path):
    """A stranger's page that imports the shipped model as a module."""
    script = export_model(ModelStore(SHIPPED_MODELS), "mnist-mlp", "js", tmp_path).read_text(encoding="utf-8")
    page.route(SITE, lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    page.route(f"{SITE}mnist-mlp.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page.goto(SITE)
    page.wait_for_function("() => window.digitpad !== undefined")
    return page


def test_a_page_imports_the_model_and_gets_the_answers_of_the_server(module_page, client):
    sets = drawings(COUNT)
    found = module_page.evaluate(READ, sets)
    wanted = client.post("/predict?input=true", json=[{"strokes": strokes} for strokes in sets]).json()
    for one, other in zip(found, wanted, strict=True):
        same(one, other)
    assert module_page.evaluate("() => digitpad.labels") == list("0123456789")


def test_an_imported_module_collects_strokes_from_a_canvas(module_page):
    for stroke in THREE:
        module_page.mouse.move(10 + stroke[0][0] / 2, 10 + stroke[0][1] / 2)
        module_page.mouse.down()
        for x, y in stroke:
            module_page.mouse.move(10 + x / 2, 10 + y / 2)
        module_page.mouse.up()
    expect(module_page.locator("output")).to_have_text("3")
    assert module_page.evaluate("() => digitpad.pad.strokes().length") == len(THREE)
    inked = (
        "() => document.querySelector('canvas').getContext('2d').getImageData(0, 0, 300, 300).data.some((v) => v > 0)"
    )
    assert module_page.evaluate(inked)
    module_page.evaluate("() => digitpad.pad.clear()")
    assert not module_page.evaluate(inked)
    assert module_page.evaluate("() => digitpad.pad.strokes()") == []
