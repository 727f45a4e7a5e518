"""The step function trains by the perceptron rule: w ← w + η(t − y)x."""

import numpy as np
import pytest

from app.nn import SGD, Network, Options, SquaredError, evaluate, fit

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float64)


def perceptron(inputs, outputs):
    layers = [{"type": "dense", "units": outputs, "initializer": {"type": "zeros"}}, "step"]
    network = Network.from_spec({"layers": layers}, input_shape=inputs, dtype="float64")
    network.initialize(0)
    return network


def test_one_step_is_the_perceptron_rule():
    network = perceptron((2,), 1)
    network.params[:] = [1, -1, 0.5]
    x, t = np.array([[2.0, 1.0]]), np.array([[0.0]])  # 2 − 1 + 0.5 > 0: y = 1, wrong by one
    list(fit(network, x, t, loss=SquaredError(), optimizer=SGD(0.1), options=Options(batch_size=1)))
    np.testing.assert_allclose(network.params, [1 - 0.1 * 2, -1 - 0.1 * 1, 0.5 - 0.1])


@pytest.mark.parametrize(("gate", "truth"), [("and", [0, 0, 0, 1]), ("or", [0, 1, 1, 1])])
def test_it_learns_and_and_or(gate, truth):
    network, t = perceptron((2,), 1), np.array(truth, np.float64).reshape(-1, 1)
    options = Options(batch_size=1, epochs=20, shuffle=False)
    *_, last = fit(network, CORNERS, t, loss=SquaredError(), optimizer=SGD(0.5), options=options)
    assert last.train_loss == 0
    assert np.array_equal(network.forward(CORNERS, training=False), t)


def test_it_does_not_learn_exclusive_or():
    network, t = perceptron((2,), 1), np.array([[0.0], [1.0], [1.0], [0.0]])
    options = Options(batch_size=1, epochs=100)
    list(fit(network, CORNERS, t, loss=SquaredError(), optimizer=SGD(0.5), options=options))
    assert not np.array_equal(network.forward(CORNERS, training=False), t)


def test_it_learns_small_pictures_of_ten_labels():
    rng = np.random.default_rng(0)
    pictures = rng.random((10, 8, 8)) > 0.5
    labels = np.repeat(np.arange(10), 30)
    noisy = (pictures[labels] ^ (rng.random((300, 8, 8)) < 0.05)).astype(np.float64)
    network = perceptron((8, 8), 10)
    options = Options(batch_size=10, epochs=20)
    list(fit(network, noisy, labels, loss=SquaredError(), optimizer=SGD(0.1), options=options))
    assert evaluate(network, noisy, labels, loss=SquaredError()).accuracy > 0.99
