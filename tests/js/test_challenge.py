"""The rules of the challenges, a label from five examples, and the clock, in a real browser."""

import json
from collections import Counter

import pytest

from app.models.formats import html
from app.settings import PROJECT

pytestmark = pytest.mark.browser

DIGITS = list("0123456789")
FEATURES = {"mine": [1, 0, 0.1], "near": [0.95, 0, 0.3], "far": [0, 1, 0]}


@pytest.fixture(scope="module")
def run(browser):
    """`run(expression)`: its value; `rules`, `few` and `clocks` are the modules, `seeded()` is random."""
    page = browser.new_page()
    names = {"rules": "challenge/rules", "few": "challenge/few-shot", "clocks": "challenge/clock"}
    bundled = "\n".join(html.bundle_scripts(PROJECT / "static" / "js", entry) for entry in names.values())
    page.add_script_tag(content=bundled)
    given = "".join(f"const {name} = {html.scope_of(entry)};" for name, entry in names.items())
    given += "let seed = 7; const seeded = () => (seed = (seed * 16807) % 2147483647) / 2147483647;"
    yield lambda expression: page.evaluate(f"async () => {{ {given} return {expression}; }}")
    page.close()


def answer(label, probabilities, **more):
    return {"label": label, "probabilities": probabilities, "is_digit": True, "blank": False, **more}


def test_a_drawing_is_read_where_the_answer_is_known_and_sure(run):
    for said, expected in [
        (answer("4", {"4": 0.6, "9": 0.4}), True),
        (answer("4", {"4": 0.45, "9": 0.4}), False),
        (answer("9", {"4": 0.4, "9": 0.6}), False),
        (answer("4", {"4": 0.99, "9": 0.01}, is_digit=False), False),
    ]:
        assert run(f"rules.isReadAs({json.dumps(said)}, '4')") is expected
    assert run(f"rules.isReadAs({json.dumps(answer('4', {'4': 0.79}))}, '4', rules.SURE)") is False


def test_every_label_is_asked_for_before_one_comes_again(run):
    assert sorted(run(f"rules.drawn({DIGITS}, 10, seeded)")) == DIGITS
    assert sorted(Counter(run("rules.drawn(['a', 'b', 'c'], 7, seeded)")).values()) == [2, 2, 3]
    assert len(set(run("rules.drawn(Array.from({ length: 256 }, (_, i) => i), 10, seeded)"))) == 10
    assert run(f"rules.drawn({DIGITS}, 10, seeded)") != run(f"rules.drawn({DIGITS}, 10)")


def test_an_early_reading_brings_more_points(run):
    assert run("[20, 10, 0].map((left) => rules.readPoints(left, 20))") == [100, 75, 50]
    assert run("rules.readPoints(null, null)") == 50


def test_fooling_brings_a_point_less_for_each_percent_of_ink_that_was_added(run):
    stroke = "{ line: [[0, 0], [30, 40], [30, 90]], width: 30 }"
    assert run(f"rules.inkOf([{stroke}, {{ line: [[5, 5]], width: 30 }}])") == 100 + 30
    assert run("[0, 25, 100, 300].map((added) => rules.foolPoints(100, added))") == [100, 75, 10, 10]


def test_a_pair_to_fool_with_has_two_labels_and_the_first_is_a_4_taken_for_a_9(run):
    pairs = run(f"rules.foolingPairs({DIGITS}, 5, null, seeded)")
    assert pairs[0] == ["4", "9"]
    assert len({tuple(pair) for pair in pairs}) == 5
    for labels in (["○", "×"], [f"word {i}" for i in range(256)], ["7", "x"]):
        pairs = run(f"rules.foolingPairs({json.dumps(labels)}, 5, null, seeded)")
        assert len(pairs) == 5
        assert all(one in labels and other in labels and one != other for one, other in pairs)


