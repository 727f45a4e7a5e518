"""Convolution: by hand, by its definition, and what it refuses. `tests/nn/golden` compares it with PyTorch."""

import threading

import numpy as np
import pytest

from app.nn import Network, gradient_check
from app.nn.layers.convolution import FEW, LARGE_MATRIX, _tile

SETTINGS = [
    {"kernel_size": 3},
    {"kernel_size": 1},
    {"kernel_size": 5, "padding": "same"},
    {"kernel_size": [2, 4], "padding": "same"},
    {"kernel_size": [4, 3], "stride": 2, "padding": 1},
    {"kernel_size": [2, 3], "stride": 3, "padding": "valid"},
]


def network(settings, shape=(2, 8, 9), filters=3, dtype="float64"):
    layers = [{"type": "conv2d", "filters": 2, "kernel_size": 1}, {"type": "conv2d", "filters": filters, **settings}]
    built = Network.from_spec({"layers": layers}, input_shape=shape, dtype=dtype)
    built.initialize(3)
    built.params[:] += np.random.default_rng(3).normal(size=built.params.size) * 0.1
    return built


def by_definition(layer, x):
    (top, bottom), (left, right) = layer.padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(x, layer.kernel, axis=(2, 3))
    y = np.einsum("nchwij,fcij->nfhw", windows[:, :, :: layer.stride, :: layer.stride], layer.params["weight"])
    return y + layer.params["bias"][:, None, None]


def test_by_hand():
    built = Network.from_spec(
        {"layers": ["identity", {"type": "conv2d", "filters": 1, "kernel_size": 2}]},
        input_shape=(1, 2, 3),
        dtype="float64",
    )
    layer = built.layers[1]
    layer.needs_input_gradient = True
    layer.params["weight"][:] = [[[[1, 2], [3, 4]]]]
    layer.params["bias"][:] = 10
    x = np.array([[[[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]]]])
    # 1·1 + 2·0 + 3·0 + 4·1 + 10, and 1·0 + 2·2 + 3·1 + 4·1 + 10
    assert layer.forward(x, training=True).tolist() == [[[[15, 21]]]]
    dx = layer.backward(np.array([[[[1.0, 2.0]]]]))
    assert dx.tolist() == [[[[1, 2 + 2 * 1, 2 * 2], [3, 4 + 2 * 3, 2 * 4]]]]
    assert layer.grads["weight"].tolist() == [[[[1 + 2 * 0, 0 + 2 * 2], [0 + 2 * 1, 1 + 2 * 1]]]]
    assert layer.grads["bias"].tolist() == [3]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("n", [1, 5, 64])
def test_it_is_what_its_definition_says_at_any_batch_size(settings, n):
    layer = network(settings).layers[1]
    x = np.random.default_rng(0).normal(size=(n, 2, 8, 9))
    for training in (True, False):
        np.testing.assert_allclose(layer.forward(x, training=training), by_definition(layer, x), atol=1e-13)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_its_gradients_are_the_numerical_ones(settings):
    rng = np.random.default_rng(0)
    built = network(settings)
    x = rng.normal(size=(3, 2, 8, 9))
    labels = rng.integers(0, 3, 3)
    checked = Network.from_spec(
        {"layers": [*built.spec()["layers"], {"type": "dense", "units": 3}]}, input_shape=(2, 8, 9), dtype="float64"
    )
    checked.initialize(1)
    # its first layer's gradient needs the second's gradient of the input
    assert gradient_check(checked, x, labels, sample=12).relative_error < 1e-6


def test_buffers_serve_a_smaller_batch_after_a_larger_one():
    built = network({"kernel_size": 3, "padding": 1})
    fresh = network({"kernel_size": 3, "padding": 1})
    x = np.random.default_rng(0).normal(size=(8, 2, 8, 9))
    for n in (8, 3, 8, 1):
        y, expected = built.forward(x[:n], training=True), fresh.forward(x[:n], training=False)
        np.testing.assert_allclose(y, expected, atol=1e-14)
        grad = np.ones((n, 3, 8, 9))
        built.backward(grad)
        again = network({"kernel_size": 3, "padding": 1})
        again.forward(x[:n], training=True)
        again.backward(grad)
        np.testing.assert_allclose(built.grads, again.grads, atol=1e-12)


def test_an_image_without_a_channel_axis_has_one_channel():
    built = Network.from_spec(
        {"layers": ["identity", {"type": "conv2d", "filters": 2, "kernel_size": 3}, "max_pool2d"]},
        input_shape=(28, 28),
        dtype="float64",
    )
    built.initialize(1)
    assert built.layers[1].params["weight"].shape == (2, 1, 3, 3)
    assert built.output_shape == (2, 13, 13)
    x = np.random.default_rng(0).normal(size=(4, 28, 28))
    assert built.forward(x, training=True).shape == (4, 2, 13, 13)
    built.layers[1].needs_input_gradient = True
    assert built.layers[1].backward(np.ones((4, 2, 26, 26))).shape == (4, 28, 28)


def test_the_first_layer_that_learns_computes_no_input_gradient(monkeypatch):
    built = network({"kernel_size": 3})
    monkeypatch.setattr(type(built.layers[0]), "_input_gradient", lambda self, dy: pytest.fail("not needed"))
    built.layers[0].forward(np.ones((2, 2, 8, 9)), training=True)
    built.layers[0].backward(np.ones((2, 2, 8, 9)))


