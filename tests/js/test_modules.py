"""The scripts' pure functions, run in a real browser."""

import io
import json
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from app.recipes import get_recipe

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def call(browser, pad_server):
    """`call(module, expression)`: the value of an expression in which `m` is a module of static/js."""
    page = browser.new_page()
    page.goto(f"{pad_server.url}/compare")  # which has the names of everything
    folder = re.match(r"(.*/js/)", page.locator("script[type=module]").first.get_attribute("src"))[1]

    def evaluate(module, expression):
        return page.evaluate(f"import('{folder}{module}.js').then((m) => {expression})")

    yield evaluate
    page.close()


def test_smooth_keeps_both_ends_rounds_corners_and_takes_any_number_of_points(call):
    assert call("drawing/strokes", "m.smooth([])") == []
    assert call("drawing/strokes", "m.smooth([[3, 4]])") == [[3, 4]]
    assert call("drawing/strokes", "m.smooth([[0, 0], [10, 0]])") in ([[0, 0], [10, 0]], [[0, 0], [5, 0], [10, 0]])
    line = call("drawing/strokes", "m.smooth([[0, 0], [100, 0], [100, 100]])")
    assert (line[0], line[-1]) == ([0, 0], [100, 100])
    assert [100, 0] not in line
    assert len(line) > 5
    assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in line)


def test_a_drawing_of_too_many_points_is_thinned_and_keeps_its_ends(call):
    lines = "[Array.from({length: 30001}, (_, i) => [i, 0]), [[1, 1], [2, 2]]]"
    thin = call("drawing/strokes", f"m.thinned({lines})")
    assert 5000 < sum(map(len, thin)) <= 10_000
    assert (thin[0][0], thin[0][-1], thin[1]) == ([0, 0], [30000, 0], [[1, 1], [2, 2]])
    assert call("drawing/strokes", "m.thinned([[[1, 2]]])") == [[[1, 2]]]


def test_a_place_on_the_screen_becomes_a_point_whatever_the_screen_s_size(call):
    box = "{left: 10, top: 20, width: 250, height: 250}"
    assert call("drawing/strokes", f"m.toSquare(135, 145, {box})") == [250, 250]
    assert call("drawing/strokes", f"m.toSquare(-500, 5000, {box})") == [0, 500]


def test_history_undoes_and_redoes_and_forgets_what_was_replaced(call):
    steps = "let h = m.begin(0); h = m.commit(h, 1); h = m.commit(h, 2); h = m.undo(h);"
    assert call("drawing/history", f"{{ {steps} return [h.present, m.canUndo(h), m.canRedo(h)]; }}") == [1, True, True]
    assert call("drawing/history", f"{{ {steps} h = m.redo(h); return [h.present, m.canRedo(h)]; }}") == [2, False]
    assert call("drawing/history", f"{{ {steps} h = m.commit(h, 9); return [h.present, m.canRedo(h)]; }}") == [9, False]
    assert call("drawing/history", "m.undo(m.begin(7)).present") == 7


@pytest.mark.parametrize(
    ("probabilities", "words"),
    [
        ({"3": 0.97, "5": 0.03}, "This is a 3."),
        ({"8": 0.97, "5": 0.03}, "This is an 8."),
        ({"4": 0.55, "9": 0.4, "1": 0.05}, "A 4, or perhaps a 9."),
    ],
)
def test_the_sentence_says_how_sure_it_is(call, probabilities, words):
    assert call("prediction/describe", f"m.sentence(m.judge({probabilities})).flat().join('')") == words


def test_only_the_whole_is_a_hundred_percent(call):
    assert [call("i18n/format", f"m.percent({value})") for value in (1, 0.99999, 0.974, 0, "NaN", "null")] == [
        *("100.0 %", "99.9 %", "97.4 %", "0.0 %", "–", "–")
    ]


def test_hidden_layers_are_read_and_rebuilt_in_the_recipe_s_pattern(call):
    bounds = "{mostLayers: 3, mostUnits: 128}"
    assert call("pages/train/hidden-layers", f"m.parseSizes(' 128,64 ', {bounds})") == [128, 64]
    assert call("pages/train/hidden-layers", f"m.parseSizes('', {bounds})") == []
    layers = "[{type: 'dense', units: 9}, {type: 'relu'}, {type: 'dropout', rate: 0.2}, {type: 'dense', units: 10}]"
    rebuilt = call("pages/train/hidden-layers", f"m.withHiddenSizes({layers}, [5, 6])")
    assert [layer.get("units", layer["type"]) for layer in rebuilt] == [5, "relu", "dropout", 6, "relu", "dropout", 10]
    assert [layer["type"] for layer in call("pages/train/hidden-layers", f"m.withHiddenSizes({layers}, [])")] == [
        "dense"
    ]


def test_pauses_grow_to_a_limit(call):
    pauses = call("api/retry", "[0, 1, 2, 3, 10, 99].map((attempt) => m.pauseSeconds(attempt, () => 0.5))")
    assert pauses == sorted(pauses)
    assert pauses[0] == 0.5
    assert pauses[-1] == 10


def test_a_csv_has_a_line_for_each_epoch_and_leaves_the_unknown_empty(call):
    text = call("runs/csv", "m.toCsv([{epoch: 1, train_loss: 0.5, val_loss: null}])")
    head, line, end = text.split("\r\n")
    assert head.startswith("epoch,")
    values = dict(zip(head.split(","), line.split(","), strict=True))
    assert (values["epoch"], values["train_loss"], values["val_loss"], end) == ("1", "0.5", "", "")
    layer = "{epoch: 1, yours: {loss: 2, accuracy: 0.5, count: 4}, layers: [{name: '1 dense', gradient_norm: 3}]}"
    head, line, _ = call("runs/csv", f"m.toCsv([{layer}])").split("\r\n")
    values = dict(zip(head.split(","), line.split(","), strict=True))
    assert (values["yours_accuracy"], values["1 dense gradient_norm"]) == ("0.5", "3")