def test_symbols_are_paired_with_those_that_a_little_ink_makes_of_them(run):
    # c is b and a little more, a has nothing in common with either
    means = "Float32Array.from([1, 1, 0, 0, 0, 0,  0, 0, 1, 1, 0, 0,  0, 0, 1, 1, 0.5, 0])"
    pairs = run(f"rules.foolingPairs(['a', 'b', 'c'], 1, {means}, seeded)")
    assert pairs == [["b", "c"]]


def test_a_match_ends_where_nobody_can_catch_up(run):
    assert run("rules.isDecided([5, 0], 5)") is False
    assert run("rules.isDecided([6, 0], 6)") is True
    assert run("rules.isDecided([5, 5], 10)") is True
    assert run("rules.isDecided([4, 3], 9)") is False


def learn(run, probabilities, asked, said, *, own="mine"):
    """What is made of an answer after five examples of a 7 with these probabilities."""
    one = {"answer": answer("2", probabilities), "features": FEATURES[own]}
    given = json.dumps([one] * 5)
    return run(f"few.learnLabel('7', {given}).read({json.dumps(said)}, {FEATURES[asked]})")


def test_five_examples_teach_a_label_and_leave_the_others(run):
    wrong = {"2": 0.9, "7": 0.01, "1": 0.09}
    assert learn(run, wrong, "mine", answer("2", wrong))["label"] == "7"
    far = learn(run, wrong, "far", answer("2", wrong))
    assert far["label"] == "2"
    assert far["probabilities"]["2"] == pytest.approx(0.9, abs=1e-6)
    assert sum(far["probabilities"].values()) == pytest.approx(1)


def test_examples_that_the_network_reads_by_itself_change_nothing(run):
    right = {"2": 0.05, "7": 0.9, "1": 0.05}
    found = learn(run, right, "near", answer("2", {"2": 0.9, "7": 0.1, "1": 0.0}))
    assert (found["label"], found["probabilities"]["2"]) == ("2", pytest.approx(0.9))


def test_a_sign_that_the_network_does_not_know_is_known_by_the_examples(run):
    wrong = {"2": 0.9, "7": 0.01, "1": 0.09}
    strange = answer("2", wrong, is_digit=False)
    assert learn(run, wrong, "mine", strange)["is_digit"] is True
    assert learn(run, wrong, "far", strange)["is_digit"] is False
    assert learn(run, wrong, "mine", answer(None, wrong, blank=True))["label"] is None


def test_features_without_any_activity_are_far_from_all(run):
    assert run("few.cosineDistance([0, 0], [1, 0])") == 1
    assert run("few.cosineDistance([2, 0], [1, 0])") == pytest.approx(0)


def test_the_clock_stands_while_the_page_is_hidden(browser):
    page = browser.new_page()
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.add_script_tag(content=html.bundle_scripts(PROJECT / "static" / "js", "challenge/clock"))
    page.evaluate(
        """() => {
          window.hidden = false;
          Object.defineProperty(document, "hidden", { get: () => window.hidden });
          window.hide = (hidden) => { window.hidden = hidden; document.dispatchEvent(new Event("visibilitychange")); };
          window.ends = 0;
          window.own = module_challenge_clock.createClock(() => {});
          window.own.start(20, () => { window.ends += 1; });
        }"""
    )
    page.clock.run_for(5000)
    assert page.evaluate("window.own.left()") == pytest.approx(15)
    page.evaluate("window.hide(true)")
    page.clock.run_for(60_000)
    assert page.evaluate("[window.own.left(), window.ends]") == [pytest.approx(15), 0]
    page.evaluate("window.hide(false)")
    page.clock.run_for(14_000)
    assert page.evaluate("window.ends") == 0
    page.clock.run_for(2_000)
    assert page.evaluate("window.ends") == 1
    page.evaluate("window.own.start(null, () => { window.ends += 1; })")
    page.clock.run_for(600_000)
    assert page.evaluate("[window.own.left(), window.ends]") == [None, 1]
    page.evaluate("window.own.start(1, () => { window.ends += 1; }); window.own.stop()")
    page.clock.run_for(5_000)
    assert page.evaluate("window.ends") == 1
    page.close()
