"""The live figures of the lessons: what they say is what the engine computes, whatever they are moved to."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.serving import Server
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

READY = "() => document.querySelector('[aria-busy=true]') === null && document.readyState === 'complete'"


def figure(page: Page, name: str) -> Locator:
    """A figure, once the engine has answered for it."""
    found = page.locator(f"[data-figure={name}][aria-busy=false]")
    found.wait_for()
    return found


def number(place: Locator) -> float:
    text = re.search(r"[-−]?\d[\d.]*(?:e[-−]?\d+)?", place.inner_text().replace(",", ""))
    assert text, place.inner_text()
    return float(text[0].replace("−", "-"))


def says(place: Locator, value: float) -> None:
    """Wait until a place shows this number, to the four digits that are shown."""
    close = pytest.approx(value, rel=1e-3, abs=1e-9)
    place.wait_for()
    until(lambda: re.search(r"\d", place.inner_text()) and number(place) == close)


def asked(server: Server, path: str, **query: object) -> dict:
    return server.get(f"/api/explain/{path}?{urlencode(query)}")


def nearest(xs: list[float], x: float) -> int:
    return min(range(len(xs)), key=lambda i: abs(xs[i] - x))


def says_both(value: Locator, line: dict, at: int) -> None:
    """The figure's value and its slope, "0.82, slope 0.15"."""
    text = value.inner_text().replace("−", "-")
    found = [float(number) for number in re.findall(r"-?[\d.]+(?:e[+-]?\d+)?", text)]
    assert found == pytest.approx([line["y"][at], line["slope"][at]], rel=0.01, abs=1e-3)


def test_the_parts_show_what_the_engine_computes(page: Page, pad_server: Server) -> None:
    page.goto(f"{pad_server.url}/learn/parts")

    curves = asked(pad_server, "activations")
    parts = figure(page, "activations")
    at = nearest(curves["x"], 1.5)
    parts.locator("input[type=range]").fill("150")  # of 240 places from −6 to 6
    for one in curves["activations"]:
        button = parts.locator(f"[data-line={one['type']}]")
        if button.get_attribute("aria-pressed") == "false":
            button.click()
        says_both(button.locator(".figure-value"), one, at)

    curves = asked(pad_server, "losses")
    lines = figure(page, "losses").locator(".figure-lines").first
    lines.locator("input[type=range]").fill("24")
    for one in curves["losses"]:
        says_both(lines.locator(f"[data-line={one['type']}] .figure-value"), one, nearest(curves["x"], 0.1))

    depth = figure(page, "depth")
    depth.get_by_label("Activation").select_option("relu")
    depth.get_by_label("Initial weights").select_option("he")
    depth.get_by_label("Layers", exact=True).fill("3")
    expect(depth.locator(".depth-layer")).to_have_count(3)
    layers = asked(pad_server, "depth", activation="relu", initializer="he", depth=3)["layers"]
    for i, layer in enumerate(layers):
        says(depth.locator(".depth-layer").nth(i).locator(".depth-spread"), layer["spread"])
    expect(depth.locator(".figure-verdict")).to_contain_text("The signal survives")
    depth.get_by_label("Initial weights").select_option("normal")
    depth.get_by_label("Spread σ").fill("0")
    expect(depth.locator(".figure-verdict")).to_contain_text("vanishes")

    ways = figure(page, "paths")
    for surface, optimizer, rate in (("valley", "sgd", 0.5), ("rosenbrock", "adam", 0.05)):
        ways.get_by_label("Surface").select_option(surface)
        ways.get_by_label("Steps").fill("40")
        ways.get_by_label(f"Learning rate of {'SGD' if optimizer == 'sgd' else 'Adam'}", exact=True).fill(str(rate))
        found = asked(pad_server, "path", surface=surface, optimizer=optimizer, learning_rate=rate, steps=40)
        says(ways.locator(f"[data-optimizer={optimizer}]"), found["heights"][-1])
    ways.get_by_label("Learning rate of SGD").fill("0")
    expect(ways.locator(".figure-error")).to_contain_text("learning rate: ")
    ways.get_by_label("Learning rate of SGD").fill("0.001")
    expect(ways.locator(".figure-error")).to_be_empty()

    learned = figure(page, "overfitting")
    learned.get_by_label("Weight decay").select_option("0.1")
    for run, decay in (("plain", "0"), ("helped", "0.1")):
        last = asked(pad_server, "overfitting", weight_decay=decay)["epochs"][-1]
        for key in ("train", "test"):
            # a share short of the whole is never shown as 100.0 %
            until(lambda run=run, key=key: learned.locator(f"[data-run={run}-{key}]").count())
            shown = number(learned.locator(f"[data-run={run}-{key}]"))
            assert shown == pytest.approx(100 * last[f"{key}_accuracy"], abs=0.11)

    table = figure(page, "batches")
    for size in ("1", "10", "100", "all"):
        found = asked(pad_server, "batches", batch_size=size)
        says(table.locator(f"[data-batch='{size}-steps']"), found["steps"])
        shown = number(table.locator(f"[data-batch='{size}-accuracy']"))
        assert shown == pytest.approx(100 * found["epochs"][-1]["test_accuracy"], abs=0.06)


