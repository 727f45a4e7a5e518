"""What the weights of a network are like, after each epoch."""

import numpy as np
import pytest

from app.nn import SGD, EpochMetrics, Network, Options, Trainer
from app.nn.statistics import BINS, first_patterns, layer_statistics, patterns
from app.nn.training.pool import is_possible

LAYERS = [{"type": "dense", "units": 256}, {"type": "batch_norm"}, {"type": "relu"}, {"type": "dense", "units": 10}]


def made(layers=LAYERS, shape=(28, 28)):
    network = Network.from_spec({"layers": layers}, input_shape=shape)
    network.initialize(3)
    return network


def test_histograms_are_numpys_and_norms_are_of_the_weights_alone():
    network = made()
    network.layers[3].params["bias"][:] = 99
    first, middle, last = layer_statistics(network, {})
    assert [layer.name for layer in (first, middle, last)] == ["1 dense", "2 batch_norm", "4 dense"]
    for layer, index in ((first, 0), (last, 3)):
        weights = network.layers[index].params["weight"]
        counts, edges = np.histogram(weights, BINS)
        assert sum(layer.counts) == weights.size
        assert np.abs(np.cumsum(layer.counts) - np.cumsum(counts)).max() <= 2  # a weight on an edge, in float32
        assert (layer.low, layer.high) == (edges[0], edges[-1])
        assert layer.weight_norm == pytest.approx(float(np.linalg.norm(weights.astype(float))))
        assert layer.gradient_norm is None
    assert (middle.low, middle.high, middle.counts) == (1, 1, (256,) + (0,) * (BINS - 1))


def statistics_of(processes, batch, layers, clip=None):
    rng = np.random.default_rng(0)
    x, t = rng.integers(0, 256, (600, 28, 28), np.uint8), rng.integers(0, 10, 600)
    x[:, 0] = 0  # inputs that a crew leaves out
    network = made(layers)
    options = Options(batch_size=batch, epochs=2, input_scale=255, weight_decay=0.0, clip_norm=clip)
    trainer = Trainer(network, x, t, optimizer=SGD(0.1), options=options, processes=processes)
    assert trainer.processes == processes
    found = []
    for step in trainer.run():
        if isinstance(step, EpochMetrics):
            found.append(trainer.statistics())
    return network, found


def test_the_gradient_is_that_of_the_epochs_last_batch():
    network, found = statistics_of(1, 200, LAYERS)
    for layer, index, name in zip(found[-1], (0, 1, 3), ("weight", "gamma", "weight"), strict=True):
        gradient = network.layers[index].grads[name]
        assert layer.gradient_norm == pytest.approx(float(np.linalg.norm(gradient)), rel=1e-5)
    clipped = statistics_of(1, 200, LAYERS, clip=0.01)[1][-1]
    assert sum(layer.gradient_norm**2 for layer in clipped) ** 0.5 <= 0.0101


@pytest.mark.skipif(not is_possible(), reason="needs anonymous shared memory")
def test_a_crew_gives_what_one_process_gives():
    layers = [{"type": "dense", "units": 64}, {"type": "relu"}, {"type": "dense", "units": 10}]
    alone, together = (statistics_of(processes, 200, layers)[1] for processes in (1, 2))
    for one, two in zip(alone[-1], together[-1], strict=True):
        assert two.gradient_norm == pytest.approx(one.gradient_norm, rel=1e-3)
        assert two.weight_norm == pytest.approx(one.weight_norm, rel=1e-4)
        assert sum(two.counts) == sum(one.counts)


def test_before_the_first_batch_there_is_no_gradient():
    network = made([{"type": "dense", "units": 10}])
    x, t = np.zeros((20, 28, 28), np.uint8), np.zeros(20, int)
    options = Options(batch_size=10, evaluate_training_set=True)
    trainer = Trainer(network, x, t, optimizer=SGD(), options=options)
    norms = [trainer.statistics()[0].gradient_norm for step in trainer.run() if isinstance(step, EpochMetrics)]
    assert norms[0] is None
    assert norms[1] >= 0


CONVOLUTION = {"type": "conv2d", "filters": 3, "kernel_size": [5, 3]}


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([{"type": "dense", "units": 10}], ("0.weight", (28, 28))),
        ([{"type": "flatten"}, {"type": "batch_norm"}, {"type": "dense", "units": 10}], ("2.weight", (28, 28))),
        ([CONVOLUTION, {"type": "dense", "units": 10}], ("0.weight", (5, 3))),
        ([{"type": "max_pool2d"}, {"type": "dense", "units": 10}], None),
        ([{"type": "relu"}], None),
    ],
)
def test_the_layer_that_looks_at_the_image_is_found(layers, expected):
    assert first_patterns(made(layers)) == expected


def test_patterns_have_the_places_of_the_pixels():
    network = made([{"type": "dense", "units": 4}])
    weights = network.weights()["0.weight"]
    found = patterns(weights, (28, 28))
    assert found.shape == (4, 28, 28)
    assert found[2, 5, 7] == weights[5 * 28 + 7, 2]
    filters = made([CONVOLUTION]).weights()["0.weight"]
    assert np.array_equal(patterns(filters, (5, 3)), filters[:, 0])
