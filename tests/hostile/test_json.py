"""JSON that is none, or is too much, at every call that takes it."""

import json

import pytest

from tests.support.hostile import refused

CALLS = ["/predict", "/v2/models/mnist-mlp/infer", "/api/runs", "/api/drawings"]
PIXELS = [0] * 784


def pixels(value: str) -> str:
    """A body of /predict whose last pixel is `value`."""
    return json.dumps({"pixels": PIXELS}).replace("0]", f"{value}]")


@pytest.fixture(params=CALLS)
def call(request):
    return request.param


@pytest.mark.parametrize("text", ["", "{", '{"pixels": [0, ', '{"strokes": [[[1, 2', '"', '{"a":', "[", "{]", "tru"])
def test_truncated_json(target, call, text):
    assert "expected JSON" in refused(target.send("POST", call, text), 400, 422)


@pytest.mark.parametrize(
    "data", [b"\xff", b'{"label": "\xc3\x28"}', b'{"a": "\xed\xa0\x80"}', b'"\\ud800"', b"\xff\xfe{\0}\0"]
)
def test_bad_utf8(target, call, data):
    refused(target.send("POST", call, data), 400, 422)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000, '{"pixels":' + "[" * 100_000]
)
def test_depth_100_000(target, call, text):
    assert "expected JSON" in refused(target.send("POST", call, text), 400, 422)


@pytest.mark.parametrize(
    "body", ['{"pixels": [%s]}', '{"strokes": [[[%s, 0]]]}', "%s", '{"recipe": "quick", "overrides": {"seed": %s}}']
)
def test_a_5_000_digit_integer(target, call, body):
    refused(target.send("POST", call, body % ("9" * 5000)), 400, 422)


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
    "value", [None, True, 0, -1, 1.5, "x", {}, [None], ["1"], [True], {"0": 1}, [[["a"]]], [{}]], ids=str
)
@pytest.mark.parametrize(
    "form", ["pixels", "strokes", "image", "label", "recipe", "overrides", "inputs", "outputs", "id"]
)
def test_wrong_types(target, form, value):
    for call in CALLS:
        refused(target.send("POST", call, json.dumps({form: value})), 400, 422)


@pytest.mark.parametrize("body", ["null", "true", "7", '"x"', "[]", "[[]]", "[null]", "{}"])
def test_bodies_that_are_no_object(target, call, body):
    refused(target.send("POST", call, body), 400, 422)


def test_10_001_points_and_257_drawings(target):
    refused(target.send("POST", "/predict", json.dumps({"strokes": [[[0, 0]] * 10_001]})), 422)
    refused(target.send("POST", "/predict", json.dumps({"strokes": [[[0, 0]]] * 10_001})), 422)
    refused(target.send("POST", "/predict", json.dumps([{"strokes": []}] * 257)), 422)
    refused(target.send("POST", "/api/drawings", json.dumps({"label": "1", "strokes": [[[0, 0]] * 10_001]})), 422)


def test_millions_of_small_things(target, call):
    for text in ("[" + "[]," * 2_000_000 + "[]]", '{"strokes": [' + "[]," * 2_000_000 + "[]]}"):
        answer = target.send("POST", call, text)
        assert answer.status in (200, 400, 422)
