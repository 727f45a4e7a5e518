"""The twin in the browser: the scripts of the one-file export compute what the Python does, held by recorded numbers.

`golden/` has the server's answers to drawings, `tests/nn/golden` PyTorch's numbers for the layers.
"""

import base64
import json

import numpy as np
import pytest
from safetensors.numpy import save

from app.models.formats import html
from app.models.formats.source import Source
from app.nn import LAYERS, Network
from app.nn.layers.activations import Identity
from app.settings import PROJECT
from tests.js.golden.cases import DRAWINGS, cases
from tests.js.golden.make_golden import ANSWERS, IMAGES, UNITS
from tests.nn.golden.cases import LAYERS as LAYER_CASES
from tests.nn.golden.test_golden import GOLDEN

TOLERANCE = 1e-4
ANSWER = """(text) => {
  const { createPredictor } = module_standalone_predictor;
  const { readSafetensors } = module_standalone_safetensors;
  const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return JSON.stringify(JSON.parse(text).map(({ card, weights, drawings }) =>
    drawings.map(createPredictor(card, readSafetensors(bytes(weights))))));
}"""
AS_ONE = """({ card, weights, drawings }) => {
  const bytes = Uint8Array.from(atob(weights), (letter) => letter.charCodeAt(0));
  const arrays = module_standalone_safetensors.readSafetensors(bytes);
  const predict = module_standalone_predictor.createPredictor(card, arrays);
  return drawings.map((strokes) => predict(strokes, { asOne: true }));
}"""
FORWARD = """(layers) => layers.map(({ network, arrays, inputs }) =>
  inputs.map((x) => Array.from(module_standalone_network.forward(network, arrays, Float64Array.from(x)).outputs)))"""


@pytest.fixture(scope="module")
def twin(browser):
    """`twin(function, argument)`: what a function makes of the scripts as the export bundles them."""
    page = browser.new_page()
    for entry in ("predictor", "safetensors"):
        page.add_script_tag(content=html.bundle_scripts(PROJECT / "static" / "js", f"standalone/{entry}"))
    yield page.evaluate
    page.close()


@pytest.fixture(scope="module")
def golden():
    """The recorded answers: `golden[model][drawing]`."""
    found = {}
    with np.load(IMAGES, allow_pickle=False) as images:
        for model, drawing, answer in json.loads(ANSWERS.read_text("utf-8")):
            for part, image in zip([answer, *answer.get("digits", [])], images[drawing], strict=True):
                part["input"] = image / UNITS
            found.setdefault(model, {})[drawing] = answer
    return found


def assert_same(answer, expected):
    numbers, boxes = ("input", "probabilities", "score"), ("box", "digits")
    assert answer.keys() == expected.keys()
    for key in expected.keys() - {*numbers, *boxes}:
        assert answer[key] == expected[key], key
    assert np.abs(np.array(answer["input"]) - expected["input"]).max() < TOLERANCE
    assert answer["probabilities"] == pytest.approx(expected["probabilities"], abs=TOLERANCE)
    assert answer["score"] == pytest.approx(expected["score"], abs=TOLERANCE)
    if "box" in expected:
        assert list(answer["box"]) == pytest.approx(expected["box"], rel=1e-9)
    for digit, other in zip(answer.get("digits", []), expected.get("digits", []), strict=True):
        assert_same(digit, other)


def assert_all_same(answers, golden):
    """Compares answers, for each case in the order of its drawings."""
    for case, found in zip(cases(), answers, strict=True):
        assert list(golden[case.card.name]) == list(case.drawings)
        for name, answer in zip(case.drawings, found, strict=True):
            try:
                assert_same(answer, golden[case.card.name][name])
            except AssertionError as error:
                error.add_note(f"the drawing: {name}, the model: {case.card.name}")
                raise


def test_what_is_recorded_is_what_the_server_answers(golden):
    assert_all_same([case.responses() for case in cases()], golden)


