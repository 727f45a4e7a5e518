"""The gradient check itself."""

import numpy as np
import pytest

from app.nn import Dense, Network, gradient_check

SPEC = {"layers": [{"type": "dense", "units": 8}, "batch_norm", "tanh", {"type": "dense", "units": 3}]}


def network(dtype="float64"):
    built = Network.from_spec(SPEC, input_shape=(5,), dtype=dtype)
    built.initialize(3)
    return built


def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(4, 5)), rng.integers(0, 3, 4)


def test_it_sees_a_wrong_gradient(monkeypatch):
    right = Dense.backward

    def wrong(self, grad):
        result = right(self, grad)
        self.grads["weight"] *= 1.001
        return result

    monkeypatch.setattr(Dense, "backward", wrong)
    found = gradient_check(network(), *data())
    assert found.relative_error > 1e-4
    assert found.rows[0].relative_error > 1e-4


def test_it_leaves_the_network_as_it_was():
    checked = network()
    before = {name: array.copy() for name, array in checked.weights().items()}
    gradient_check(checked, *data())
    for name, array in checked.weights().items():
        assert np.array_equal(array, before[name])


def test_blank_pixels_under_biases_of_zero_do_not_put_it_on_a_kink():
    layers = [{"type": "conv2d", "filters": 3, "kernel_size": 3}, "relu", "max_pool2d", {"type": "dense", "units": 3}]
    checked = Network.from_spec({"layers": layers}, input_shape=(8, 8), dtype="float64")
    checked.initialize(1)
    x = np.zeros((4, 8, 8))
    x[:, 2:5, 3:6] = np.random.default_rng(0).random((4, 3, 3))
    assert gradient_check(checked, x, np.array([0, 1, 2, 0])).relative_error < 1e-6


def test_it_refuses_float32_where_differences_vanish():
    with pytest.raises(ValueError, match="expected float64"):
        gradient_check(network("float32"), *data())


def test_a_sample_checks_so_many_numbers_of_each_parameter():
    found = gradient_check(network(), *data(), sample=5)
    assert [(row.checked, row.size) for row in found.rows] == [(5, 40), (5, 8), (5, 8), (5, 8), (5, 24), (3, 3)]
    assert found.relative_error < 1e-6
    with pytest.raises(ValueError, match="sample: expected a whole number ≥ 1; got 0"):
        gradient_check(network(), *data(), sample=0)


def test_its_table_names_the_layers_and_sets_both_times_side_by_side():
    found = gradient_check(network(), *data(), sample=5)
    head, *lines = found.table().splitlines()
    assert head.split("  ")[0] == "layer"
    assert [line.split()[:3] for line in lines[:2]] == [["0", "dense", "weight"], ["0", "dense", "bias"]]
    assert lines[2].split()[:6] == ["1", "batch_norm", "gamma", "5", "of", "8"]
    assert lines[-2].startswith("numerical differentiation")
    assert lines[-2].endswith("for all 91")
    assert lines[-1].startswith("backpropagation")
    assert found.numerical_seconds > 0
    assert found.backpropagation_seconds > 0


def test_it_leaves_the_network_as_it_was_even_where_it_breaks(monkeypatch):
    net = network()
    before = net.params.copy()
    monkeypatch.setattr(Dense, "backward", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        gradient_check(net, *data())
    assert np.array_equal(net.params, before)


@pytest.mark.parametrize("labels", [[9, 0, 0, 0], [-1, 0, 0, 0], [0]])
def test_targets_that_do_not_fit_are_refused(labels):
    with pytest.raises(ValueError, match="gradient check targets: expected"):
        gradient_check(network(), data()[0], np.array(labels))
