"""Pooling: by hand, gradients, and what it refuses. `tests/nn/golden` compares it with PyTorch."""

import numpy as np
import pytest

from app.nn import Network, gradient_check

POOLS = [
    {"type": kind, "size": size, "stride": stride}
    for kind in ("max_pool2d", "average_pool2d")
    for size, stride in ((2, 2), (3, 3), (3, 1), (2, 4), (1, 1))
]


def pool(spec, shape=(2, 6, 6)):
    return Network.from_spec({"layers": [spec]}, input_shape=shape, dtype="float64").layers[0]


IMAGE = np.array([[[[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 2.0, 6.0]]]])


def test_the_maximum_by_hand():
    layer = pool("max_pool2d", (1, 2, 4))
    assert layer.forward(IMAGE, training=True).tolist() == [[[[5, 6]]]]
    assert layer.backward(np.array([[[[7.0, 8.0]]]])).tolist() == [[[[0, 7, 0, 0], [0, 0, 0, 8]]]]


def test_the_mean_by_hand():
    layer = pool("average_pool2d", (1, 2, 4))
    assert layer.forward(IMAGE, training=True).tolist() == [[[[13 / 4, 10 / 4]]]]
    assert layer.backward(np.array([[[[4.0, 8.0]]]])).tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 3), (3, 1)])
def test_of_equal_numbers_the_first_alone_gets_the_gradient(size, stride):
    layer = pool({"type": "max_pool2d", "size": size, "stride": stride})
    layer.forward(np.zeros((2, 2, 6, 6)), training=True)
    grad = np.ones((2, *layer.build((2, 6, 6), "float64")))
    layer.forward(np.zeros((2, 2, 6, 6)), training=True)
    dx = layer.backward(grad)
    expected = np.zeros((6, 6))
    expected[: 6 - size + 1 : stride, : 6 - size + 1 : stride] = 1
    assert np.array_equal(dx, np.broadcast_to(expected, dx.shape))


@pytest.mark.parametrize("spec", POOLS, ids=str)
def test_windows_as_their_definition_says(spec):
    x = np.random.default_rng(0).normal(size=(3, 2, 6, 6))
    layer = pool(spec)
    windows = np.lib.stride_tricks.sliding_window_view(x, (spec["size"],) * 2, axis=(2, 3))
    windows = windows[:, :, :: spec["stride"], :: spec["stride"]]
    expected = windows.max(axis=(4, 5)) if spec["type"] == "max_pool2d" else windows.mean(axis=(4, 5))
    for training in (True, False):
        np.testing.assert_allclose(layer.forward(x, training=training), expected, atol=1e-15)


@pytest.mark.parametrize("spec", POOLS, ids=str)
def test_gradients_are_the_numerical_ones(spec):
    layers = [{"type": "conv2d", "filters": 2, "kernel_size": 1}, spec, {"type": "dense", "units": 3}]
    checked = Network.from_spec({"layers": layers}, input_shape=(6, 6), dtype="float64")
    checked.initialize(1)
    rng = np.random.default_rng(0)
    found = gradient_check(checked, rng.normal(size=(3, 6, 6)), rng.integers(0, 3, 3))
    assert found.relative_error < 1e-6


@pytest.mark.parametrize("kind", ["max_pool2d", "average_pool2d"])
def test_inference_writes_nothing(kind):
    layer = pool(kind)
    before = set(vars(layer))
    layer.forward(np.ones((2, 2, 6, 6)), training=False)
    assert set(vars(layer)) == before
    assert layer._buffers._arrays == {}


@pytest.mark.parametrize("spec", POOLS, ids=str)
def test_a_spec_makes_an_equal_layer(spec):
    assert pool(spec).spec() == spec


def test_the_stride_is_the_size_unless_given():
    assert pool({"type": "max_pool2d", "size": 3}).spec() == {"type": "max_pool2d", "size": 3, "stride": 3}


@pytest.mark.parametrize("kind", ["max_pool2d", "average_pool2d"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, "layers[0].size: expected a whole number from 1"),
        ({"stride": 0.5}, "layers[0].stride: expected a whole number from 1"),
        ({}, "layers[0].input_shape: expected a height and a width that windows of 2 at a stride of 2 divide; got 5"),
        ({"size": 7}, "layers[0].input_shape: expected a height and a width of at least the window's 7; got 6 and 0"),
    ],
)
def test_what_does_not_fit_is_refused(kind, settings, message):
    with pytest.raises(ValueError, match="network") as refused:
        Network.from_spec({"layers": [{"type": kind, **settings}]}, input_shape=(2, 6, 5))
    assert message in str(refused.value)
