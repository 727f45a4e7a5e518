"""The network: its vectors, its spec, its weights, and what it refuses."""

import threading

import numpy as np
import pytest

from app.nn import Network
from app.nn.initializers import He, Normal, Uniform, Xavier, Zeros

SPEC = {
    "layers": [
        {"type": "dense", "units": 7, "initializer": {"type": "he"}},
        {"type": "relu"},
        {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 3},
    ]
}


def build(dtype="float32"):
    network = Network.from_spec(SPEC, input_shape=(2, 2), dtype=dtype)
    network.initialize(1)
    return network


def test_layers_hold_views_of_one_vector_with_the_weights_first():
    network = build()
    assert network.params.size == 4 * 7 + 7 + 7 * 3 + 3
    assert network.decayed == 4 * 7 + 7 * 3
    network.params[:] = np.arange(network.params.size)
    assert network.weights()["0.weight"].ravel().tolist() == list(range(28))
    assert network.weights()["3.weight"].ravel().tolist() == list(range(28, 49))
    assert network.weights()["0.bias"].tolist() == list(range(49, 56))
    assert all(np.shares_memory(array, network.params) for array in network.weights().values())
    assert all(np.shares_memory(array, network.grads) for array in network.layers[0].grads.values())


def test_a_spec_and_weights_make_an_equal_network():
    network = build()
    again = Network.from_spec(network.spec())
    again.load_weights(network.weights())
    x = np.random.default_rng(0).random((5, 2, 2), np.float32)
    assert again.spec() == network.spec()
    assert np.array_equal(again.probabilities(x), network.probabilities(x))


def test_a_seed_gives_the_same_weights_and_another_seed_others():
    one, two = build(), build()
    assert np.array_equal(one.params, two.params)
    two.initialize(2)
    assert not np.array_equal(one.params, two.params)


def test_the_legacy_generator_draws_as_old_tutorials_do():
    spec = {"generator": "legacy", "layers": [{"type": "dense", "units": 2, "initializer": {"type": "uniform"}}]}
    network = Network.from_spec(spec, input_shape=(3,), dtype="float64")
    network.initialize(8)
    expected = np.random.RandomState(8).rand(3, 2) * 0.1 - 0.05
    np.testing.assert_allclose(network.weights()["0.weight"], expected, atol=1e-16)