def test_a_config_without_a_learning_rate_shows_that_of_its_optimizer(call):
    config = get_recipe("quick").config
    config = json.dumps({"recipe": None, "schedule": {"type": "constant"}, **config, "optimizer": {"type": "adam"}})
    terms = dict(call("runs/config-list", f"m.configTerms({config}, [])"))
    assert terms["Learning rate"] == "0.001"


def test_a_pen_s_pressure_runs_along_the_line_and_is_not_sent(call):
    line = call("drawing/strokes", "m.smooth([[0, 0, 0], [100, 0, 0.5], [100, 100, 1]])")
    assert all(len(point) == 3 for point in line)
    pressures = [pressure for *_, pressure in line]
    assert (pressures, pressures[0], pressures[-1]) == (sorted(pressures), 0, 1)
    assert call("drawing/strokes", "m.asSent([[[1, 2, 0.5], [3, 4, 1]]])") == [[[1, 2], [3, 4]]]
    widths = call("drawing/render", "[undefined, 0, 0.5, 1].map((pressure) => m.pressed(30, pressure))")
    assert widths == [30, 12, 30, 48]


def test_the_eraser_takes_what_it_crosses_and_leaves_what_it_passes(call):
    lines = ("[[0, 50], [100, 50]]", "[[200, 200]]", "[[0, 400], [400, 400]]")
    strokes = f"[{', '.join(f'{{line: {line}, width: 10}}' for line in lines)}]"
    assert (
        call("drawing/eraser", f"m.untouched({strokes}, [50, 0], [50, 100], 5).length") == 2
    )  # across, points far apart
    assert (
        call("drawing/eraser", f"m.untouched({strokes}, [190, 190], [190, 190], 10).length") == 2
    )  # a dot, from beside it
    assert (
        call("drawing/eraser", f"m.untouched({strokes}, [50, 65], [90, 65], 5).length") == 3
    )  # alongside, just too far
    assert call(
        "drawing/eraser", f"{{ const all = {strokes}; return m.untouched(all, [300, 300], [300, 310], 5) === all; }}"
    )
    assert call("drawing/eraser", "m.gap([0, 0], [10, 0], [0, 3], [10, 3])") == 3
    assert call("drawing/eraser", "m.gap([0, 0], [10, 0], [5, -5], [5, 5])") == 0


def test_a_drawing_is_packed_and_unpacked_and_rubbish_is_not_taken_for_one(call):
    drawing = "{strokes: [{line: [[1, 2], [3, 4]], width: 30, points: []}], picture: null}"
    assert call("drawing/drawing", f"m.unpacked(m.pack({drawing}))") == {
        "strokes": [{"line": [[1, 2], [3, 4]], "width": 30}]
    }
    for rubbish in ("null", "7", "[]", "{strokes: [[]]}", "{strokes: [{line: [], width: 1}]}", "{picture: 'http://x'}"):
        assert call("drawing/drawing", f"m.unpacked({rubbish})") is None, rubbish
    for point in ("[1]", "[1, NaN]", "[1, '2']", "[1, 2, 3, 4]"):
        assert call("drawing/drawing", f"m.unpacked({{strokes: [{{line: [{point}], width: 1}}]}})") is None, point


def test_boxes_lie_around_the_ink_on_the_pad(call):
    strokes = "{strokes: [{line: [[100, 100]], width: 20}], picture: null}"
    assert call("drawing/drawing", f"m.boxOnPad([100, 100, 50, 60], {strokes})") == [90, 90, 70, 80]
    wide = "{strokes: [], picture: {width: 952, height: 476}}"
    assert call("drawing/drawing", f"m.boxOnPad([0, 0, 952, 476], {wide})") == [12, 131, 476, 238]
    parts = "m.linesIn([[[10, 10], [20, 20]], [[200, 10], [210, 20]], [[15, 15], [205, 15]]], [9.5, 9.5, 11, 11])"
    assert call("drawing/drawing", parts) == [[[10, 10], [20, 20]]]


def test_arrows_move_the_keyboard_s_pen_within_the_pad(call):
    assert call("drawing/keyboard-input", "m.moved([250, 250], 'ArrowDown', false)") == [250, 270]
    assert call("drawing/keyboard-input", "m.moved([250, 250], 'ArrowLeft', true)") == [245, 250]
    assert call("drawing/keyboard-input", "m.moved([495, 0], 'ArrowRight', false)") == [500, 0]
    assert call("drawing/keyboard-input", "m.moved([250, 250], 'a', false)") is None


def test_pictures_are_known_by_their_bytes_and_brought_under_the_limits(call):
    kinds = call("drawing/image-file", "[[0x89, 0x50, 0x4e, 0x47], [0xff, 0xd8, 0xff], [0x47, 0x49], []].map(m.kindOf)")
    assert kinds == ["image/png", "image/jpeg", None, None]
    assert call("drawing/image-file", "m.within(100, 50, 20e6)") == [100, 50]
    width, height = call("drawing/image-file", "m.within(10000, 5000, 20e6)")
    assert width * height <= 20e6
    assert width / height == pytest.approx(2, rel=1e-3)
    assert call("drawing/image-file", "m.within(1e9, 1, 20e6)")[1] == 1
    assert call("drawing/image-file", "m.MOST_BYTES * 4 / 3") < 8 * 2**20


