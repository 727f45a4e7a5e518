"""Training: batches, metrics, repeatability, and what it refuses."""

import math

import numpy as np
import pytest

from app.nn import (
    SGD,
    Adam,
    Cosine,
    CrossEntropy,
    Diverged,
    EpochMetrics,
    Network,
    SquaredError,
    Trainer,
    TrainingOptions,
    evaluate,
    fit,
)

RNG = np.random.default_rng(5)
X = RNG.integers(0, 256, (230, 6), dtype=np.uint8)
T = (X[:, 0] > 127).astype(np.int64)


def network(dtype="float32", dropout=0.0):
    layers = [
        {"type": "dense", "units": 8},
        "relu",
        {"type": "dropout", "rate": dropout},
        {"type": "dense", "units": 2},
    ]
    built = Network.from_spec({"layers": layers}, input_shape=(6,), dtype=dtype)
    built.initialize(1)
    return built


def train(net=None, optimizer=None, schedule=None, validation=None, **options):
    net = net or network()
    options = TrainingOptions(**{"input_scale": 255, "batch_size": 32, "epochs": 3, "seed": 7, **options})
    optimizer = optimizer or Adam(0.01)
    return net, list(fit(net, X, T, optimizer=optimizer, schedule=schedule, validation=validation, options=options))


@pytest.mark.parametrize(("batch_size", "batches"), [(1, 230), (32, 8), (230, 1), (1000, 1)])
def test_online_mini_batch_and_full_batch_see_every_sample_once_an_epoch(batch_size, batches):
    seen = []
    net = network()
    forward = net.forward

    def watch(x, *, training):
        if training:
            seen.append(x.copy())
        return forward(x, training=training)

    net.forward = watch
    _, metrics = train(net, batch_size=batch_size, epochs=1)
    assert len(seen) == batches
    assert sorted(map(tuple, np.concatenate(seen))) == sorted(map(tuple, (X / np.float32(255)).astype(np.float32)))
    assert metrics[0].epoch == 1


def drawn(shuffle, seed=3, epochs=2):
    """The inputs and targets of each epoch, as the network and the loss were given them."""
    net, pairs = network(), []

    class Recorder(CrossEntropy):
        def value_and_gradient(self, outputs, targets, *, samples=None):
            pairs.append((inputs.pop(), targets.copy(), samples))
            return super().value_and_gradient(outputs, targets, samples=samples)

    inputs, forward = [], net.forward

    def watch(x, *, training):
        if training:
            inputs.append(x.copy())
        return forward(x, training=training)

    net.forward = watch
    options = TrainingOptions(batch_size=100, shuffle=shuffle, seed=seed, epochs=epochs)
    list(fit(net, X, T, loss=Recorder(), optimizer=SGD(1e-9), options=options))
    return [pairs[epoch * 3 : epoch * 3 + 3] for epoch in range(epochs)]


def test_without_shuffle_batches_come_in_the_order_of_the_set():
    for epoch in drawn(shuffle=False):
        assert [len(x) for x, _, _ in epoch] == [size for _, _, size in epoch] == [100, 100, 30]
        assert np.array_equal(np.concatenate([x for x, _, _ in epoch]), X.astype(np.float32))
        assert np.array_equal(np.concatenate([t for _, t, _ in epoch]), T)