def test_inference_leaves_a_network_as_it_was_and_threads_may_share_it():
    network = build()
    x = np.random.default_rng(0).random((64, 2, 2), np.float32)
    before = [set(vars(layer)) for layer in network.layers]
    expected = [network.probabilities(x[i : i + 8]) for i in range(0, 64, 8)]
    assert [set(vars(layer)) for layer in network.layers] == before
    wrong = []

    def read(part):
        for _ in range(200):
            if not np.array_equal(network.probabilities(x[8 * part : 8 * part + 8]), expected[part]):
                wrong.append(part)

    threads = [threading.Thread(target=read, args=(part,)) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_probabilities_sum_to_one_and_a_final_softmax_is_not_applied_twice():
    x = np.random.default_rng(0).random((5, 2, 2), np.float32)
    logits = build()
    with_softmax = Network.from_spec({"layers": [*SPEC["layers"], "softmax"]}, input_shape=(2, 2))
    with_softmax.load_weights(logits.weights())
    np.testing.assert_allclose(logits.probabilities(x).sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(with_softmax.probabilities(x), logits.probabilities(x), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_has_the_network_s_dtype(dtype):
    network = build(dtype)
    x = np.random.default_rng(0).random((5, 2, 2)).astype(dtype)
    network.begin_epoch(np.random.default_rng(0))
    for training in (True, False):
        assert network.forward(x, training=training).dtype == dtype
    assert network.params.dtype == network.grads.dtype == dtype


@pytest.mark.parametrize(
    ("initializer", "low", "high", "std"),
    [
        (Zeros(), 0, 0, 0),
        (Normal(0.02), -1, 1, 0.02),
        (Uniform(-0.1, 0.3), -0.1, 0.3, 0.4 / 12**0.5),
        (Xavier(), -((6 / 500) ** 0.5), (6 / 500) ** 0.5, (2 / 500) ** 0.5),
        (Xavier("normal"), -1, 1, (2 / 500) ** 0.5),
        (He(), -1, 1, (2 / 300) ** 0.5),
        (He("uniform"), -((6 / 300) ** 0.5), (6 / 300) ** 0.5, (2 / 300) ** 0.5),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_initializers_have_their_range_and_their_spread(initializer, low, high, std):
    values = initializer((300, 200), 300, 200, np.random.default_rng(0))
    assert values.shape == (300, 200)
    assert low <= values.min() <= values.max() <= high
    assert values.std() == pytest.approx(std, rel=0.02)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"layers": []}, "layers: expected 1 to 200 layers; got 0"),
        ({"layers": {}}, "network.layers: expected a list of layers; got {}"),
        ({"layers": [{"type": "conv"}]}, "network.layers[0]: expected a type of "),
        ({"layers": [{"type": "dense"}]}, "network.layers[0].units: missing; dense needs it"),
        (
            {"layers": [{"type": "dense", "units": 0}]},
            "layers[0].units: expected a whole number from 1 to 100000; got 0",
        ),
        ({"layers": [{"type": "dense", "units": 2.5}]}, "got 2.5"),
        ({"layers": [{"type": "dense", "units": True}]}, "got true"),
        ({"layers": [{"type": "dropout", "rate": 1}]}, "layers[0].rate: expected a number ≥ 0 and < 1; got 1"),
        ({"layers": [{"type": "dropout", "rate": -0.1}]}, "got -0.1"),
        ({"layers": [{"type": "relu", "slope": 1}]}, "layers[0].slope: unknown field of relu; it takes none"),
        (
            {"layers": [{"type": "dense", "units": 2, "initializer": {"type": "xavier", "distribution": "cauchy"}}]},
            "initializer.distribution: expected one of uniform, normal; got 'cauchy'",
        ),
        ({"layers": ["relu"], "loss": 1}, "network.loss: unknown field"),
        ({"layers": ["relu"], "generator": "dice"}, "generator: expected one of pcg64, legacy; got 'dice'"),
        ({"layers": [{"type": "dense", "units": 90_000}] * 2}, "expected at most 50,000,000 parameters"),
    ],
)
def test_a_bad_spec_names_the_field_what_was_expected_and_what_came(spec, message):
    with pytest.raises(ValueError, match="network") as refused:
        Network.from_spec(spec, input_shape=(4,))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights.pop("0.bias"), "weights: expected"),
        (lambda weights: weights.update({"9.weight": np.zeros(1)}), "weights: expected"),
        (lambda weights: weights.update({"0.bias": np.zeros(8)}), "weights[0.bias]: expected the shape (7,); got (8,)"),
        (lambda weights: weights.update({"0.bias": np.full(7, np.nan)}), "expected finite numbers"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_nothing_is_changed(change, message):
    network = build()
    before = network.params.copy()
    weights = {name: array + 1 for name, array in network.weights().items()}
    change(weights)
    with pytest.raises(ValueError, match="weights") as refused:
        network.load_weights(weights)
    assert message in str(refused.value)
    assert np.array_equal(network.params, before)


def test_features_are_what_the_last_dense_layer_is_given():
    network = build()
    x = np.random.default_rng(0).random((5, 2, 2)).astype(np.float32)
    found = network.infer(x)
    assert np.array_equal(found.outputs, network.forward(x, training=False))
    assert found.features.shape == (5, network.feature_count) == (5, 7)
    assert np.array_equal(found.outputs, network.layers[-1].forward(found.features, training=False))
    assert found.logits.dtype == np.float64
    assert np.array_equal(found.logits, found.outputs)
    assert np.allclose(found.probabilities.sum(axis=1), 1)
    part = found[1:4]
    assert np.array_equal(part.logits, found.logits[1:4])
    assert np.array_equal(part.features, found.features[1:4])


def test_a_network_without_a_dense_layer_has_its_last_layers_inputs_as_features():
    network = Network.from_spec({"layers": ["relu", "flatten"]}, input_shape=(2, 2))
    x = np.array([[[-1, 2], [3, -4]]], np.float32)
    assert network.infer(x).features.tolist() == [[0, 2, 3, 0]]
    assert network.feature_count == 4


def test_the_logits_of_probabilities_are_their_logarithms():
    network = Network.from_spec({"layers": ["softmax"]}, input_shape=(3,))
    found = network.infer(np.array([[0, 1, 2], [0, -200, 0]], np.float32))
    assert found.probabilities is found.outputs
    assert np.allclose(found.logits[0], np.log(found.outputs[0]))
    assert np.isfinite(found.logits).all()  # also where a probability underflowed