def test_the_strip_keeps_each_drawing_once_the_newest_first_within_its_bounds(call):
    assert call("drawing/recent-drawings", "m.remembered([{a: 1}, {a: 2}], {a: 3})") == [{"a": 3}, {"a": 1}, {"a": 2}]
    assert call("drawing/recent-drawings", "m.remembered([{a: 1}, {a: 2}], {a: 2})") == [{"a": 2}, {"a": 1}]
    assert call("drawing/recent-drawings", "m.remembered([{a: 1}, {a: 2}], {a: 3}, 2)") == [{"a": 3}, {"a": 1}]
    assert call("drawing/recent-drawings", "m.remembered([{a: 1}, {a: 2}], {a: 3}, 9, 15)") == [{"a": 3}, {"a": 1}]


PROBABILITIES = {"3": 0.9, "8": 0.1}


def part(label, is_digit=True):
    return {"label": label, "probabilities": {**PROBABILITIES, label: 0.9}, "is_digit": is_digit, "box": [0, 0, 1, 1]}


@pytest.mark.parametrize(
    ("answer", "labels", "sentence", "winner", "spoken"),
    [
        ({"probabilities": PROBABILITIES}, ["3", "8"], "This is a 3.", "3", "This is a 3. 90.0 % sure."),
        (
            {"probabilities": PROBABILITIES, "is_digit": False},
            ["3", "8"],
            "That does not look like a digit to me.",
            None,
            "That does not look like a digit to me. Closest: 3.",
        ),
        (
            {"probabilities": {"cat": 1}, "is_digit": False},
            ["cat"],
            "That does not look like one of its symbols to me.",
            None,
            "That does not look like one of its symbols to me. Closest: cat.",
        ),
        (
            {
                "probabilities": PROBABILITIES,
                "is_digit": False,
                "digits": [part("3"), part("3", False)],
                "reading": "3?",
            },
            ["3", "8"],
            "This reads 3?.",
            "3",
            "This reads 3 ?. One part does not look like a digit to me.",
        ),
        (
            {"probabilities": PROBABILITIES, "digits": [part("3")]},
            ["3", "8"],
            "This is a 3.",
            "3",
            "This is a 3. 90.0 % sure.",
        ),
    ],
    ids=["known", "no digit", "no symbol", "several", "one part"],
)
def test_an_answer_is_put_into_words(call, answer, labels, sentence, winner, spoken):
    view = call("prediction/describe", f"m.describe({json.dumps(answer)}, {labels})")
    words = "".join(text if isinstance(text, str) else text[0] for text in view["sentence"])
    assert (words, view["winner"], view["spoken"]) == (sentence, winner, spoken)


def test_the_doctor_says_by_how_much_a_step_changes_the_answer(call):
    asked = "{label: '3', probabilities: {3: 0.97, 8: 0.02}}"
    same = "{label: '3', probabilities: {3: 0.9, 8: 0.1}}"
    other = "{label: '8', probabilities: {3: 0.2, 8: 0.8}, is_digit: false}"
    assert call("pages/pad/diagnosis", f"m.changeText({asked}, {same})") == "a 3, 90.0 % (−7.0)"
    assert call("pages/pad/diagnosis", f"m.changeText({asked}, {other})") == "an 8, 80.0 %, but unclear (3: −77.0)"
    blank = "{label: null, probabilities: {3: 0.5, 8: 0.5}}"
    assert call("pages/pad/diagnosis", f"m.changeText({asked}, {blank})") == "nothing is left to read"
    assert call("i18n/format", "[m.asSentence('the stroke is thin'), m.asSentence('Wide.')]") == [
        "The stroke is thin.",
        "Wide.",
    ]


def test_programs_quote_what_they_carry(call):
    url = "http://x/predict?model=it's"
    programs = call("pages/pad/copy-code", f"m.snippets({json.dumps(url)}, {{image: 'data:x'}})")
    assert set(programs) == set(call("pages/pad/copy-code", "m.LANGUAGES"))
    assert "'http://x/predict?model=it'\\''s'" in programs["curl"]
    for language in ("python", "javascript"):
        assert '"http://x/predict?model=it\'s"' in programs[language]
    comments = [line for line in programs["javascript"].splitlines() if line.startswith("//")]
    assert "DIGITPAD_ALLOWED_ORIGINS" in comments[-1]
    assert all("DIGITPAD" not in programs[language] for language in ("curl", "python"))


def test_keys_are_told_apart(call):
    control = ("key: 'z'", "key: 'Z', shiftKey: true", "key: 'y'")
    keys = [*(f"{{{key}, ctrlKey: true}}" for key in control), "{key: 'Escape'}", "{key: 'z'}"]
    assert call("drawing/toolbar", f"[{', '.join(keys)}].map(m.shortcut)") == ["undo", "redo", "redo", "clear", None]


RUN = {
    "id": 1,
    "state": "running",
    "config": {"epochs": 5, "dataset": "strokes"},
    "progress": None,
    "attempt": 1,
    "created": "2026-01-01T00:00:00Z",
    "started": None,
    "ended": None,
    "error": None,
    "model": None,
    "pause_requested": False,
    "cancel_requested": False,
    "checkpoint": None,
    "last_seq": 3,
    "test_accuracy": None,
}


def record_after(call, expression, *messages, run=RUN):
    """`expression` of the record `r` of a run after messages of its stream."""
    heard = f"{json.dumps(messages)}.reduce(m.withMessage, m.recordOf({json.dumps(run)}))"
    return call("runs/run-state", f"{{ const r = {heard}; return {expression}; }}")


def event(seq, kind, **data):
    return {"seq": seq, "run": 1, "type": kind, "time": "2026-01-01T00:00:01Z", "data": data}


def row(**changed):
    return {"type": "run", "run": {**RUN, **changed}}


