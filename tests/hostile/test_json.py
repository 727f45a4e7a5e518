"""JSON that is none, or is too much, at every call that takes it."""

import json

import pytest

from tests.support.hostile import refused

INFER = "/v2/models/mnist-mlp/infer"
CALLS = {"/predict": 422, INFER: 400, "/api/runs": 422, "/api/drawings": 422}
"""What each refuses a body with; the Open Inference Protocol says 400."""

PIXELS = [0] * 784
TENSOR = {"name": "input", "shape": [1, 784], "datatype": "FP32", "data": PIXELS}


def pixels(value: str) -> str:
    """A body of /predict whose last pixel is `value`."""
    return json.dumps({"pixels": PIXELS}).replace("0]", f"{value}]")


@pytest.fixture(params=CALLS)
def call(request):
    return request.param


@pytest.mark.parametrize("text", ["", "{", '{"pixels": [0, ', '{"strokes": [[[1, 2', '"', '{"a":', "[", "{]", "tru"])
def test_truncated_json(target, call, text):
    assert ("not valid JSON" if text else "expected JSON in the body") in refused(
        target.send("POST", call, text), CALLS[call]
    )


@pytest.mark.parametrize(
    "data", [b"\xff", b'{"label": "\xc3\x28"}', b'{"a": "\xed\xa0\x80"}', b'"\\ud800"', b"\xff\xfe{\0}\0"]
)
def test_bad_utf8(target, call, data):
    refused(target.send("POST", call, data), CALLS[call])


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000, '{"pixels":' + "[" * 100_000]
)
def test_depth_100_000(target, call, text):
    assert "not valid JSON" in refused(target.send("POST", call, text), CALLS[call])


@pytest.mark.parametrize(
    "body", ['{"pixels": [%s]}', '{"strokes": [[[%s, 0]]]}', "%s", '{"recipe": "quick", "overrides": {"seed": %s}}']
)
def test_a_5_000_digit_integer(target, call, body):
    refused(target.send("POST", call, body % ("9" * 5000)), CALLS[call])


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" + "0" * 400])
def test_numbers_that_are_none(target, value):
    refused(target.send("POST", "/predict", pixels(value)), 422)
    refused(target.send("POST", "/predict", f'{{"strokes": [[[{value}, 0]]]}}'), 422)
    refused(target.send("POST", "/api/drawings", f'{{"label": "1", "strokes": [[[{value}, 0]]]}}'), 422)
    refused(target.send("POST", "/api/runs", f'{{"recipe": "quick", "overrides": {{"weight_decay": {value}}}}}'), 422)
    tensor = f'{{"name": "input", "shape": [1, 784], "datatype": "FP32", "data": [{"0, " * 783}{value}]}}'
    refused(target.send("POST", "/v2/models/mnist-mlp/infer", f'{{"inputs": [{tensor}]}}'), 400)


@pytest.mark.parametrize(
    "rows",
    [
        [[0] * 28] * 27 + [[0] * 27],
        [[0] * 28] * 27,
        [[0] * 28] * 29,
        [[0] * 28] * 27 + [0],
        [0] + [[0] * 28] * 27,
        [[]] * 28,
        [[[0]] * 28] * 28,
    ],
    ids=str,
)
def test_ragged_rows(target, rows):
    refused(target.send("POST", "/predict", json.dumps({"pixels": rows})), 422)


@pytest.mark.parametrize("count", [0, 1, 783, 785, 100_000])
def test_783_pixels(target, count):
    assert f"got {count}" in refused(target.send("POST", "/predict", json.dumps({"pixels": [0] * count})), 422)


@pytest.mark.parametrize(
    ("call", "whole", "field", "right"),
    [
        ("/predict", {}, "pixels", ()),
        ("/predict", {}, "strokes", ()),
        ("/predict", {}, "image", ()),
        (INFER, {}, "inputs", ()),
        (INFER, {"inputs": [TENSOR]}, "outputs", (None,)),
        (INFER, {"inputs": [TENSOR]}, "id", (None, "x")),
        ("/api/runs", {}, "recipe", ()),
        ("/api/runs", {"recipe": "quick"}, "overrides", (None, {})),
        ("/api/drawings", {"strokes": [[[0, 0]]]}, "label", ("x",)),
        ("/api/drawings", {"label": "1"}, "strokes", ()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_types(target, call, whole, field, right):
    """A body that would do, but for the one field."""
    for value in (None, True, -1.5, "x", {}, [None], [[["a"]]]):
        if value not in right:
            refused(target.send("POST", call, json.dumps({**whole, field: value})), CALLS[call])


@pytest.mark.parametrize("body", ["null", "true", "7", '"x"', "[]", "[[]]", "[null]", "{}"])
def test_bodies_that_are_no_object(target, call, body):
    refused(target.send("POST", call, body), CALLS[call])


def test_10_001_points_and_257_drawings(target):
    refused(target.send("POST", "/predict", json.dumps({"strokes": [[[0, 0]] * 10_001]})), 422)
    refused(target.send("POST", "/predict", json.dumps({"strokes": [[[0, 0]]] * 10_001})), 422)
    refused(target.send("POST", "/predict", json.dumps([{"strokes": []}] * 257)), 422)
    refused(target.send("POST", "/api/drawings", json.dumps({"label": "1", "strokes": [[[0, 0]] * 10_001]})), 422)


@pytest.mark.slow
def test_millions_of_small_things(target):
    """As many as go into a body where they are taken, and enough to be noticed where they are not."""
    refused(target.send("POST", "/predict", '{"strokes": [' + "[]," * 2_000_000 + "[]]}"), 422)
    for call, status in CALLS.items():
        refused(target.send("POST", call, "[" + "[]," * 500_000 + "[]]"), status)
