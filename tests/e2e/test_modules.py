"""The scripts' pure functions, run in a real browser."""

import re

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def call(browser, tmp_path_factory):
    """`call(module, expression)`: the value of an expression in which `m` is a module of static/js."""
    from tests.serving import serve

    with serve(tmp_path_factory.mktemp("modules")) as server:
        page = browser.new_page()
        page.goto(server.url)
        folder = re.match(r"(.*/js/)", page.locator("script[type=module]").get_attribute("src"))[1]

        def evaluate(module, expression):
            return page.evaluate(f"import('{folder}{module}.js').then((m) => {expression})")

        yield evaluate
        page.close()


def test_smooth_keeps_both_ends_rounds_corners_and_takes_any_number_of_points(call):
    assert call("strokes", "m.smooth([])") == []
    assert call("strokes", "m.smooth([[3, 4]])") == [[3, 4]]
    assert call("strokes", "m.smooth([[0, 0], [10, 0]])") in ([[0, 0], [10, 0]], [[0, 0], [5, 0], [10, 0]])
    line = call("strokes", "m.smooth([[0, 0], [100, 0], [100, 100]])")
    assert (line[0], line[-1]) == ([0, 0], [100, 100])
    assert [100, 0] not in line
    assert len(line) > 5
    assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in line)


def test_a_drawing_of_too_many_points_is_thinned_and_keeps_its_ends(call):
    lines = "[Array.from({length: 30001}, (_, i) => [i, 0]), [[1, 1], [2, 2]]]"
    thin = call("strokes", f"m.thinned({lines})")
    assert 5000 < sum(map(len, thin)) <= 10_000
    assert (thin[0][0], thin[0][-1], thin[1]) == ([0, 0], [30000, 0], [[1, 1], [2, 2]])
    assert call("strokes", "m.thinned([[[1, 2]]])") == [[[1, 2]]]


def test_a_place_on_the_screen_becomes_a_point_whatever_the_screen_s_size(call):
    box = "{left: 10, top: 20, width: 250, height: 250}"
    assert call("strokes", f"m.toSquare(135, 145, {box})") == [250, 250]
    assert call("strokes", f"m.toSquare(-500, 5000, {box})") == [0, 500]


def test_history_undoes_and_redoes_and_forgets_what_was_replaced(call):
    steps = "let h = m.begin(0); h = m.commit(h, 1); h = m.commit(h, 2); h = m.undo(h);"
    assert call("history", f"{{ {steps} return [h.present, m.canUndo(h), m.canRedo(h)]; }}") == [1, True, True]
    assert call("history", f"{{ {steps} h = m.redo(h); return [h.present, m.canRedo(h)]; }}") == [2, False]
    assert call("history", f"{{ {steps} h = m.commit(h, 9); return [h.present, m.canRedo(h)]; }}") == [9, False]
    assert call("history", "m.undo(m.begin(7)).present") == 7


@pytest.mark.parametrize(
    ("probabilities", "words"),
    [
        ({"3": 0.97, "5": 0.03}, "This is a 3."),
        ({"8": 0.97, "5": 0.03}, "This is an 8."),
        ({"4": 0.55, "9": 0.4, "1": 0.05}, "A 4, or perhaps a 9."),
    ],
)
def test_the_sentence_says_how_sure_it_is(call, probabilities, words):
    assert call("verdict", f"m.sentence(m.judge({probabilities})).flat().join('')") == words


def test_only_the_whole_is_a_hundred_percent(call):
    assert [call("format", f"m.percent({value})") for value in (1, 0.99999, 0.974, 0, "NaN", "null")] == [
        *("100.0 %", "99.9 %", "97.4 %", "0.0 %", "–", "–")
    ]


def test_hidden_layers_are_read_and_rebuilt_in_the_recipe_s_pattern(call):
    assert call("hidden-layers", "m.parseSizes(' 128,64 ')") == [128, 64]
    assert call("hidden-layers", "m.parseSizes('')") == []
    layers = "[{type: 'dense', units: 9}, {type: 'relu'}, {type: 'dropout', rate: 0.2}, {type: 'dense', units: 10}]"
    rebuilt = call("hidden-layers", f"m.withHiddenSizes({layers}, [5, 6])")
    assert [layer.get("units", layer["type"]) for layer in rebuilt] == [5, "relu", "dropout", 6, "relu", "dropout", 10]
    assert [layer["type"] for layer in call("hidden-layers", f"m.withHiddenSizes({layers}, [])")] == ["dense"]


def test_only_what_was_changed_is_sent(call):
    base = "{epochs: 5, optimizer: {type: 'adam', learning_rate: 0.1}, network: {layers: [1]}}"
    wanted = "{epochs: 5, optimizer: {type: 'adam', learning_rate: 0.2}, network: {layers: [1, 2]}}"
    assert call("overrides", f"m.differences({base}, {wanted})") == {
        "optimizer": {"learning_rate": 0.2},
        "network": {"layers": [1, 2]},
    }


def test_pauses_grow_to_a_limit(call):
    pauses = call("backoff", "[0, 1, 2, 3, 10, 99].map((attempt) => m.pauseSeconds(attempt, () => 0.5))")
    assert pauses == sorted(pauses)
    assert pauses[0] == 0.5
    assert pauses[-1] == 10


def test_a_csv_has_a_line_for_each_epoch_and_leaves_the_unknown_empty(call):
    text = call("csv", "m.toCsv([{epoch: 1, train_loss: 0.5, val_loss: null}])")
    head, line, end = text.split("\r\n")
    assert head.startswith("epoch,")
    values = dict(zip(head.split(","), line.split(","), strict=True))
    assert (values["epoch"], values["train_loss"], values["val_loss"], end) == ("1", "0.5", "", "")