def test_events_add_numbers_and_the_row_alone_tells_the_state(call):
    hello = {"type": "hello", "log": "a", "last_seq": 3, "run": {**RUN, "state": "queued"}}
    told = (hello, event(1, "queued"), event(2, "started", parameters=7), event(3, "epoch", epoch=1))
    assert record_after(call, "[r.state, r.parameters, r.epochs.length]", *told) == ["queued", 7, 1]
    assert record_after(call, "r.state", *told, event(4, "failed"), event(5, "succeeded")) == "queued"
    now = row(state="running", attempt=2, pause_requested=True)
    seen = "[r.state, r.attempt, r.pauseRequested, r.epochs.length]"
    assert record_after(call, seen, *told, now) == ["running", 2, True, 1]
    assert record_after(call, seen, *told, now, row(state="queued", attempt=2)) == ["queued", 2, False, 1]
    assert record_after(call, "m.forgetEvents(r).epochs.length", *told) == 0


def test_the_losses_of_batches_come_from_the_log_and_the_progress_and_are_not_doubled(call):
    first = event(1, "epoch", epoch=1, batch_losses=[2.0, 1.0])
    at_hand = {"phase": "training", "epoch": 2, "batch_losses": [0.5], "batch_losses_expected": 2}
    assert record_after(call, "m.batchLosses(r)", first, row(progress=at_hand)) == {
        "x": [0.5, 1, 1.5],
        "y": [2, 1, 0.5],
    }
    both = (row(progress=at_hand), first, event(2, "epoch", epoch=2, batch_losses=[0.5, 0.4]))
    assert record_after(call, "m.batchLosses(r)", *both)["x"] == [0.5, 1, 1.5, 2]
    assert record_after(call, "m.batchLosses(r)", event(1, "epoch", epoch=1), row(progress={"phase": "loading"})) == {
        "x": [],
        "y": [],
    }


def test_what_a_run_waits_for_is_forgotten_with_the_connection(call):
    fault = {"type": "queue", "fault": "the disk is full", "ahead": []}
    hello = {"type": "hello", "log": "a", "last_seq": 3, "run": RUN}
    assert record_after(call, "r.fault", fault) == "the disk is full"
    assert record_after(call, "r.fault", fault, {"type": "queue", "fault": None, "ahead": []}) is None
    assert record_after(call, "r.fault", fault, hello) is None


def test_a_paused_run_says_where_it_is_and_keeps_its_bar(call):
    training = {"phase": "training", "epoch": 3, "epochs": 5, "batch": 118, "batches": 600}
    training["attempt"] = 1
    paused = (row(progress=training), event(1, "paused", epoch=2, batch=120), row(state="paused", progress=training))
    assert record_after(call, "m.fractionDone(r)", *paused) == pytest.approx((2 + 120 / 600) / 5)
    assert record_after(call, "m.place(r)", *paused) == {"epoch": 3, "batch": 120, "batches": 600}
    resumed = (*paused, row(state="running", attempt=2, progress=training))
    assert record_after(call, "m.place(r).batch", *resumed) == 120  # until the next attempt says where it is
    further = {"type": "progress", "data": {**training, "attempt": 2, "batch": 130}}
    assert record_after(call, "m.place(r).batch", *resumed, further) == 130
    for data, words in (
        ({"epoch": 2, "batch": 120}, "Paused in epoch 3, batch 120 of 600."),
        ({"epoch": 2, "batch": 0}, "Paused after epoch 2 of 5."),
        ({"epoch": 0, "batch": 0}, "Paused before it began."),
    ):
        run = json.dumps({**RUN, "state": "paused"} | {"stopped": data, "progress": training, "epochs": []})
        assert call("runs/text", f"m.progressLine({run})") == words
    for ahead, words in (
        ([], "Waiting for its turn."),
        ([12], "Waiting for run 12."),
        ([12, 3, 4], "Waiting for run 12 and 2 more."),
    ):
        waiting = json.dumps({**RUN, "state": "queued"} | {"stopped": None, "epochs": [], "ahead": ahead})
        assert call("runs/text", f"m.progressLine({waiting})") == words


@pytest.mark.parametrize(
    ("run", "buttons"),
    [
        ({"state": "queued"}, {"Pause", "Cancel"}),
        ({"state": "running"}, {"Pause", "Cancel"}),
        ({"state": "running", "pauseRequested": True}, {"Pausing …", "Cancel"}),
        ({"state": "paused"}, {"Resume", "Cancel"}),
        ({"state": "paused", "cancelRequested": True}, {"Resume", "Cancelling …"}),
        ({"state": "failed"}, {"Repeat"}),
        ({"state": "failed", "checkpoint": "1.3"}, {"Repeat", "Resume from checkpoint"}),
        ({"state": "failed", "checkpoint": "1.3", "reason": "diverged"}, {"Repeat", "Try with learning rate 0.05"}),
        ({"state": "cancelled", "checkpoint": "1.3"}, {"Repeat", "Continue training"}),
        (
            {"state": "succeeded", "checkpoint": "1.3", "model": "a-1"},
            {"Repeat", "Continue training", "Fine-tune this model"},
        ),
    ],
)
def test_a_run_offers_what_makes_sense_in_its_state(call, run, buttons):
    config = {"dataset": "strokes", "optimizer": {"type": "sgd", "learning_rate": 0.5}}
    known = {"config": config, "model": None, "checkpoint": None, "reason": None}
    record = {"pauseRequested": False, "cancelRequested": False, **known, **run}
    offered = call("runs/actions", f"m.choices({json.dumps(record)})")
    assert {text for text in offered.values() if isinstance(text, str)} == buttons
    assert offered["useModel"] is (run.get("model") is not None)