def test_the_perceptron_learns_before_ones_eyes_and_two_layers_learn_what_it_cannot(
    page: Page, pad_server: Server
) -> None:
    page.goto(f"{pad_server.url}/learn/perceptron")
    one = figure(page, "perceptron")
    one.get_by_label("Gate").select_option("nand")
    with page.expect_response(lambda answer: "gate=nand&learning_rate=0.2" in answer.url):
        one.get_by_label("Learning rate").fill("0.2")
    figure(page, "perceptron")
    steps = asked(pad_server, "perceptron", gate="nand", learning_rate=0.2, seed=1)["steps"]
    until(
        lambda: number(one.locator("[data-perceptron=w1]")) == pytest.approx(steps[0]["before"]["weights"][0], rel=1e-3)
    )
    verdict = one.locator(".figure-verdict")
    press = one.get_by_role("button", name="One step")
    for step in steps[:5]:
        press.press("Enter")
        for place, value in zip(("w1", "w2", "b"), [*step["weights"], step["bias"]], strict=True):
            says(one.locator(f"span[data-perceptron={place}]"), round(value, 12))
    one.get_by_role("button", name="Back to the start").click()
    says(one.locator("span[data-perceptron=w2]"), steps[0]["before"]["weights"][1])
    expect(verdict).to_have_attribute("aria-live", "polite")
    one.get_by_role("button", name="Play").click()
    says(one.locator("span[data-perceptron=b]"), round(steps[0]["bias"], 12))
    expect(verdict).to_have_attribute("aria-live", "off")  # a screen reader is not to speak at every tick
    one.get_by_role("button", name="Pause").click()
    one.get_by_role("button", name="To the end").click()
    expect(verdict).to_contain_text(f"Settled in epoch {steps[-1]['epoch']}")
    expect(verdict).to_have_attribute("aria-live", "polite")
    unsettled = asked(pad_server, "perceptron", gate="nand", learning_rate=0.0005, seed=1)
    page.route("**/api/explain/perceptron?gate=nand*", lambda route: route.fulfill(json=unsettled))
    one.get_by_label("Learning rate").fill("0.05")
    expect(verdict).to_contain_text("random")
    one.get_by_role("button", name="To the end").click()
    expect(verdict).to_contain_text("Try a larger learning rate")
    with page.expect_response(lambda answer: "gate=xor" in answer.url):
        one.get_by_label("Gate").select_option("xor")
    expect(one.locator(".figure-verdict")).to_contain_text("random")
    one.get_by_role("button", name="To the end").click()
    expect(one.locator(".figure-verdict")).to_contain_text("no straight line")

    two = figure(page, "two-layers")
    for activation in ("tanh", "sigmoid"):
        if activation != "tanh":  # with which it begins
            two.get_by_label("Activation").select_option(activation)
        frames = asked(pad_server, "two-layers", activation=activation)["frames"]
        says(two.locator("[data-output='3']"), frames[0]["outputs"][3])
        two.get_by_role("button", name="To the end").click()
        for i, output in enumerate(frames[-1]["outputs"]):
            says(two.locator(f"[data-output='{i}']"), output)
        expect(two.locator(".figure-verdict").first).to_contain_text("4 of 4 are right")
    check_film(page, two, frames)


