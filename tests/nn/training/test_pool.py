"""Processes that share each batch learn what one alone would, and leave nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.nn import Adam, AdamW, CrossEntropy, EpochMetrics, Momentum, Network, SquaredError, Trainer, TrainingOptions
from app.nn.errors import WorkerLostError
from app.nn.training.pool import WorkerPool, can_share
from app.nn.training.replica import StepSettings, part
from tests.support.serving import REPOSITORY
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(not can_share(), reason="this system has no shared memory that a crew can use")

RNG = np.random.default_rng(5)
X = RNG.integers(0, 256, (230, 6), dtype=np.uint8)
X[:, [1, 4]] = 0
T = (X[:, 0] > 127).astype(np.int64)


@pytest.fixture(autouse=True)
def shared(monkeypatch):
    monkeypatch.setattr("app.nn.training.trainer.SHARED_WORK", 0)


def network(dtype="float64", dropout=0.0, first="dense"):
    layers = [
        {"type": "dense", "units": 8},
        "relu",
        {"type": "dropout", "rate": dropout},
        {"type": "dense", "units": 2},
    ]
    if first != "dense":
        layers.insert(0, first)
    built = Network.from_spec({"layers": layers}, input_shape=(6,), dtype=dtype)
    built.initialize(1)
    return built


def train(net, processes, optimizer=None, targets=T, loss=None, **options):
    options = TrainingOptions(**{"input_scale": 255, "batch_size": 32, "epochs": 3, "seed": 7, **options})
    optimizer = optimizer or Adam(0.01)
    trainer = Trainer(net, X, targets, optimizer=optimizer, loss=loss, options=options, processes=processes)
    assert trainer.processes == processes
    return [step for step in trainer.run() if isinstance(step, EpochMetrics)]


@pytest.mark.parametrize(
    ("processes", "options"),
    [
        (2, {}),
        (3, {"weight_decay": 0.01}),
        (2, {"clip_norm": 0.05}),
        (2, {"shuffle": False, "evaluate_training_set": True}),
        (3, {"batch_size": 230}),
    ],
    ids=str,
)
def test_a_crew_learns_what_one_alone_does(processes, options):
    alone, together = network(), network()
    one, many = train(alone, 1, **options), train(together, processes, **options)
    np.testing.assert_allclose(together.params, alone.params, atol=1e-12)
    for a, b in zip(one, many, strict=True):
        assert a.train_loss == pytest.approx(b.train_loss, abs=1e-12)
        assert a.train_accuracy == b.train_accuracy


def test_a_crew_learns_values_too_and_any_optimizer_keeps_its_state():
    values = np.stack([X[:, 0] / 255.0, X[:, 2] / 255.0], axis=1)
    alone, together = network(), network()
    one, two = Momentum(0.01), Momentum(0.01)
    train(alone, 1, one, values, SquaredError())
    train(together, 2, two, values, SquaredError())
    np.testing.assert_allclose(together.params, alone.params, atol=1e-12)
    assert one.steps == two.steps
    np.testing.assert_allclose(two.state["velocity"], one.state["velocity"], atol=1e-12)


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1), (2, 3)])
def test_a_training_goes_on_with_another_number_of_processes(first, second):
    whole, broken, optimizer, options = network(), network(), Adam(0.01), TrainingOptions(batch_size=32, epochs=4)
    list(Trainer(whole, X, T, optimizer=Adam(0.01), options=options).run())
    steps = Trainer(broken, X, T, optimizer=optimizer, options=options, processes=first).run()
    for step in steps:
        if isinstance(step, EpochMetrics) and step.epoch == 2:
            break
    steps.close()
    list(Trainer(broken, X, T, optimizer=optimizer, options=options, processes=second).run(first_epoch=3))
    np.testing.assert_allclose(broken.params, whole.params, atol=1e-12)


def test_a_crew_with_decoupled_weight_decay_decays_weights_alone():
    alone, together = network(), network()
    train(alone, 1, AdamW(0.01, weight_decay=0.1))
    train(together, 2, AdamW(0.01, weight_decay=0.1))
    np.testing.assert_allclose(together.params, alone.params, atol=1e-12)


def test_inputs_that_are_always_zero_are_left_out_and_their_weights_stay():
    before, after = network(), network()
    train(after, 2)
    weights = after.weights()["0.weight"]
    assert np.array_equal(weights[[1, 4]], before.weights()["0.weight"][[1, 4]])
    assert not np.isclose(weights[[0, 2, 3, 5]], before.weights()["0.weight"][[0, 2, 3, 5]]).any()


def test_a_first_layer_that_is_not_dense_gets_all_inputs():
    alone, together = network(first="tanh"), network(first="tanh")
    train(alone, 1)
    train(together, 2)
    np.testing.assert_allclose(together.params, alone.params, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_trainings_of_one_crew_and_seed_are_equal_bit_for_bit(dtype):
    first, second = network(dtype, dropout=0.3), network(dtype, dropout=0.3)
    assert [m.train_loss for m in train(first, 2)] == [m.train_loss for m in train(second, 2)]
    assert np.array_equal(first.params, second.params)


def test_a_crew_goes_on_at_an_epoch_as_if_nothing_had_been():
    whole = network(dropout=0.3)
    train(whole, 2, epochs=4)
    broken, optimizer = network(dropout=0.3), Adam(0.01)
    options = TrainingOptions(input_scale=255, batch_size=32, epochs=4, seed=7)
    steps = Trainer(broken, X, T, optimizer=optimizer, options=options, processes=2).run()
    for step in steps:
        if isinstance(step, EpochMetrics) and step.epoch == 2:
            break
    steps.close()
    kept = broken.params.copy(), optimizer.steps, {slot: vector.copy() for slot, vector in optimizer.state.items()}
    resumed, second = network(dropout=0.3), Adam(0.01)
    resumed.params[:] = kept[0]
    second.restore(kept[1], kept[2])
    list(Trainer(resumed, X, T, optimizer=second, options=options, processes=2).run(first_epoch=3))
    assert np.array_equal(whole.params, resumed.params)


def crew():
    rules = StepSettings(seed=1, input_scale=255.0, weight_decay=0.0, clip_norm=None)
    return WorkerPool(network(), Adam(0.01), CrossEntropy(), X, T, rules, batch_size=32, count=2)


def test_a_crew_whose_process_dies_says_so():
    with crew() as team:
        team.begin_epoch(1)
        team._processes[0].kill()
        team._processes[0].wait()
        with pytest.raises(WorkerLostError, match="a training process died"):
            team.step(0, 32, shuffled=False, scale=1.0)


def test_closing_ends_the_processes_and_the_shared_memory():
    with crew() as team:
        (process,) = team._processes
        file = team._file
        assert process.poll() is None
    assert process.poll() is not None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)
    assert "digitpad-training" not in Path("/proc/self/maps").read_text()


def test_a_crew_ends_when_the_process_that_began_it_is_killed():
    script = (
        "import os, signal; from tests.nn.training.test_pool import crew; team = crew();"
        "print(team._processes[0].pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    pid = int(ended.stdout)
    until(lambda: not _runs(pid), limit=10)


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123  # a process that ends between two calls is no error
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_small_batches_are_trained_alone(monkeypatch):
    monkeypatch.setattr("app.nn.training.trainer.SHARED_WORK", 1_000)
    options = TrainingOptions(batch_size=15)
    assert Trainer(network(), X, T, optimizer=Adam(), options=options, processes=2).processes == 1
    assert (
        Trainer(network(), X, T, optimizer=Adam(), options=TrainingOptions(batch_size=32), processes=2).processes == 2
    )


NORMALIZED = {
    "dense": [{"type": "dense", "units": 8}, "batch_norm", "relu", {"type": "dense", "units": 3}, "batch_norm"],
    "first": ["batch_norm", {"type": "dense", "units": 3}],
    "conv2d": [
        *({"type": "conv2d", "filters": 4, "kernel_size": 3}, "batch_norm", "relu"),
        *({"type": "conv2d", "filters": 3, "kernel_size": 3}, "batch_norm", "max_pool2d"),
        {"type": "dense", "units": 3},
    ],
}


def train_normalized(layers, processes, dtype="float64", samples=70):
    rng = np.random.default_rng(9)
    x, t = rng.normal(3, 2, (samples, 6, 6)), rng.integers(0, 3, samples)
    layers = [{"type": "flatten"}, *layers] if layers is not NORMALIZED["conv2d"] else layers
    net = Network.from_spec({"layers": layers}, input_shape=(6, 6), dtype=dtype)
    net.initialize(1)
    options = TrainingOptions(batch_size=32, epochs=3, weight_decay=0.01)
    trainer = Trainer(net, x, t, optimizer=Momentum(0.01), options=options, validation=(x, t), processes=processes)
    epochs = [step for step in trainer.run() if isinstance(step, EpochMetrics)]
    return trainer, net, epochs


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("layers", NORMALIZED.values(), ids=NORMALIZED)
def test_batch_normalization_is_of_the_whole_batch_though_it_is_shared_out(layers, processes):
    _, alone, one = train_normalized(layers, 1)
    trainer, together, many = train_normalized(layers, processes)
    assert trainer.processes == processes
    assert any("running_variance" in name for name in alone.weights())
    for name, array in alone.weights().items():
        np.testing.assert_allclose(together.weights()[name], array, atol=1e-11, err_msg=name)
    for a, b in zip(one, many, strict=True):
        assert a.train_loss == pytest.approx(b.train_loss, abs=1e-11)
        assert a.val_loss == pytest.approx(b.val_loss, abs=1e-11)


def test_a_crew_with_batch_normalization_comes_to_the_same_twice():
    first, second = (train_normalized(NORMALIZED["conv2d"], 2, "float32")[1].weights() for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(("samples", "processes"), [(64, 3), (65, 1), (66, 1), (67, 3)])
def test_a_process_without_a_sample_has_nothing_to_normalize_so_that_one_trains_alone(samples, processes):
    trainer, _, epochs = train_normalized(NORMALIZED["dense"], 3, samples=samples)
    assert trainer.processes == processes
    assert len(epochs) == 3


@pytest.mark.parametrize(("length", "count"), [(10, 1), (10, 2), (10, 3), (1, 2), (0, 2)])
def test_parts_cover_everything_once(length, count):
    parts = [part(length, rank, count) for rank in range(count)]
    assert [i for piece in parts for i in range(length)[piece]] == list(range(length))


@pytest.mark.parametrize(
    "layers", [["relu"], [{"type": "conv2d", "filters": 2, "kernel_size": 3}, "relu", "max_pool2d"]]
)
def test_a_last_batch_that_is_smaller_than_the_crew_is_learned_too(layers):
    x, t = RNG.random((33, 6, 6)), RNG.integers(0, 3, 33)
    spec = {"layers": [*layers, {"type": "dense", "units": 3}]}
    found = []
    for processes in (1, 2, 3):
        net = Network.from_spec(spec, input_shape=(6, 6), dtype="float64")
        net.initialize(1)
        options = TrainingOptions(batch_size=32, epochs=2)
        trainer = Trainer(net, x, t, optimizer=Adam(0.01), options=options, processes=processes)
        losses = [step.train_loss for step in trainer.run() if isinstance(step, EpochMetrics)]
        found.append([*losses, *net.params])
    np.testing.assert_allclose(found[1], found[0], atol=1e-12)
    np.testing.assert_allclose(found[2], found[0], atol=1e-12)


def test_a_crew_is_not_led_astray_by_another_app_in_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('the wrong app')")
    monkeypatch.chdir(tmp_path)
    with crew() as team:
        team.begin_epoch(1)
        team.step(0, 32, shuffled=False, scale=1.0)