def test_what_is_recorded_has_every_kind_of_answer(golden):
    answers = list(golden["outliers"].values())
    assert {answer["label"] for answer in answers} >= {None, "0", "1", "5", "9"}
    assert 40 < sum(answer["is_digit"] for answer in answers) < len(answers) - 40
    assert {len(answer.get("digits", [])) for answer in answers} >= {0, 2, 3, 10, 32}


@pytest.mark.browser
def test_the_browser_answers_what_is_recorded(twin, golden):
    given = [
        {
            "card": html.card_json(case.card),
            "weights": base64.b64encode(save({**case.network.weights(), **case.arrays})).decode(),
            "drawings": [DRAWINGS[name] for name in case.drawings],
        }
        for case in cases()
    ]
    assert_all_same(json.loads(twin(ANSWER, json.dumps(given))), golden)


@pytest.mark.browser
def test_a_drawing_is_read_as_one_where_that_is_asked_for(twin, golden):
    case = next(case for case in cases() if any("digits" in one for one in golden[case.card.name].values()))
    expected = {name: answer for name, answer in golden[case.card.name].items() if "digits" in answer}
    given = {
        "card": html.card_json(case.card),
        "weights": base64.b64encode(save({**case.network.weights(), **case.arrays})).decode(),
        "drawings": [DRAWINGS[name] for name in expected],
    }
    answers = twin(AS_ONE, given)
    for answer, whole in zip(answers, expected.values(), strict=True):
        assert "digits" not in answer
        assert answer["probabilities"] == pytest.approx(whole["probabilities"], abs=TOLERANCE)


@pytest.mark.browser
def test_the_browser_computes_every_layer_that_is_exported(twin):
    kinds = {spec["type"] for spec, _ in LAYER_CASES.values()}
    assert kinds | {"dropout", "step"} >= set(html.LAYERS)
    given, expected = [], []
    for name, (spec, (_, *shape)) in LAYER_CASES.items():
        if spec["type"] in html.LAYERS:
            network = Network.from_spec({"layers": [spec]}, input_shape=tuple(shape), dtype="float64")
            arrays = {
                key: GOLDEN[f"layers/{name}/{'state' if 'running' in key else 'params'}/{key.removeprefix('0.')}"]
                for key in network.weights()
            }
            given.append((network.spec(), arrays, GOLDEN[f"layers/{name}/x"]))
            inference = f"layers/{name}/inference"
            expected.append(GOLDEN[inference if inference in GOLDEN else f"layers/{name}/y"])
    x = np.array([[-2.0, -0.5, 0.0, 0.5, 2.0]])
    for spec, y in (({"type": "dropout", "rate": 0.5}, x), ({"type": "step"}, x > 0)):  # which PyTorch has not
        given.append(({"layers": [spec], "input_shape": [5]}, {}, x))
        expected.append(y)
    found = twin(FORWARD, [as_json(*case) for case in given])
    for (network, *_), outputs, y in zip(given, found, expected, strict=True):
        assert np.abs(np.array(outputs).reshape(y.shape) - y).max() < 1e-9, network["layers"]


def as_json(network, arrays, inputs):
    shaped = {name: {"shape": array.shape, "data": array.ravel().tolist()} for name, array in arrays.items()}
    return {"network": network, "arrays": shaped, "inputs": inputs.reshape(len(inputs), -1).tolist()}


def test_a_layer_that_the_browser_does_not_compute_is_not_exported(monkeypatch):
    class Swish(Identity):
        type = "swish"

    assert set(html.LAYERS) <= set(LAYERS)
    monkeypatch.setitem(LAYERS, "swish", Swish)
    case = next(cases())
    network = Network.from_spec({"layers": [{"type": "swish"}]}, input_shape=(784,))
    with pytest.raises(ValueError, match=r"layers\[0\]: expected one of dense, .*; got swish"):
        html.write(Source(case.card, network, b""))