def check_film(page: Page, two: Locator, frames: list[dict]) -> None:
    """The player, the plane and the cursor of the curve are always at the same epoch."""
    epochs, places = [frame["epoch"] for frame in frames], 240
    cursor, verdict = two.get_by_label("Epoch"), two.locator(".figure-verdict").first
    expect(cursor).to_have_value(str(places))
    two.get_by_role("button", name="Back to the start").click()
    expect(cursor).to_have_value("0")
    cursor.fill("80")
    at = nearest(epochs, epochs[-1] * 80 / places)
    expect(verdict).to_contain_text(f"Epoch {epochs[at]} of")
    for i, output in enumerate(frames[at]["outputs"]):
        says(two.locator(f"[data-output='{i}']"), output)
    two.get_by_role("button", name="One step").click()
    expect(cursor).to_have_value(str(round(epochs[at + 1] / epochs[-1] * places)))

    chart = two.locator(".figure-chart")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 60)  # passing over the curve does not touch the film
    expect(verdict).to_contain_text(f"Epoch {epochs[at + 1]} of")
    page.mouse.down()
    page.mouse.up()
    expect(verdict).not_to_contain_text(f"Epoch {epochs[at + 1]} of")


def test_a_small_training_may_be_awaited_and_may_come_to_nothing(page: Page, pad_server: Server) -> None:
    held: list[Route] = []
    page.route("**/api/explain/overfitting?*", lambda route: held.append(route))
    page.goto(f"{pad_server.url}/learn/8")
    lesson = page.locator("[data-figure=overfitting]")
    shown = lesson.get_by_label("Shown")
    shown.select_option("loss")  # nothing has come yet
    shown.select_option("accuracy")
    until(lambda: page.evaluate("1") and held)
    found = asked(pad_server, "overfitting")
    held.pop().fulfill(json={**found, "epochs": [], "diverged": True})
    expect(lesson.locator(".figure-about").nth(1)).to_contain_text("unchanged: the numbers grew without bound")
    expect(lesson.locator("[data-run=plain-test]")).to_have_text("–")
    assert not lesson.locator(".figure-error").inner_text()

    found = asked(pad_server, "batches", batch_size="10")
    page.route("**/api/explain/batches?*", lambda route: route.fulfill(json={**found, "epochs": [], "diverged": True}))
    page.goto(f"{pad_server.url}/learn/6")
    lesson = figure(page, "batches")
    expect(lesson.locator(".figure-about").nth(1)).to_contain_text("batches of 100: the numbers grew without bound")
    expect(lesson.locator("[data-batch=all-accuracy]")).to_have_text("–")


def test_a_learner_goes_from_lesson_to_lesson(page: Page, pad_server: Server) -> None:
    page.goto(f"{pad_server.url}/learn")
    page.get_by_role("link", name="Data: a picture is numbers").click()
    picture = figure(page, "pixels")
    picture.get_by_role("button", name="Next image").click()
    image = asked(pad_server, "image", index=1)
    picture.get_by_label("Row").fill("12")
    picture.get_by_label("Column").fill("15")
    said = picture.locator("[data-pixels=said]")
    expect(said).to_contain_text(f"labelled {image['label']}. Row 12, column 15: {image['values'][12][15]:.2f}")
    canvas = picture.locator("canvas")
    box = canvas.bounding_box()
    canvas.hover(position={"x": box["width"] * 9.5 / 28, "y": box["height"] * 20.5 / 28})
    expect(said).to_contain_text(f"Row 20, column 9: {image['values'][20][9]:.2f}")

    page.get_by_role("link", name="2. Model").click()
    unit = figure(page, "unit")
    unit.get_by_label("weight w₁").fill("-1.5")
    unit.get_by_label("bias b").fill("0.7")
    unit.get_by_label("Activation").select_option("tanh")
    found = asked(pad_server, "unit", x1=1, x2=0.5, w1=-1.5, w2=-0.6, b=0.7, activation="tanh")
    for place, value in (("first", found["products"][0]), ("sum", found["sum"]), ("output", found["output"])):
        says(unit.locator(f"[data-unit={place}]"), value)
    drawn = unit.get_by_role("img", name=re.compile("^A unit: .*tanh makes that"))
    lines = drawn.locator("line:not(.flow)")  # w₁, w₂ and b
    assert [line.get_attribute("class") for line in lines.all()] == ["minus", "minus", "plus"]
    assert [float(line.get_attribute("stroke-width") or 0) for line in lines.all()] == pytest.approx([4.5, 1.8, 2.1])

    page.get_by_role("link", name="The code: Dense layer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The code: Dense layer")
    expect(page.locator(".code-line").first).to_contain_text("class Dense(Layer):")
    page.go_back()
    page.get_by_role("link", name="日本語").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("モデル")
    for lesson in range(3, 9):
        page.locator("a[rel=next]").click()
        expect(page).to_have_url(f"{pad_server.url}/learn/{lesson}")
        page.wait_for_function(READY)
        assert all(text == "" for text in page.locator(".figure-error").all_inner_texts())
    expect(page.locator(".lesson-nav a[href='/learn/inside']")).to_be_visible()