def test_a_wish_on_its_way_keeps_its_button_from_being_pressed_again(call):
    record = (
        "{state: 'running', pauseRequested: false, cancelRequested: false, config: {}, model: null, checkpoint: null}"
    )
    assert call("runs/actions", f"m.choices({record}, 'pause')")["busy"] == {"pause": True, "cancel": True}
    assert call("runs/actions", f"m.choices({record}, 'pause').pause") == "Pausing …"
    assert call("runs/actions", f"m.choices({record})")["busy"] == {"pause": False, "cancel": False}


def test_as_many_epochs_are_offered_as_were_left_or_as_there_were(call):
    config = "config: {epochs: 10}"
    cancelled = f"{{state: 'cancelled', {config}, epochs: [{{epoch: 1}}, {{epoch: 2}}, {{epoch: 3}}]}}"
    gone_on = f"{{state: 'succeeded', {config}, epochs: [{{epoch: 8}}, {{epoch: 9}}, {{epoch: 10}}]}}"
    assert call("runs/actions", f"m.epochsToOffer({cancelled})") == 7
    assert call("runs/actions", f"m.epochsToOffer({gone_on})") == 3


RECIPE = {
    "name": "tiny",
    "config": {
        "dataset": "mnist",
        "validation": None,
        "epochs": 5,
        "network": {"layers": [{"type": "dense", "units": 9}, {"type": "relu"}, {"type": "dense", "units": 10}]},
        "optimizer": {"type": "adam", "learning_rate": 0.1},
    },
}


def test_a_setup_goes_into_the_address_and_comes_back(call):
    recipe = json.dumps(RECIPE)
    changed = "{...recipe.config, epochs: 2, validation: 'test', start: {model: 'a'}, optimizer: {type: 'sgd'}}"
    written = f"(() => {{ const recipe = {recipe}; return m.setupParameters(recipe, {changed}); }})()"
    pairs = call("pages/train/config-url", written)
    assert pairs == [
        ["recipe", "tiny"],
        ["validation", "test"],
        ["epochs", "2"],
        ["optimizer", '{"type":"sgd"}'],
        ["start", "a"],
    ]
    known = "new Set(['epochs', 'validation', 'optimizer', 'dataset'])"
    query = f"new URLSearchParams({json.dumps(pairs)})"
    back = call("pages/train/config-url", f"m.setupFrom({query}, [{recipe}], {known})")
    assert (back["config"]["epochs"], back["config"]["validation"], back["problems"]) == (2, "test", [])
    assert back["config"]["optimizer"] == {"type": "sgd"}
    assert back["config"]["network"] == RECIPE["config"]["network"]


@pytest.mark.parametrize(
    "text", ["layers=5", "layers=[]", 'layers=[{"units":3}]', "optimizer=3", "epochs={}", "recipe=no"]
)
def test_what_an_address_says_amiss_is_left_out_and_told(call, text):
    known = "new Set(['epochs', 'optimizer'])"
    back = call(
        "pages/train/config-url",
        f"m.setupFrom(new URLSearchParams({json.dumps(text)}), [{json.dumps(RECIPE)}], {known})",
    )
    assert back["config"] == RECIPE["config"]
    assert len(back["problems"]) == 1


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ({"type": "whole", "minimum": 1, "maximum": 9}, " 7 ", 7),
        ({"type": "whole", "minimum": 1, "maximum": 9}, "1.5", None),
        ({"type": "whole", "minimum": 1, "maximum": 9}, "10", None),
        ({"type": "number", "above": 0}, "1e-3", 0.001),
        ({"type": "number", "above": 0}, "0", None),
        ({"type": "number", "below": 1}, "", None),
        ({"type": "whole", "minimum": 0, "choices": ["same", "valid"]}, "same", "same"),
        ({"type": "shape", "minimum": 1}, "3, 5", [3, 5]),
        ({"type": "shape", "minimum": 1}, "3", 3),
        ({"type": "choice", "choices": ["a"]}, "b", None),
    ],
)
def test_a_field_s_text_is_its_value_or_is_refused_with_its_range(call, field, text, value):
    whole = dict.fromkeys(("minimum", "maximum", "above", "below", "choices")) | {"nullable": False} | field
    asked = (
        f"(() => {{ try {{ return m.valueOf({json.dumps(whole)}, {json.dumps(text)}); }} catch {{ return null; }} }})()"
    )
    assert call("pages/train/form-values", asked) == value
    assert call("pages/train/form-values", f"m.valueOf({json.dumps({**whole, 'nullable': True})}, ' ')") is None
    assert call("pages/train/form-values", f"m.rangeText({json.dumps(whole)})")


def test_an_error_of_the_server_is_told_apart_from_its_field(call):
    refused = {"message": "network.layers[2].units: expected 1; got 2", "answer": {"field": "network.layers[2].units"}}
    found = call("pages/train/config", f"m.fieldError({json.dumps(refused)})")
    assert found == {"path": "network.layers[2].units", "message": "expected 1; got 2"}
    other = {"message": "There is nothing: here", "answer": {"field": None}}
    assert call("pages/train/config", f"m.fieldError({json.dumps(other)})")["path"] is None


def test_layers_are_moved_and_drawn(call):
    assert call("pages/train/layer-list", "m.moved(['a', 'b', 'c'], 2, 0)") == ["c", "a", "b"]
    layers = "[{type: 'conv2d', filters: 6}, {type: 'max_pool2d'}, {type: 'dense', units: 10}, {type: 'dropout'}]"
    stages = call("charts/network-diagram", f"m.stagesOf({layers})")
    assert [stage["kind"] for stage in stages] == ["input", "conv", "pool", "dense"]
    assert stages[-1]["dropped"]