def test_inference_writes_nothing_and_threads_may_share_it():
    built = network({"kernel_size": 3}, dtype="float32")
    x = np.random.default_rng(0).random((16, 2, 8, 9), np.float32)
    before = [dict(vars(layer)) for layer in built.layers]
    expected = [built.forward(x[part : part + 4], training=False) for part in range(0, 16, 4)]
    assert [set(vars(layer)) for layer in built.layers] == [set(kept) for kept in before]
    assert all(layer._buffers._arrays == {} for layer in built.layers)
    wrong = []

    def read(part):
        for _ in range(100):
            if not np.array_equal(built.forward(x[4 * part : 4 * part + 4], training=False), expected[part]):
                wrong.append(part)

    threads = [threading.Thread(target=read, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_it_starts_with_the_spread_of_its_initializer():
    spec = {"type": "conv2d", "filters": 200, "kernel_size": 5, "initializer": {"type": "he"}}
    built = Network.from_spec({"layers": [spec]}, input_shape=(8, 9, 9))
    built.initialize(1)
    assert built.params[: built.decayed].std() == pytest.approx((2 / (8 * 25)) ** 0.5, rel=0.02)
    assert not built.params[built.decayed :].any()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_spec_makes_an_equal_layer(settings):
    built = network(settings)
    again = Network.from_spec(built.spec(), dtype="float64")
    again.load_weights(built.weights())
    assert again.spec() == built.spec()
    x = np.random.default_rng(0).normal(size=(2, 2, 8, 9))
    assert np.array_equal(again.forward(x, training=False), built.forward(x, training=False))


def test_several_rows_at_once_only_where_few_filters_make_it_worth_while():
    assert _tile(28, 6, 5, 1) == 2
    assert _tile(10, 16, 5, 1) == 1
    assert _tile(27, 1, 5, 1) == 1  # 27 = 3 · 9, and 7/5 is too much waste
    assert _tile(28, 1, 1, 1) == 1  # nothing is shared


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filters": 0}, "layers[0].filters: expected a whole number from 1"),
        ({"kernel_size": 0}, "layers[0].kernel_size: expected a whole number from 1"),
        ({"kernel_size": [3]}, "layers[0].kernel_size: expected one number or [height, width]; got [3]"),
        ({"kernel_size": [3, "3"]}, "layers[0].kernel_size: expected a whole number"),
        ({"stride": 0}, "layers[0].stride: expected a whole number from 1"),
        ({"padding": 3}, "layers[0].padding: expected a whole number from 0 to 2; got 3"),
        ({"padding": "full"}, """layers[0].padding: expected a number, "same" or "valid"; got 'full'"""),
        ({"padding": "same", "stride": 2}, 'layers[0].padding: expected a number or "valid" where the stride is not 1'),
        (
            {"kernel_size": 9},
            "layers[0].input_shape: expected a height and a width of at least the window's 9; got 8 and 0",
        ),
        (
            {"stride": 2},
            "layers[0].input_shape: expected a height and a width that windows of 3 at a stride of 2 divide; got 8",
        ),
        ({"kernel_size": [2, 4], "stride": 2}, "divide; got 9"),
        ({"kernel_size": 4, "stride": 3, "padding": 1}, "divide; got 9 and 2 of padding"),
        ({"initializer": "hee"}, "layers[0].initializer: expected a type of he"),
    ],
)
def test_bad_settings_name_the_field_what_was_expected_and_what_came(settings, message):
    with pytest.raises(ValueError, match="network") as refused:
        Network.from_spec(
            {"layers": [{"type": "conv2d", "filters": 2, "kernel_size": 3, **settings}]}, input_shape=(2, 8, 9)
        )
    assert message in str(refused.value)


@pytest.mark.parametrize("layer", [{"type": "conv2d", "filters": 2, "kernel_size": 1}, {"type": "max_pool2d"}])
def test_a_layer_on_images_refuses_what_is_none(layer):
    with pytest.raises(ValueError, match=r"layers\[1\]\.input_shape: expected images .* got \(3,\)"):
        Network.from_spec({"layers": [{"type": "dense", "units": 3}, layer]}, input_shape=(4,))


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("count", [1, FEW, FEW + 1])
def test_a_few_images_and_many_get_the_same_outputs(settings, count):
    built = network(settings)
    x = np.random.default_rng(4).normal(size=(count, *built.input_shape))
    middle = built.layers[0].forward(x, training=False)
    np.testing.assert_allclose(
        built.layers[1].forward(middle, training=False), by_definition(built.layers[1], middle), atol=1e-12
    )
    np.testing.assert_allclose(built.forward(x, training=False), built.forward(x, training=True), atol=1e-12)


def test_a_kernel_that_is_not_multiplied_in_pieces_agrees_with_the_definition():
    built = network({"kernel_size": [3, 4], "padding": "same"}, filters=400)
    layer = built.layers[1]
    assert layer.params["weight"].size > LARGE_MATRIX
    x = np.random.default_rng(4).normal(size=(40, *layer.input_shape))
    np.testing.assert_allclose(layer.forward(x, training=True), by_definition(layer, x), atol=1e-11)
