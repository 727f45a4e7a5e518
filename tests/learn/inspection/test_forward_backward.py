"""A drawing's way through a network and back: every number that is shown is the engine's own."""

import dataclasses

import numpy as np
import pytest

from app.data import PreparedImage
from app.learn.inspection.backward import backward, delta, passes
from app.learn.inspection.connections import chain, is_mixing, links_back, links_on
from app.learn.inspection.forward import forward, layer_picture
from app.learn.inspection.neuron import neuron
from app.learn.inspection.numerical_gradient import numerical, random_places
from app.learn.inspection.subject import open_subject
from app.models import Predictor, UnknownModelError
from app.models.cost import TooLargeError
from app.nn import CrossEntropy, gradient_check, softmax
from tests.support.inspected_networks import LABELS, NETWORKS, PIXELS, save, subject, values

KINDS = sorted(NETWORKS)
DIFFERENTIABLE = [name for name in KINDS if name != "perceptron"]


@pytest.mark.parametrize("name", KINDS)
def test_forward_is_what_the_model_predicts(tmp_path, name):
    shown = forward(subject(tmp_path, name, dtype=None))
    store = save(tmp_path, name, *NETWORKS[name])
    card, network = store.load(name)
    predicted = Predictor(card, network).predict([PreparedImage(PIXELS, blank=False)])[0]
    outputs = shown["outputs"]
    assert outputs["calibrated"] == pytest.approx(list(predicted.probabilities.values()), abs=1e-6)
    assert outputs["says"] == predicted.label
    exponentials = np.array(outputs["exponentials"])
    assert outputs["probabilities"] == pytest.approx((exponentials / exponentials.sum()).tolist())
    assert exponentials == pytest.approx(np.exp(np.array(outputs["logits"]) - outputs["largest"]))

    x = PIXELS[None]
    for layer, told in zip(network.layers, shown["layers"], strict=True):
        x = layer.forward(x, training=False)
        assert told["output_shape"] == list(x.shape[1:])
        assert (told["picture"]["low"], told["picture"]["high"]) == (float(x.min()), float(x.max()))
        whole = x.reshape(1, *x.shape[-2:]) if x.ndim == 3 else x[0]
        np.testing.assert_array_equal(values(told["picture"]), whole.astype(np.float32))
    assert sum(layer["parameters"] for layer in shown["layers"]) == shown["parameters"] == network.params.size