def test_smoothing_keeps_a_constant_and_what_is_not_known(call):
    assert call("charts/scale", "m.smoothed([2, 2, null, 2], 0.9)") == pytest.approx([2, 2, None, 2])
    low, high = call("charts/scale", "m.smoothed([0, 1], 0.5)")
    assert (low, high) == pytest.approx((0, 2 / 3))
    assert call("charts/scale", "m.smoothed([0, 1], 0)") == [0, 1]


def test_zooming_stays_within_the_epochs(call):
    assert call("charts/scale", "m.zoomed([0, 100], [0, 100], 0.5, 2)") == [25, 75]
    assert call("charts/scale", "m.zoomed([75, 100], [0, 100], 2, 2)") == [50, 100]
    assert call("charts/scale", "m.zoomed([25, 75], [0, 100], 2, 2)") is None
    assert call("charts/scale", "m.zoomed([5, 6], [0, 100], 0.5, 2)") == [4.5, 6.5]
    assert call("charts/scale", "m.zoomed([0, 100], [0, 100], 0.5, 2, 20)") == [10, 60]  # around the pointer


def test_every_metric_has_a_place_and_a_title_and_optional_ones_show_where_a_run_has_them(call):
    charts = call("runs/metrics", "Object.values(m.METRICS).map(({chart}) => chart)")
    assert set(charts) == {"loss", "accuracy", "rate", "speed"}
    titles = call("runs/metrics", "Object.values(m.METRICS).map(({title}) => title())")
    assert len(set(titles)) == len(titles)
    required = call("runs/metrics", "m.metricsOf([{epoch: 1, val_loss: 1}])")
    assert "yours_loss" not in required
    assert set(call("runs/metrics", "m.metricsOf([{epoch: 1, yours: {loss: 1}}])")) == {*required, "yours_loss"}
    assert call("runs/metrics", "m.axisTitle(m.METRICS.val_accuracy)") == "validation accuracy (%)"
    assert call("runs/metrics", "m.FORMATS.count.tick(150000)") == "150K"


def test_of_several_questions_the_newest_is_answered(call):
    steps = "const q = m.createLatest(); const [a, b] = [q.begin(), q.begin()]; const before = [a.aborted, b.aborted];"
    script = f"{{ {steps} q.drop(); return [...before, b.aborted, q.begin().aborted]; }}"
    assert call("lib/latest", script) == [True, False, True, False]


def test_weights_are_grey_where_they_are_zero(call):
    assert call("runs/first-layer", "[...m.aroundZero(new Uint8Array([0, 255]), -1, 0, 2)]") == [64, 128]
    assert call("runs/weight-histograms", "m.stepsPath({from: 0, to: 2, counts: [1, 2]}, [0, 2], [10, 4])") == (
        "M0 4L0 2L5 2L5 0L10 0L10 4Z"
    )


def test_a_model_with_other_labels_than_the_data_set_s_is_said_before_it_is_refused(call):
    note = call("pages/train/initial-weights", "m.startNote({labels: ['a', 'b']}, {labels: ['b', 'c']})")
    assert note == "fine-tuning needs the same labels: this model reads a b, the data set has b c"
    assert "same labels" not in call("pages/train/initial-weights", "m.startNote({labels: ['a']}, {labels: ['a']})")


def test_epochs_on_the_axis_are_round_numbers(call):
    steps = call("charts/scale", "[1, 1.2, 3, 9, 62.5, 125].map(m.roundStep)")
    assert steps == [1, 2, 5, 10, 100, 200]
    assert call("charts/scale", "m.ticks(1, 3, 8, true)") == [1, 2, 3]


def test_units_stand_in_rows_and_maps_beside_one_another(call):
    every = "Array.from({length: N}, (_, i) => g.at(...g.cell(i))).every((at, i) => at === i)"
    for shape, size in (
        ([10], (10, 1)),
        ([600], (40, 15)),
        ([32], (8, 4)),
        ([17], (8, 3)),
        ([1, 28, 28], (28, 28)),
        ([3, 28, 28], (57, 57)),
    ):
        count = shape[0] * (shape[1] * shape[2] if len(shape) > 1 else 1)
        found = call(
            "charts/heatmap-data",
            f"{{ const g = m.gridOf({shape}); return [g.columns, g.rows, {every.replace('N', str(count))}]; }}",
        )
        assert found == [*size, True]
    assert call("charts/heatmap-data", "m.gridOf([3, 28, 28]).at(28, 3)") is None  # between two maps
    assert call("charts/heatmap-data", "m.beside(m.gridOf([3, 28, 28]), 27, [1, 0])") == 784  # over the gap
    assert call("charts/heatmap-data", "m.beside(m.gridOf([10]), 9, [1, 0])") == 9
    assert call("charts/heatmap-data", "[0, -0.5, 1234.5678, 0.00012, -1e7].map(m.num)") == [
        *("0", "−0.5", "1235", "1.20e−4", "−1.00e7"),
    ]
    assert call("charts/heatmap-data", "Array.from(m.decode({values: 'AAAAPwAAgL8='}))") == [0.5, -1]


COMPARED = [
    {"of": "drawings", "data": "drawings:mine", "count": 10, "before": 0.4, "after": 0.9},
    {"of": "parent", "data": "strokes", "count": 2000, "before": 0.98, "after": 0.975},
    {"of": "other", "data": "mnist", "count": 10_000, "before": 0.97, "after": 0.9},
]


