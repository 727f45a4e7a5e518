"""The plane of the loss: its directions, its places and its losses, by NumPy alone."""

import numpy as np
import pytest

from app.nn import LOSSES, Network, build
from app.runs.trajectory.loss_plane import LossPlane, measure_plane, principal_plane
from app.runs.trajectory.trajectories import put_vector, vector_of

RNG = np.random.default_rng(4)
IMAGES = RNG.integers(0, 256, (50, 28, 28), dtype=np.uint8)
LABELS = RNG.integers(0, 3, 50)
LAYERS = [{"type": "dense", "units": 5}, {"type": "relu"}, {"type": "dense", "units": 3}]


def network_of(layers):
    network = Network.from_spec({"layers": layers}, input_shape=(28, 28))
    network.initialize(1)
    return network


def near(network, count, spread=0.02):
    """Weights near those of the network, float32 (count, P)."""
    vector = vector_of(network)
    return (vector + spread * RNG.normal(size=(count, vector.size))).astype(np.float32)


def loss_by_hand(vector):
    """The cross-entropy of the two dense layers, in float64."""
    shapes = [(784, 5), (5,), (5, 3), (3,)]
    parts, start = [], 0
    for shape in shapes:
        parts.append(vector[start : start + np.prod(shape)].reshape(shape))
        start += np.prod(shape)
    first, first_bias, second, second_bias = parts
    hidden = np.maximum(IMAGES.reshape(50, 784) / 255 @ first + first_bias, 0)
    logits = hidden @ second + second_bias
    logits -= logits.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(50), LABELS]))


def measured(network, vectors, side=5):
    loss = build("loss", LOSSES, {"type": "cross_entropy"})
    return measure_plane(network, vectors, IMAGES, LABELS, loss=loss, input_scale=255.0, side=side)


@pytest.mark.parametrize("numbers", [7, 200_000])
def test_the_plane_is_that_of_numpys_singular_vectors(numbers):
    vectors = (RNG.normal(size=(9, numbers)) * np.linspace(0.1, 3, 9)[:, None]).astype(np.float32)
    mean, directions, points, shares = principal_plane(vectors)
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    left, singular, right = np.linalg.svd(centred, full_matrices=False)
    for axis in range(2):
        sign = np.sign(left[-1, axis])
        np.testing.assert_allclose(points[:, axis], sign * left[:, axis] * singular[axis], atol=1e-3)
        np.testing.assert_allclose(directions[axis], sign * right[axis], atol=1e-4)
    np.testing.assert_allclose(shares, singular[:2] ** 2 / (singular**2).sum(), rtol=1e-6)
    np.testing.assert_allclose(centred @ directions.T, points, atol=1e-3)
    np.testing.assert_allclose(mean, vectors.mean(axis=0, dtype=np.float64))


def test_losses_are_those_of_the_weights_at_the_points_of_the_grid():
    network = network_of(LAYERS)
    vectors = near(network, 6)
    plane = measured(network, vectors)
    mean, directions, points, shares = principal_plane(vectors)
    np.testing.assert_array_equal(plane.points, points)
    np.testing.assert_array_equal(plane.variance, shares)
    for row, y in enumerate(plane.y):
        for column, x in enumerate(plane.x):
            by_hand = loss_by_hand(mean + x * directions[0] + y * directions[1])
            assert plane.losses[row, column] == pytest.approx(by_hand, rel=1e-4)
    assert plane.measured.tolist() == pytest.approx([loss_by_hand(v.astype(np.float64)) for v in vectors], rel=1e-4)
    assert plane.x[0] < points[:, 0].min() < points[:, 0].max() < plane.x[-1]
    assert plane.y[0] < points[:, 1].min() < points[:, 1].max() < plane.y[-1]
    assert plane.losses.std() > 0


def test_weights_that_do_not_differ_lie_in_one_place():
    network = network_of(LAYERS)
    plane = measured(network, np.repeat(near(network, 1), 3, axis=0))
    assert not plane.points.any()
    assert not plane.variance.any()
    np.testing.assert_allclose(plane.losses, plane.measured[0], rtol=1e-5)
    assert plane.x[0] < 0 < plane.x[-1]


def test_a_loss_that_is_no_number_is_infinite_and_no_variance_of_a_batch_is_negative():
    network = network_of([LAYERS[0], {"type": "batch_norm"}, *LAYERS[1:]])
    vectors = near(network, 4)
    names = list(network.weights())
    start = sum(network.weights()[name].size for name in names[: names.index("1.running_variance")])
    vectors[:, start : start + 5] = [[0.01], [0.02], [0.4], [0.5]]  # beyond the ends of the path it would be negative
    assert np.isfinite(measured(network, vectors).losses).all()
    large = near(network, 3) * np.float32(1e30)
    plane = measured(network, large)
    assert np.isinf(plane.losses).any()
    assert not np.isnan(plane.losses).any()


def test_a_file_of_another_grid_is_refused():
    network = network_of(LAYERS)
    plane = measured(network, near(network, 3))
    again = LossPlane.from_arrays(plane.arrays(), side=5, points=3)
    assert all(np.array_equal(array, again.arrays()[name]) for name, array in plane.arrays().items())
    with pytest.raises(ValueError, match="of this size"):
        LossPlane.from_arrays(plane.arrays(), side=6, points=3)
    vector = vector_of(network)
    put_vector(network, vector)
    np.testing.assert_array_equal(vector_of(network), vector)