@pytest.mark.parametrize("name", KINDS)
def test_products_and_bias_sum_to_what_the_neuron_gives(tmp_path, name):
    one = subject(tmp_path, name, dtype=None)
    x, seen = one.x, 0
    for index, layer in enumerate(one.network.layers):
        x, before = layer.forward(x, training=False), x
        for unit in {0, x.size // 2, x.size - 1}:
            answer = neuron(one, index, unit)
            assert [step["layer"] for step in answer["steps"]] == list(chain(one, index))
            step = next(step for step in answer["steps"] if step["layer"] == index)
            assert step["output"] == float(x.ravel()[unit])
            if "sum" not in step:
                if "curve" in step:
                    seen += 1
                    assert step["curve"]["point"]["x"] == float(before.ravel()[unit])
                    assert step["curve"]["point"]["y"] == pytest.approx(step["output"], abs=1e-6)
                continue
            assert step["sum"] + step.get("bias", 0) == pytest.approx(step["output"], abs=1e-5)
            shown = sum(each["product"] for each in step["up"] + step["down"])
            assert shown + step["others"]["sum"] == pytest.approx(step["sum"], abs=1e-9)
            for each in step["up"] + step["down"]:
                assert each["product"] == each["value"] * each["weight"]
                assert each["value"] == float(before.ravel()[each["input"]])
            if "weights" in step:
                seen += 1
                inputs, weights = values(step["inputs"]), values(step["weights"])
                assert inputs.size == weights.size == links_back(layer, before[0], unit).factors.size
                assert float((inputs.astype(float) * weights).sum()) == pytest.approx(step["sum"], abs=1e-4)
    assert seen > 2


def test_weights_of_a_dense_layer_lie_as_the_maps_that_it_sees(tmp_path):
    one = subject(tmp_path, "cnn")
    dense = [layer.type for layer in one.network.layers].index("dense")
    step = neuron(one, dense, 4)["steps"][0]
    assert step["weights"]["shape"] == step["inputs"]["shape"] == [4, 4, 4]
    first = neuron(subject(tmp_path, "mlp"), 0, 4)["steps"][0]
    assert first["weights"]["shape"] == [1, 28, 28]
    np.testing.assert_allclose(values(first["inputs"])[0], PIXELS)
    assert neuron(one, 0, 5)["steps"][0]["weights"]["shape"] == [1, 5, 5]


def test_more_maps_are_shown_page_by_page(tmp_path):
    store = save(tmp_path, "wide", [{"type": "conv2d", "filters": 20, "kernel_size": 1}, "dense 10"], "cross_entropy")
    one = open_subject(store, "wide", PIXELS)
    first = forward(one)["layers"][0]["picture"]
    assert (first["shape"], first["total"]) == ([10, 28, 28], 20)
    rest = layer_picture(one, 0, 15)
    assert (rest["shape"], rest["first"]) == ([5, 28, 28], 15)
    np.testing.assert_array_equal(values(rest), one.network.layers[0].forward(one.x, training=False)[0, 15:])
    with pytest.raises(ValueError, match="first: expected a number from 0 to 19"):
        layer_picture(one, 0, 20)


@pytest.mark.parametrize("name", KINDS)
def test_links_lead_both_ways_to_the_engine_s_numbers(tmp_path, name):
    """A layer's gradient at its input is the sum over the links of factor × the gradient at its output."""
    one = subject(tmp_path, name)
    found = passes(one, 5)
    for index, layer in enumerate(one.network.layers):
        if not is_mixing(layer):
            continue
        x, y, below = found.outputs[index], found.outputs[index + 1], found.gradients[index].ravel()
        above = found.gradients[index + 1].ravel()
        for place in np.linspace(0, x.size - 1, 60).astype(int):
            targets, factors = links_on(layer, x, y, int(place))
            assert float((above[targets] * factors).sum()) == pytest.approx(float(below[place]), abs=1e-12)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_backward_agrees_with_the_numerical_gradient_everywhere(tmp_path, name):
    one = subject(tmp_path, name)
    # off the kinks: on blank paper all numbers of a window are equally large
    one = dataclasses.replace(one, x=one.x + 0.01 * np.random.default_rng(1).random(one.x.shape))
    shown = backward(one, "5")
    loss, x = one.loss(), one.x.copy()

    def value(inputs):
        return loss.total(one.network.forward(inputs, training=False), np.array([5]))

    assert shown["loss"]["value"] == pytest.approx(value(x))
    gradient = values(shown["input"]["picture"]).ravel()
    for place in np.linspace(5, 780, 40).astype(int):
        above, below = x.copy(), x.copy()
        above.ravel()[place] += 1e-6
        below.ravel()[place] -= 1e-6
        assert gradient[place] == pytest.approx((value(above) - value(below)) / 2e-6, abs=1e-5)
    for index, layer in enumerate(one.network.layers):
        for parameter in layer.params:
            places = random_places(one, index, parameter, 6, seed=index)
            answer = numerical(one, "5", index, parameter, places)
            assert [row["index"] for row in answer["rows"]] == places
            assert max(row["relative_error"] for row in answer["rows"]) < 1e-5
            assert answer["backpropagation_seconds"] > 0 < answer["numerical_seconds"]


@pytest.mark.parametrize("name", KINDS)
def test_the_rows_are_y_minus_t(tmp_path, name):
    one = subject(tmp_path, name)
    shown = backward(one, "5")
    output = one.network.forward(one.x, training=False)[0]
    said = softmax(output) if isinstance(one.loss(), CrossEntropy) else output
    rows = shown["rows"]
    assert [row["label"] for row in rows] == LABELS
    assert [row["said"] for row in rows] == pytest.approx(said.tolist())
    assert [row["gradient"] for row in rows] == pytest.approx([row["said"] - row["target"] for row in rows])
    assert sum(row["target"] for row in rows) == pytest.approx(1)
    assert shown["layers"][-1]["norm"] == pytest.approx(np.linalg.norm([row["gradient"] for row in rows]))
    assert shown["straight_through"] is (name == "perceptron")
    norms = [parameter["norm"] for layer in shown["layers"] for parameter in layer["parameters"]]
    assert np.linalg.norm(norms) == pytest.approx(shown["norm"])


@pytest.mark.parametrize("name", KINDS)
def test_the_chain_rule_comes_to_backpropagation_s_delta(tmp_path, name):
    one = subject(tmp_path, name)
    for index in range(len(one.network.layers)):
        size = passes(one, 5).outputs[index + 1].size
        for unit in {0, size // 3, size - 1}:
            shown = delta(one, "5", index, unit)
            gradients = passes(one, 5).gradients
            terms = sum(term["product"] for term in shown["terms"]) + shown["others"]["sum"]
            if shown["next"] is not None:
                assert terms == pytest.approx(shown["sum"], abs=1e-12)
            for term in shown["terms"]:
                assert term["product"] == pytest.approx(term["weight"] * term["delta"])
            assert shown["delta"] == float(gradients[shown["layer"] + 1].ravel()[unit])
            product = shown["sum"] * np.prod([slope["slope"] for slope in shown["slopes"]])
            assert product == pytest.approx(shown["delta"], abs=1e-12)
            if shown["weights"] is not None and not shown["weights"]["shared"]:
                layer = one.network.layers[shown["layer"]]
                exact = layer.grads["weight"][:, unit]
                np.testing.assert_allclose(values(shown["weights"]["picture"]).ravel(), exact, rtol=1e-5, atol=1e-9)
                assert shown["weights"]["bias"] == pytest.approx(shown["delta"])
                for each in shown["weights"]["largest"]:
                    assert each["product"] == pytest.approx(exact[each["input"]])


def test_the_rows_of_the_numerical_gradient_are_the_engine_s(tmp_path):
    """On a network without layers that change while it trains, as `gradient_check` has them."""
    one = subject(tmp_path, "mlp")
    answer = numerical(one, "5", 0, "weight", random_places(one, 0, "weight", 5, seed=3))
    assert gradient_check(one.network, one.x, np.array([5]), sample=5).relative_error < 1e-5
    for row in answer["rows"]:
        assert row["numerical"] == pytest.approx((row["above"] - row["below"]) / (2 * answer["step"]))
        weight = one.network.layers[0].params["weight"]
        assert weight[tuple(row["place"])] == row["value"]  # it is back where it was


def test_the_step_function_passes_the_gradient_straight_through(tmp_path):
    one = subject(tmp_path, "perceptron")
    places = np.flatnonzero(PIXELS.ravel() > 0.5)[:3] * 10 + 5
    answer = numerical(one, "5", 0, "weight", places.tolist())
    assert {row["numerical"] for row in answer["rows"]} == {0.0}
    curve = neuron(one, 1, 5)["steps"][1]["curve"]
    assert curve["straight_through"]
    assert {curve["point"]["slope"], *curve["slope"]} == {0}  # it is flat
    assert [slope["slope"] for slope in delta(one, "5", 1, 5)["slopes"]] == [1]
    assert not neuron(subject(tmp_path, "mlp"), 1, 5)["steps"][1]["curve"]["straight_through"]


def test_what_is_too_large_is_refused_before_it_is_computed(tmp_path, monkeypatch):
    monkeypatch.setattr("app.learn.inspection.subject.MOST_PARAMETERS", 1000)
    with pytest.raises(TooLargeError, match="at most 1,000 parameters"):
        subject(tmp_path, "mlp")
    monkeypatch.setattr("app.learn.inspection.subject.MOST_PARAMETERS", 10**6)
    monkeypatch.setattr("app.learn.inspection.subject.MOST_WORK", 100_000)
    with pytest.raises(TooLargeError, match="expected at most 6 passes"):
        numerical(subject(tmp_path, "mlp"), "5", 0, "weight", [1, 2, 3])
    with pytest.raises(UnknownModelError):
        open_subject(save(tmp_path / "b", "mlp", *NETWORKS["mlp"]), "another", PIXELS)


def test_a_loss_that_the_card_does_not_name_is_cross_entropy(tmp_path):
    one = subject(tmp_path, "mlp")
    for config in ({}, {"loss": 7}, {"loss": {"type": "cross_entropy", "label_smoothing": 3}}):
        other = dataclasses.replace(one, card=one.card.model_copy(update={"config": config}))
        assert other.loss().spec() == {"type": "cross_entropy", "label_smoothing": 0.0}
        assert backward(other, "5")["loss"]["named"] is False
    assert backward(one, "5")["loss"]["named"] is True


@pytest.mark.parametrize("config", [{}, {"loss": "cross_entropy"}, {"loss": 7}])
def test_softmax_is_taken_once_where_the_card_names_no_loss_that_fits(tmp_path, config):
    """As of a network that came from another library, which ends in softmax."""
    store = save(tmp_path, "softmax", *NETWORKS["softmax"])
    card, network = store.load("softmax")
    store.save(card.model_copy(update={"config": config}), network, replace=True)
    one = open_subject(store, "softmax", PIXELS, dtype="float64")
    probabilities = forward(one)["outputs"]["probabilities"]
    assert probabilities == pytest.approx(network.forward(PIXELS[None], training=False)[0].tolist(), abs=1e-6)
    shown = backward(one, "5")
    assert shown["loss"]["value"] == pytest.approx(-np.log(probabilities[5]))
    assert [row["said"] for row in shown["rows"]] == pytest.approx(probabilities)
    assert [row["gradient"] for row in shown["rows"]] == pytest.approx(
        [p - (label == "5") for p, label in zip(probabilities, LABELS, strict=True)]
    )
    assert numerical(one, "5", 2, "weight", [5, 15, 25])["rows"][0]["relative_error"] < 1e-5