def test_with_shuffle_inputs_keep_their_targets_and_epochs_differ():
    first, second = ([np.concatenate(part) for part in list(zip(*epoch, strict=True))[:2]] for epoch in drawn(True))
    for x, t in (first, second):
        assert np.array_equal(t, (x[:, 0] > 127).astype(np.int64))
        assert sorted(map(tuple, x)) == sorted(map(tuple, X.astype(np.float32)))
    assert not np.array_equal(first[0], second[0])
    again = drawn(True, epochs=1)[0]
    assert np.array_equal(np.concatenate([x for x, _, _ in again]), first[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_trainings_of_one_seed_are_equal_bit_for_bit(dtype):
    first, metrics = train(network(dtype, dropout=0.3))
    second, again = train(network(dtype, dropout=0.3))
    assert np.array_equal(first.params, second.params)
    assert [m.train_loss for m in metrics] == [m.train_loss for m in again]
    other, _ = train(network(dtype, dropout=0.3), seed=8)
    assert not np.array_equal(first.params, other.params)


def test_a_training_that_goes_on_at_an_epoch_ends_with_the_weights_of_an_unbroken_one():
    whole, _ = train(network(dropout=0.3), epochs=4)
    broken, optimizer = network(dropout=0.3), Adam(0.01)
    options = TrainingOptions(input_scale=255, batch_size=32, epochs=4, seed=7)
    for step in Trainer(broken, X, T, optimizer=optimizer, options=options).run():
        if isinstance(step, EpochMetrics) and step.epoch == 2:
            break
    resumed, second = network(dropout=0.3), Adam(0.01)
    resumed.params[:] = broken.params
    second.restore(optimizer.steps, optimizer.state)
    list(Trainer(resumed, X, T, optimizer=second, options=options).run(first_epoch=3))
    assert np.array_equal(whole.params, resumed.params)


def test_one_step_of_sgd_by_hand():
    net = Network.from_spec({"layers": [{"type": "dense", "units": 1}]}, input_shape=(1,), dtype="float64")
    net.params[:] = [2.0, 1.0]
    x, t = np.array([[3.0], [1.0]]), np.array([[5.0], [1.0]])
    # outputs 7 and 3, errors 2 and 2: loss ½(4 + 4)/2 = 2; dW = (2·3 + 2·1)/2 = 4; db = 2
    options = TrainingOptions(batch_size=2, shuffle=False)
    (metrics,) = fit(net, x, t, loss=SquaredError(), optimizer=SGD(0.1), options=options)
    assert metrics.train_loss == 2
    assert metrics.train_accuracy is None
    np.testing.assert_allclose(net.params, [2 - 0.4, 1 - 0.2])


def test_weight_decay_acts_on_weights_and_not_on_biases():
    net = Network.from_spec({"layers": [{"type": "dense", "units": 1}]}, input_shape=(1,), dtype="float64")
    net.params[:] = [2.0, 1.0]
    x, t = np.array([[0.0]]), np.array([[1.0]])
    list(fit(net, x, t, loss=SquaredError(), optimizer=SGD(0.1), options=TrainingOptions(weight_decay=0.5)))
    np.testing.assert_allclose(net.params, [2 - 0.1 * 0.5 * 2, 1])


def test_it_learns_and_its_metrics_are_those_of_an_evaluation():
    net, metrics = train(epochs=30, validation=(X, T), evaluate_training_set=True)
    assert [m.epoch for m in metrics] == list(range(31))
    assert metrics[0].seconds == 0
    assert metrics[-1].train_accuracy > 0.95
    assert metrics[-1].train_loss == metrics[-1].val_loss
    measured = evaluate(net, X, T, loss=CrossEntropy(), input_scale=255)
    assert (measured.loss, measured.accuracy) == (metrics[-1].val_loss, metrics[-1].val_accuracy)


def test_running_metrics_are_the_mean_over_samples_not_over_batches():
    net = network()
    trainer = Trainer(net, X, T, optimizer=SGD(1e-30), options=TrainingOptions(batch_size=200, input_scale=255))
    metrics = next(step for step in trainer.run() if isinstance(step, EpochMetrics))
    assert metrics.train_loss == pytest.approx(trainer.evaluate(X, T).loss, rel=1e-5)
    assert metrics.train_accuracy == trainer.evaluate(X, T).accuracy


def test_every_batch_is_reported_before_its_epoch():
    trainer = Trainer(network(), X, T, optimizer=SGD(0.1), options=TrainingOptions(batch_size=100, epochs=2))
    steps = [(type(s).__name__, s.epoch, getattr(s, "batch", None)) for s in trainer.run()]
    done = [("BatchMetrics", 1, batch) for batch in (1, 2, 3)]
    assert steps[:4] == [*done, ("EpochMetrics", 1, None)]
    assert len(steps) == 8
    assert trainer.batches == 3
    with pytest.raises(RuntimeError, match="make another Trainer"):
        next(trainer.run())


def test_a_batch_tells_the_accuracy_of_its_epoch_so_far():
    net = network()
    trainer = Trainer(
        net, X, T, optimizer=SGD(1e-30), options=TrainingOptions(batch_size=100, shuffle=False, input_scale=255)
    )
    *batches, metrics = trainer.run()
    seen = [evaluate(net, X[:end], T[:end], loss=CrossEntropy(), input_scale=255) for end in (100, 200, 230)]
    assert [batch.accuracy for batch in batches] == pytest.approx([one.accuracy for one in seen])
    assert batches[-1].accuracy == metrics.train_accuracy
    targets = np.zeros((230, 2))
    curve = Trainer(net, X, targets, loss=SquaredError(), optimizer=SGD(1e-30), options=TrainingOptions(batch_size=230))
    assert next(curve.run()).accuracy is None


def test_the_schedule_scales_the_learning_rate():
    _, metrics = train(schedule=Cosine(), epochs=4)
    rates = [m.learning_rate for m in metrics]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] < 0.01
    assert rates[-1] < 1e-4


def test_regression_fits_a_curve():
    x = np.linspace(-1, 1, 200).reshape(-1, 1)
    net = Network.from_spec(
        {"layers": [{"type": "dense", "units": 20}, "tanh", {"type": "dense", "units": 1}]}, input_shape=(1,)
    )
    net.initialize(0)
    options = TrainingOptions(batch_size=20, epochs=400)
    *_, last = fit(net, x, np.sin(3 * x), loss=SquaredError(), optimizer=Adam(0.02), schedule=Cosine(), options=options)
    assert last.train_loss < 1e-3
    assert last.train_accuracy is None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the overflow is what this test is about
def test_a_loss_that_is_no_longer_finite_stops_the_training():
    with pytest.raises(Diverged, match="epoch 1, batch") as diverged:
        train(optimizer=SGD(1e30), input_scale=1, epochs=2)
    assert diverged.value.epoch == 1
    assert diverged.value.batch > 1


@pytest.mark.parametrize(
    ("x", "t", "message"),
    [
        (X[:0], T[:0], "inputs: expected at least one sample; got none"),
        (X[:, :5], T, "inputs: expected the shape (N, (6,)); got (230, 5)"),
        (X.astype(str), T, "inputs: expected real numbers"),
        (X, T[:-1], "targets: expected 230, one per sample; got 229"),
        (X, T + 1, "targets: expected labels from 0 to 1"),
        (X, T - 1, "got -1 to 0"),
        (X, T.astype(float), "targets: expected integer labels (N,) or values (N, 2); got float64 (230,)"),
        (X, np.zeros((230, 3)), "got float64 (230, 3)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(x, t, message):
    with pytest.raises(ValueError, match="expected") as refused:
        Trainer(network(), x, t, optimizer=SGD(0.1))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size: expected a whole number ≥ 1; got 0"),
        ({"batch_size": 1.5}, "batch_size"),
        ({"epochs": -1}, "epochs: expected a whole number ≥ 1; got -1"),
        ({"seed": -1}, "seed"),
        ({"input_scale": 0}, "input_scale: expected a number > 0; got 0"),
        ({"weight_decay": math.nan}, "weight_decay: expected a number ≥ 0; got nan"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match="expected") as refused:
        TrainingOptions(**options)
    assert message in str(refused.value)


def test_cross_entropy_after_a_softmax_is_refused():
    net = Network.from_spec({"layers": [{"type": "dense", "units": 2}, "softmax"]}, input_shape=(6,))
    with pytest.raises(ValueError, match="leave out the last layer, softmax"):
        Trainer(net, X, T, optimizer=SGD(0.1))
    Trainer(net, X, T, optimizer=SGD(0.1), loss=SquaredError())


@pytest.mark.parametrize(
    ("limit", "moved"), [(5.0, (0.3, 0.4)), (2.5, (0.15, 0.2)), (None, (0.3, 0.4)), (100.0, (0.3, 0.4))]
)
def test_a_gradient_longer_than_the_limit_is_shortened_and_keeps_its_direction(limit, moved):
    net = Network.from_spec({"layers": [{"type": "dense", "units": 1}]}, input_shape=(1,), dtype="float64")
    # output 0, error 4: the gradient is (3, 4) of length 5 for x = 0.75
    x, t = np.array([[0.75]]), np.array([[-4.0]])
    options = TrainingOptions(clip_norm=limit)
    list(fit(net, x, t, loss=SquaredError(), optimizer=SGD(0.1), options=options))
    np.testing.assert_allclose(net.params, [-moved[0], -moved[1]])