def test_the_hub_marks_the_lessons_that_were_read_to_their_end(page: Page, pad_server: Server) -> None:
    page.goto(f"{pad_server.url}/learn/3")
    figure(page, "activations")
    page.goto(f"{pad_server.url}/learn")
    expect(page.locator("[data-lesson]")).to_have_count(8)
    expect(page.locator("[data-read]")).to_have_count(0)  # its end was not in sight
    page.goto(f"{pad_server.url}/learn/3")
    figure(page, "activations")
    page.locator(".lesson-nav").scroll_into_view_if_needed()
    until(lambda: page.evaluate("localStorage.getItem('digitpad.lessons-read')"))
    page.goto(f"{pad_server.url}/learn")
    expect(page.locator("[data-read]")).to_have_attribute("data-lesson", "activation")
    expect(page.get_by_role("link", name=re.compile("^Activation.* read$"))).to_be_visible()


@pytest.mark.parametrize(
    ("lesson", "name", "result"),
    [(1, "row", "pixel"), (2, "w1", "sum"), (4, "probability", "cross_entropy"), (5, "sgd", "sgd-height")],
)
def test_a_number_in_a_sentence_is_dragged_and_the_figure_follows(
    page: Page, pad_server: Server, lesson: int, name: str, result: str
) -> None:
    page.goto(f"{pad_server.url}/learn/{lesson}")
    page.locator(".lesson-figure [data-figure][aria-busy=false]").wait_for()
    dragged, said = page.locator(f"[data-number={name}]"), page.locator(f"[data-result={result}]")
    before, computed = dragged.inner_text(), said.inner_text()
    assert computed != "…"
    dragged.scroll_into_view_if_needed()
    box = dragged.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 - 40, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    expect(dragged).not_to_have_text(before)
    until(lambda: said.inner_text() != computed)
    for _ in range(8):  # as many steps as the drag had
        dragged.press("ArrowRight")
    expect(dragged).to_have_text(before)
    expect(said).to_have_text(computed)


def test_the_sentence_says_what_the_engine_computes(page: Page, pad_server: Server) -> None:
    page.goto(f"{pad_server.url}/learn/2")
    figure(page, "unit")
    page.locator("[data-number=x1]").press("End")
    found = asked(pad_server, "unit", x1=3, x2=0.5, w1=0.8, w2=-0.6, b=-0.2, activation="sigmoid")
    says(page.locator("[data-result=sum]"), found["sum"])
    says(page.locator("[data-result=output]"), found["output"])
    expect(page.get_by_label("input x₁").first).to_have_value("3")


def test_a_question_says_what_is_right_once_it_is_answered(page: Page, pad_server: Server) -> None:
    page.goto(f"{pad_server.url}/learn/5")
    asked_first = page.locator(".question")
    asked_first.get_by_text("along the valley").click()
    expect(asked_first.locator(".question-verdict")).to_have_text("Not that one: choose another, or see below.")
    expect(asked_first.locator(".question-why")).to_be_hidden()
    asked_first.get_by_text("across the valley, to").click()
    expect(asked_first.locator(".question-verdict")).to_have_text("Yes.")
    expect(asked_first.locator(".question-why")).to_contain_text("The slope knows only the place")