def test_what_came_of_a_model_is_said_of_every_test_set_and_of_a_parent_that_had_seen_the_drawings(call):
    said = call("models/measurements", f"m.mineSentence({json.dumps({'compared': COMPARED})})")
    assert said.split(". ") == [
        "Reads 90.0 % of your drawings correctly (before: 40.0 %)",
        "Reads 97.5 % of the drawn digits correctly (before: 98.0 %)",
        "Reads 90.0 % of MNIST correctly (before: 97.0 %).",
    ]
    alone = [{**COMPARED[0], "count": 1}]
    said = call("models/measurements", f"m.mineSentence({json.dumps({'compared': alone})})")
    assert said.endswith("(before: 40.0 %). That is from one drawing, which says little.")
    fields = {"parent": "p", "set": "mine", "learned": 15, "held_out": 5}
    assert "it has never seen them" in call(
        "models/measurements", f"m.mineNote({json.dumps({**fields, 'seen': False})})"
    )
    note = call("models/measurements", f"m.mineNote({json.dumps({**fields, 'seen': True})})")
    assert "p was also trained on your drawings and may have seen them" in note
    assert call("runs/event-log", "m.eventText({type: 'cancelled', data: {}})") == "Cancelled."
    why = "a personalized model is compared with its parent only at the end"
    told = call("runs/event-log", f"m.eventText({json.dumps({'type': 'cancelled', 'data': {'not_kept': why}})})")
    assert told == f"Cancelled; its model was not saved: {why}"


@pytest.mark.parametrize(
    ("answer", "asks"),
    [
        ({"error": "it forgot", "code": "accuracy_dropped"}, True),
        ({"error": "the model x cannot be used: it is damaged"}, False),
    ],
)
def test_only_a_model_that_forgot_may_be_made_the_default_all_the_same(call, answer, asks):
    """Whatever else is in the way is said at once."""
    found = call(
        "models/set-default",
        """{
          const asked = [];
          const before = window.fetch;
          window.fetch = async (path) => {
            if (!path.includes("/default")) return before(path);
            asked.push(path);
            return path.includes("force") ? new Response("{}") : new Response(JSON.stringify(ANSWER), { status: 409 });
          };
          let over = false;
          const done = m.chooseDefault("x").then(String, (error) => error.message);
          const wait = () => over || (document.querySelector("#confirm")?.click() ?? setTimeout(wait, 10));
          wait();
          done.finally(() => ([over, window.fetch] = [true, before]));
          return done.then((said) => [said, asked.length]);
        }""".replace("ANSWER", json.dumps(answer)),
    )
    assert found == (["true", 2] if asks else [answer["error"], 1])


def test_a_run_that_is_compared_has_the_row_that_its_stream_brings_and_asks_for_none(call):
    assert call(
        "pages/compare/store",
        """(async () => {
            const { fetch, WebSocket } = window;
            let asked = 0;
            let socket;
            window.fetch = () => (asked += 1);
            window.WebSocket = class extends EventTarget {
                constructor() { super(); socket = this; }
                close() {}
            };
            const store = m.createStore(() => {});
            const say = (data) => socket.dispatchEvent(new MessageEvent('message', {data: JSON.stringify(data)}));
            const state = (name) => ({id: 1, state: name});
            const told = () => [store.all()[0].row.state, store.all()[0].points.length];
            store.add(state('queued'));
            say({type: 'hello', log: 'a', last_seq: 0, run: state('running')});
            say({type: 'epoch', seq: 1, run: 1, data: {epoch: 1}});
            const found = [told()];
            say({type: 'run', run: state('succeeded')});
            found.push(told());
            say({type: 'hello', log: 'b', last_seq: 1, run: state('paused')});
            say({type: 'reset', log: 'b', last_seq: 1});
            found.push(told());
            socket.dispatchEvent(new CloseEvent('close', {code: 1008}));
            found.push(store.all()[0].gone, asked);
            store.drop(1);
            Object.assign(window, { fetch, WebSocket });
            return found;
        })()""",
    ) == [["running", 1], ["succeeded", 1], ["paused", 0], True, 0]


ZIP = """(async () => {
    const files = [{path: "a/1.png", file: new Blob(["one"])}, {path: "○/2.png", file: new Blob([])}];
    const bytes = new Uint8Array(await (await m.zip(files)).arrayBuffer());
    return Array.from(bytes);
})()"""


