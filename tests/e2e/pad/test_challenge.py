"""The games of the Challenge page, played with recorded strokes."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect

from app.models import ModelCard, ModelStore
from app.nn import Network
from tests.support.axe import AXE, RULES
from tests.support.browser import SCRIBBLE, draw, fingers, heard, sparse
from tests.support.browser_fixtures import DEVICES
from tests.support.drawings import recorded
from tests.support.serving import Server, serve

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STROKES = {str(digit): sparse(recorded()[f"digit {digit}"]["strokes"]) for digit in range(10)}
ONE_STROKE = [digit for digit, strokes in STROKES.items() if len(strokes) == 1]
CLOSING = [[[219, 91], [262, 91], [307, 91], [352, 91], [352, 160], [352, 230], [352, 304]]]
"""What makes a 9 of the recorded 4."""
DOT = [[[250, 250], [253, 253]]]
INK = """(canvas) =>
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0)"""


@pytest.fixture(scope="module")
def house(tmp_path_factory, cache_dir) -> Iterator[Server]:
    """A server of its own, as drawings are kept there."""
    with serve(tmp_path_factory.mktemp("challenge"), DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        yield server


def begin(page: Page, server: Server, game: str, **options: str) -> None:
    page.goto(f"{server.url}/challenge")
    for name, value in options.items():
        page.locator(f"#{game}-{name}").select_option(value)
    page.locator(f"#{game} button").click()
    page.locator("#sides-play" if game == "sides" else "#play").wait_for()


def asked(page: Page, place: str = "#play-task") -> list[str]:
    """The digits in the task."""
    return re.findall(r"\d", page.locator(place).inner_text())


def go_on(page: Page) -> None:
    page.locator("#play-actions [data-main]").click()


def test_read_me_is_played_to_the_end_and_no_request_leaves_the_page(page: Page, house: Server) -> None:
    begin(page, house, "read", seconds="")
    with heard(page, "request") as requests:
        for number in range(1, 11):
            expect(page.locator("#play-round")).to_have_text(f"Round {number} of 10")
            (label,) = asked(page)
            if number == 10:
                page.get_by_role("button", name="Skip").click()
                expect(page.locator("#play-note")).to_contain_text("Skipped.")
            else:
                draw(page, STROKES[label])
                expect(page.locator("#play-note")).to_contain_text("+50 points")
                expect(page.locator("#play-score")).to_have_text(f"{50 * number} points")
            go_on(page)
        expect(page.locator("#end-title")).to_have_text("450 points")
        expect(page.locator("#end-title")).to_be_focused()
        expect(page.locator("#end-text")).to_contain_text("It read 9 of 10.")
        expect(page.locator(".end-drawing")).to_have_count(10)
        expect(page.locator(".end-drawing[data-right]")).to_have_count(9)
    assert [request for request in requests if request.method != "GET" or "/api/" in request.url] == []


def test_drawings_are_kept_where_one_says_so_and_taken_back(page: Page, house: Server) -> None:
    begin(page, house, "read", seconds="")
    for _ in range(2):
        draw(page, STROKES[asked(page)[0]])
        go_on(page)
    for _ in range(8):
        page.get_by_role("button", name="Skip").click()
        go_on(page)
    tiles = page.locator(".end-drawing")
    label = re.findall(r"\d", tiles.nth(1).locator(".end-asked").inner_text())[0]
    expect(page.locator("#keep")).to_have_text("Keep 2 drawings in my set")
    tiles.nth(0).get_by_role("checkbox").uncheck()
    page.locator("#keep").click()
    expect(page.locator("#keep-note")).to_contain_text("Kept 1 in “mine”.")
    stored = house.get("/api/drawings?set=mine")["drawings"]
    assert [one["label"] for one in stored] == [label]
    expect(page.locator("#keep")).to_be_disabled()
    page.locator("#keep-note").get_by_role("button", name="Undo").click()
    expect(page.locator("#keep-note")).to_contain_text("Deleted.")
    assert house.get("/api/drawings?set=mine")["drawings"] == []
    page.locator("#again").click()
    expect(page.locator("#play-round")).to_have_text("Round 1 of 10")
    expect(page.locator("#play-score")).to_have_text("0 points")
    page.locator("#play-stop").click()
    expect(page.locator("#choose-title")).to_be_focused()
    page.locator("#read-seconds").select_option("")
    expect(page.locator("#read [data-best]")).to_have_text("Best: 100 points")
    page.locator("#read-seconds").select_option("10")
    expect(page.locator("#read [data-best]")).to_be_empty()


def test_a_drawing_that_cannot_be_kept_says_so_and_is_kept_later(page: Page, house: Server) -> None:
    begin(page, house, "read", seconds="")
    draw(page, STROKES[asked(page)[0]])
    go_on(page)
    for _ in range(9):
        page.get_by_role("button", name="Skip").click()
        go_on(page)
    page.route("**/api/drawings", lambda route: route.fulfill(status=507, json={"error": "the disk is full"}))
    page.locator("#keep").click()
    expect(page.locator("#keep-note")).to_contain_text("the disk is full")
    page.unroute("**/api/drawings")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#keep-note")).to_contain_text("Kept 1 in")
    page.locator("#keep-note").get_by_role("button", name="Undo").click()
    expect(page.locator("#keep-note")).to_contain_text("Deleted.")


def test_three_strokes_that_are_not_read_end_a_round(page: Page, house: Server) -> None:
    begin(page, house, "read", seconds="", strokes="3")
    expect(page.locator("#play-note")).to_have_text("In at most 3 strokes.")
    for _ in range(3):
        draw(page, DOT)
    expect(page.locator("#play-note")).to_contain_text("The 3 strokes are used up")
    expect(page.locator("#clear")).to_be_disabled()
    ink = page.locator("#pad").evaluate("(canvas) => canvas.toDataURL()")
    draw(page, STROKES["8"])  # the paper is closed
    assert page.locator("#pad").evaluate("(canvas) => canvas.toDataURL()") == ink


def test_the_clock_ends_a_round_and_stands_while_the_page_is_hidden(page: Page, house: Server) -> None:
    page.clock.install()
    begin(page, house, "read")
    expect(page.locator("#play-clock")).to_have_text("20 s")
    page.clock.run_for(30_000)
    expect(page.locator("#play-clock")).to_have_text("20 s")  # it starts with the first stroke
    draw(page, SCRIBBLE)
    page.keyboard.press("Escape")
    page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { get: () => window.away, configurable: true });
          window.away = true;
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    page.clock.run_for(60_000)
    expect(page.locator("#play-clock")).to_have_text(re.compile(r"(20|19|18) s"))
    page.evaluate("() => { window.away = false; document.dispatchEvent(new Event('visibilitychange')); }")
    page.clock.run_for(21_000)
    expect(page.locator("#play-note")).to_contain_text("The time is up.")
    expect(page.locator("#play-note")).to_contain_text("the paper is empty")


def test_a_4_is_drawn_that_is_taken_for_a_9(page: Page, house: Server) -> None:
    begin(page, house, "fool")
    assert asked(page) == ["4", "9"]
    fool = page.get_by_role("button", name="Now fool it")
    expect(fool).to_be_disabled()
    draw(page, STROKES["9"])
    expect(page.locator("#answer-glyph")).to_have_text("9")
    expect(fool).to_be_disabled()  # it is no 4
    page.keyboard.press("Escape")
    draw(page, STROKES["4"])
    expect(page.locator("#answer-glyph")).to_have_text("4")
    fool.click()
    four = page.locator("#pad").evaluate("(canvas) => canvas.toDataURL()")
    draw(page, [[[400, 60], [420, 80], [440, 90]]])
    expect(page.locator("#play-note")).to_contain_text("Ink added:")
    page.locator("#clear").click()  # takes away what was added alone
    expect(page.locator("#clear")).to_be_disabled()
    expect(page.locator("#answer-glyph")).to_have_text("4")
    page.wait_for_function("(before) => document.querySelector('#pad').toDataURL() === before", arg=four)
    draw(page, CLOSING)
    expect(page.locator("#play-note")).to_contain_text("Fooled, with")
    expect(page.locator("#answer-glyph")).to_have_text("9")
    assert 10 < int(page.locator("#play-score").inner_text().split()[0]) < 90
    for _ in range(4):
        go_on(page)
        page.get_by_role("button", name="Skip").click()
    go_on(page)
    expect(page.locator("#end-text")).to_contain_text("You fooled it 1 of 5 times.")
    expect(page.locator(".end-drawing").first).to_contain_text("Asked: a 4")
    expect(page.locator(".end-drawing").first).to_contain_text("Taken for: a 9")
    expect(page.locator("#keep")).to_be_disabled()  # nothing is kept as a 4 before somebody says that it still is one
    page.locator(".end-drawing").first.get_by_role("checkbox").check()
    expect(page.locator("#keep")).to_have_text("Keep 1 drawing in my set")


def turned(strokes: list[list[list[float]]], angle: float) -> list[list[list[float]]]:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return [((np.array(stroke) - 250) @ turn.T + 250).tolist() for stroke in strokes]


def test_five_drawings_teach_it_a_7_that_it_does_not_read_by_itself(page: Page, house: Server) -> None:
    begin(page, house, "teach", label="7")
    mine = [turned(STROKES["7"], 1.2 + 0.04 * step) for step in range(-2, 3)]
    for strokes in mine:
        expect(page.get_by_role("button", name="That is my 7")).to_be_disabled()
        draw(page, strokes)
        go_on(page)
    expect(page.locator("#play-note")).to_contain_text("by itself it read 0 of them")
    go_on(page)
    others = 0
    for number in range(6, 11):
        expect(page.locator("#play-round")).to_have_text(f"Round {number} of 10")
        (label,) = asked(page)
        others += label != "7"
        draw(page, turned(STROKES["7"], 1.22) if label == "7" else STROKES[label])
        page.get_by_role("button", name="Read it").click()
        expect(page.locator("#play-note")).to_contain_text("+100 points" if label == "7" else "+50 points")
        go_on(page)
    assert others == 2
    expect(page.locator("#end-title")).to_have_text("400 points")
    expect(page.locator("#end-text")).to_contain_text("it read 5 of 5, alone 2.")
    expect(page.locator(".end-drawing")).to_have_count(10)


def touched(page: Page, digits: dict[str, str]) -> None:
    """Draw a digit on each side, with a finger each, at the same time; both are lifted together."""
    paths = []
    for side, digit in digits.items():
        box = page.locator(f"#pad-{side}").bounding_box()
        assert box is not None
        (stroke,) = STROKES[digit]
        paths.append([(box["x"] + x * box["width"] / 500, box["y"] + y * box["height"] / 500) for x, y in stroke])
    with fingers(page) as touch:
        touch("touchStart", *(path[0] for path in paths))
        for step in range(1, max(map(len, paths))):
            touch("touchMove", *(path[min(step, len(path) - 1)] for path in paths))
        touch("touchEnd")


@pytest.fixture
def table(browser: Browser) -> Iterator[Page]:
    """A page on a large screen that fingers draw on."""
    context = browser.new_context(viewport={"width": 1600, "height": 900}, has_touch=True)
    yield context.new_page()
    context.close()


def test_two_draw_at_once_and_the_side_that_is_read_gets_the_point(table: Page, house: Server) -> None:
    page = table
    with heard(page, "pageerror") as errors:
        begin(page, house, "sides")
        requests: list[Request] = []
        page.on("request", lambda request: requests.append(request))
        points = {"left": 0, "right": 0}
        rounds = 0
        while page.locator("#sides-play").is_visible():
            rounds += 1
            expect(page.locator("#sides-task")).to_contain_text("Draw")
            expect(page.locator("#pad-right:not([data-closed])")).to_be_visible()
            (label,) = asked(page, "#sides-task")
            winner, loser = ("right", "left") if rounds % 4 == 0 else ("left", "right")
            other = next(digit for digit in ONE_STROKE if digit != label)
            if label in ONE_STROKE:
                touched(page, {winner: label, loser: other})
                assert page.locator(f"#pad-{loser}").evaluate(INK)  # both have drawn
            else:
                draw(page, STROKES[label], canvas=f"#pad-{winner}")
            points[winner] += 1
            expect(page.locator("#sides-note")).to_contain_text(f"{winner.capitalize()} side was read first")
            expect(page.locator(f"#points-{winner}")).to_have_text(str(points[winner]))
            expect(page.locator(f"#guess-{winner}")).to_contain_text(label)
            page.locator("#sides-actions [data-main]").click()
        assert rounds == 7  # six to one cannot be caught up with
        expect(page.locator("#end-title")).to_have_text("The left side wins, 6 to 1")
        page.locator("#other").click()
        expect(page.locator("#sides [data-best]")).to_have_text(re.compile(r"Fastest: [\d.]+ s"))
    assert not errors
    assert [one.url for one in requests if one.method != "GET" or "/api/" in one.url] == []


def test_both_get_the_point_where_both_are_read_at_once(table: Page, house: Server) -> None:
    page = table
    begin(page, house, "sides", certainty="0.6")
    for _ in range(len(STROKES) - len(ONE_STROKE) + 1):
        expect(page.locator("#pad-right:not([data-closed])")).to_be_visible()
        (label,) = asked(page, "#sides-task")
        if label in ONE_STROKE:
            break
        draw(page, STROKES[label], canvas="#pad-left")
        page.locator("#sides-actions [data-main]").click()
    before = [int(page.locator(f"#points-{side}").inner_text()) for side in ("left", "right")]
    touched(page, {"left": label, "right": label})
    expect(page.locator("#sides-note")).to_contain_text("Both at once")
    for side, points in zip(("left", "right"), before, strict=True):
        expect(page.locator(f"#points-{side}")).to_have_text(str(points + 1))


def test_a_game_is_played_with_the_keyboard_on_a_phone(browser: Browser, house: Server) -> None:
    context = browser.new_context(**DEVICES["phone"], locale="ja", reduced_motion="reduce")
    page = context.new_page()
    begin(page, house, "read", seconds="")
    for _ in range(10):
        expect(page.locator("#pad")).to_be_focused()
        page.keyboard.press("Space")
        for _ in range(12):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        for _ in range(12):
            page.keyboard.press("ArrowUp")  # back to where the next one begins
        expect(page.locator("#answer-glyph")).to_have_text("1")
        if asked(page)[0] != "1":
            page.get_by_role("button", name="飛ばす").click()
        page.locator("#pad").press("Enter")
    expect(page.locator("#end-title")).to_have_text("50点")
    context.close()


def test_a_model_that_is_away_is_fetched_again(page: Page, house: Server) -> None:
    page.route("**/download?**", lambda route: route.fulfill(status=409, json={"error": "the model is damaged"}))
    page.goto(f"{house.url}/challenge")
    page.locator("#fool button").click()
    expect(page.locator("#fetching")).to_contain_text("the model is damaged")
    expect(page.locator("#choose")).to_be_visible()
    page.unroute("**/download?**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#play-round")).to_have_text("Round 1 of 5")


def stored(home: Any, name: str, labels: list[str], shape: tuple[int, ...] = (784,)) -> None:
    """A model that has learned nothing, with these labels."""
    network = Network.from_spec({"layers": [{"type": "dense", "units": len(labels)}]}, input_shape=shape)
    network.initialize(1)
    values = {
        "name": name,
        "network": network.spec(),
        "dtype": "float32",
        "labels": labels,
        "input_scale": 255,
        "recipe": "custom",
        "dataset": "none",
        "config": {},
        "seed": 1,
        "created": "2026-01-01T00:00:00Z",
        "software": {},
        "parameters": network.params.size,
        "sha256": "0" * 64,
    }
    ModelStore(home).save(ModelCard.model_validate(values), network)


def test_models_of_many_of_one_and_of_strange_labels_can_be_played(page: Page, tmp_path, cache_dir) -> None:
    stored(tmp_path, "words", [f"word {index}" for index in range(200)])
    stored(tmp_path, "single", ["<b>○</b>"])
    stored(tmp_path, "large", ["a", "b"], shape=(400,))
    with serve(tmp_path, DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        page.goto(f"{server.url}/challenge?model=words")
        page.locator("#fool button").click()
        expect(page.locator("#play-task")).to_contain_text(re.compile(r"Draw a word \d+ that it takes for a word \d+"))
        draw(page, STROKES["3"])
        expect(page.locator("#answer-glyph")).to_contain_text("word")
        page.locator("#play-stop").click()
        page.locator("#sides button").click()
        expect(page.locator("#sides-task")).to_contain_text("Draw a word")
        draw(page, STROKES["3"], canvas="#pad-left")
        expect(page.locator("#bars-left .bar")).to_have_count(10)
        page.locator("#sides-stop").click()
        page.locator("#model").select_option("single")
        expect(page.locator("#fool button")).to_be_disabled()
        expect(page.locator("#fool-note")).to_be_visible()
        page.locator("#read button").click()
        expect(page.locator("#play-task")).to_have_text("Draw a <b>○</b>")
        draw(page, STROKES["0"])
        expect(page.locator("#play-note")).to_contain_text("points")
        page.locator("#play-stop").click()
        page.locator("#model").select_option("large")
        page.locator("#teach button").click()
        expect(page.locator("#fetching")).to_contain_text("cannot be computed in the browser")
        assert page.goto(f"{server.url}/challenge?model=nothing").status == 200
        expect(page.locator(".notice")).to_contain_text("no usable model named “nothing”")


@pytest.mark.parametrize(("language", "scheme"), [("en", "dark"), ("ja", "light")])
def test_axe_finds_nothing_in_a_game_and_at_its_end(language, scheme, browser: Browser, house: Server) -> None:
    context = browser.new_context(**DEVICES["phone"], locale=language, color_scheme=scheme, reduced_motion="reduce")
    page, found = context.new_page(), []

    def look(what: str) -> None:
        page.evaluate(Axe().axe_script)
        found.extend(f"{what}: {text}" for text in page.evaluate(AXE, RULES))

    begin(page, house, "read", seconds="")
    look("a round")
    draw(page, STROKES[asked(page)[0]])
    expect(page.locator("#play-note")).to_contain_text("+50")
    look("its result")
    for _ in range(9):
        go_on(page)
        page.locator("#play-actions button").click()
    go_on(page)
    expect(page.locator("#end-title")).to_be_focused()
    look("the end")
    begin(page, house, "sides")
    expect(page.locator("#pad-left:not([data-closed])")).to_be_visible()
    draw(page, STROKES[asked(page, "#sides-task")[0]], canvas="#pad-left")
    expect(page.locator("#points-left")).to_have_text("1")
    look("two sides")
    context.close()
    assert not found, "\n".join(found)


def test_the_pad_and_the_projector_lead_to_the_challenges(page: Page, house: Server) -> None:
    page.goto(house.url)
    page.get_by_role("link", name="Challenge it").click()
    expect(page.locator("h1")).to_have_text("Challenge")
    page.goto(f"{house.url}/data/projector?set=mine")
    page.get_by_role("link", name="Two sides, one clock").click()
    expect(page).to_have_url(f"{house.url}/challenge#sides")
    expect(page.locator("#sides")).to_be_in_viewport()