def test_a_zip_of_files_is_one_that_others_read(call):
    with zipfile.ZipFile(io.BytesIO(bytes(call("lib/zip", ZIP)))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {"a/1.png": b"one", "○/2.png": b""}


@pytest.mark.parametrize(
    ("paths", "kind"),
    [
        ([], ["none", None, None]),
        (["drawings.json"], ["drawings", None, None]),
        (["a.zip"], ["file", None, None]),
        (["Train.CSV"], ["file", None, None]),
        (["1.png", "2.JPG", "notes.txt"], ["images", "", 2]),
        (["3/1.png", "3/2.png"], ["images", "3", 2]),
        (["set/3/1.png", "set/3/notes.txt"], ["images", "3", 1]),
        (["set/3/1.png", "set/7/1.png"], ["folder", None, 2]),
        (["1.png", "labels.csv"], ["folder", None, 2]),
        (["train.csv", "test.csv"], ["folder", None, 2]),
        (["train-images-idx3-ubyte", "train-labels-idx1-ubyte"], ["folder", None, 2]),
    ],
)
def test_files_are_known_for_what_they_are_together(call, paths, kind):
    files = json.dumps([{"path": path} for path in paths])
    found = f"(({{ kind, label, files }}) => [kind, label ?? null, files?.length ?? null])(m.kindOf({files}))"
    assert call("data/dropped-files", found) == kind


def test_images_of_groups_lie_in_a_folder_for_each_label_and_replace_none(call):
    groups = '[["3", ["a/1.png", "b/1.png"]], ["", ["7_1.png"]], [" 1 ", ["1.png"]]]'
    expression = (
        f"m.inFolders({groups}.map(([label, paths]) => ({{ label, files: paths.map((path) => ({{ path }})) }})))"
    )
    paths = [one["path"] for one in call("data/dropped-files", expression)]
    assert paths == ["3/1.png", "3/1~2.png", "7_1.png", "1/1.png"]


@pytest.mark.parametrize(
    ("paths", "name"),
    [
        (["My Digits (2).zip"], "my-digits-2"),
        (["set/3/1.png", "set/7/1.png"], "set"),
        (["3/1.png", "7/1.png"], "images"),
        (["手書き/3/1.png"], "images"),
        (["a" * 80 + ".csv"], "a" * 64),
    ],
)
def test_a_set_is_named_after_its_folder_or_file(call, paths, name):
    assert call("data/dropped-files", f"m.nameFor({json.dumps([{'path': path} for path in paths])})") == name


def test_a_race_has_a_title_a_forecast_and_a_winner(call):
    def line(number, name, state="succeeded", race=5, accuracy=None, elapsed=(), **row):
        points = [{"epoch": i + 1, "elapsed": seconds} for i, seconds in enumerate(elapsed)]
        row = {"state": state, "ended": None, "race": race, "test_accuracy": accuracy, "config": {"epochs": 4}, **row}
        return {"id": number, "name": f"#{number} {name}", "gone": False, "row": row, "points": points}

    def words(name, *lines, before=""):
        return call("pages/compare/race", f"m.{name}({before}{json.dumps(lines)})")

    sgd, adam = line(5, "SGD", accuracy=0.9512), line(6, "Adam", accuracy=0.9713)
    assert words("verdict", sgd, adam) == "Adam won: 97.13 % of the test images"
    assert (
        words("verdict", line(5, "SGD", accuracy=0.97131), adam)
        == "A tie between SGD, Adam: 97.13 % of the test images"
    )
    assert words("verdict", line(5, "SGD", "failed"), adam) == "Adam won: 97.13 % of the test images"
    assert words("verdict", line(5, "SGD", "failed"), line(6, "Adam", "cancelled")) == ""
    assert words("verdict", line(5, "SGD", "queued"), adam) == ""
    assert words("verdict", line(5, "SGD", race=None, accuracy=0.5), adam) == ""
    assert words("raceTitle", sgd, adam, before='"race: optimizer #5", ') == "2 optimizers"
    for tag in ("race: constructor #5", "race: optimizer.beta1 #5", "mine"):
        assert words("raceTitle", sgd, adam, before=f"{json.dumps(tag)}, ") == tag
    assert words("raceTitle", line(1, "a", race=None), adam, before='"race: optimizer #5", ') == "race: optimizer #5"
    running, waiting = line(5, "SGD", "running", elapsed=(10, 20)), line(6, "Adam", "queued")
    assert words("timeLeft", running, waiting) == "about 1 min left for all"
    assert words("timeLeft", waiting, waiting) == ""
    assert words("timeLeft", sgd, adam) == ""


def test_a_drawing_in_any_unit_fills_its_picture_and_a_dot_has_a_line(call):
    def path(*strokes):
        return call("pages/data/newest", f"m.pathOf({json.dumps(strokes)})")

    assert path([[0, 0], [1, 1]]) == path([[100, 300], [600, 800]]) == "M12.0 12.0L12.0 12.0 88.0 88.0"
    assert path([[0, 0], [0, 10]], [[5, 5]]) == "M31.0 12.0L31.0 12.0 31.0 88.0M69.0 50.0L69.0 50.0"
    assert path([[7, 7]]) == "M50.0 50.0L50.0 50.0"


def test_a_gif_has_the_pixels_and_the_times_of_its_frames(call):
    made = """(async () => {
        const gif = m.createGif(150, 100);
        const noise = (colors, seed) => {
            const image = new ImageData(150, 100);
            let value = seed;
            for (let i = 0; i < 15000; i += 1) {
                value = (value * 1103515245 + 12345) % 2147483648;
                const grey = (value >> 8) % colors;
                image.data.set([grey, 255 - grey, colors > 256 ? (value >> 16) & 255 : 7, 255], 4 * i);
            }
            return image;
        };
        const frames = [noise(1, 1), noise(256, 2), noise(2, 3), noise(300, 4)];
        frames.forEach((frame, i) => gif.add(frame, 10 * (i + 1)));
        const bytes = [...new Uint8Array(await gif.blob().arrayBuffer())];
        return [bytes, frames.map(({ data }) => [...data])];
    })()"""
    content, frames = call("lib/gif", made)
    image = Image.open(io.BytesIO(bytes(content)))
    assert (image.size, image.n_frames, image.info["loop"]) == ((150, 100), 4, 0)
    for index, frame in enumerate(frames):
        image.seek(index)
        assert image.info["duration"] == 100 * (index + 1)
        expected = np.array(frame).reshape(100, 150, 4)[:, :, :3]
        difference = np.abs(np.asarray(image.convert("RGB")).astype(int) - expected)
        assert difference.max() == 0 if index < 3 else difference.mean() < 12


def test_positions_are_the_moments_of_the_first_epoch_and_the_epochs(call):
    kept = "[{epoch: 0, batch: 0, batches: 9}, {epoch: 0, batch: 3, batches: 9}, {epoch: 2, batch: 0, batches: 9}]"
    found = call(
        "runs/moments",
        f"m.positionsOf([{{epoch: 1}}, {{epoch: 2}}], {kept}).map((one) => [m.epochText(one), one.kept])",
    )
    assert found == [["0", True], ["0.33", True], ["1", False], ["2", True]]
    measured = call("runs/moments", f"m.positionsOf([{{epoch: 0}}, {{epoch: 1}}], {kept}).map((one) => one.data)")
    assert measured == [{"epoch": 0}, None, {"epoch": 1}]  # an epoch 0 that was measured stands for the first weights
