"""The engine beside PyTorch: layers, losses, optimizers and schedules give its numbers.

`make_golden.py` wrote them, with the version of PyTorch that is in the file.
"""

from pathlib import Path

import numpy as np
import pytest

from app.nn import LAYERS, LOSSES, OPTIMIZERS, SCHEDULES, Network, build
from tests.nn.golden import cases

with np.load(Path(__file__).with_name("golden.npz"), allow_pickle=False) as file:
    GOLDEN = {name: file[name] for name in file.files}

TOLERANCES = {"float64": 1e-10, "float32": 1e-5}
"""Of the largest number of an array, or of 1."""

both = pytest.mark.parametrize("dtype", TOLERANCES)


def golden(name, dtype):
    array = GOLDEN[name]
    return array.astype(dtype) if array.dtype.kind == "f" else array


def assert_close(value, name, dtype):
    expected = GOLDEN[name]
    assert np.shape(value) == expected.shape
    assert np.abs(value - expected).max() <= TOLERANCES[dtype] * max(1, np.abs(expected).max())


def test_every_layer_loss_optimizer_and_schedule_has_its_numbers():
    assert {spec["type"] for spec, _ in cases.LAYERS.values()} == set(LAYERS) - {"dropout", "step"}  # not PyTorch's
    assert {spec["type"] for spec, _ in cases.LOSSES.values()} == set(LOSSES)
    assert {spec["type"] for spec in cases.OPTIMIZERS.values()} == set(OPTIMIZERS)
    assert {spec["type"] for spec in cases.SCHEDULES.values()} == set(SCHEDULES)
    assert str(GOLDEN["torch_version"]) > "2"


@both
@pytest.mark.parametrize("name", cases.LAYERS)
def test_layers(name, dtype):
    spec, (_, *shape) = cases.LAYERS[name]
    layer = Network.from_spec({"layers": [spec]}, input_shape=tuple(shape), dtype=dtype).layers[0]
    layer.needs_input_gradient = True
    if layer.params:
        layer.initialize(np.random.default_rng(0))
    for parameter, array in layer.params.items():
        array[:] = GOLDEN[f"layers/{name}/params/{parameter}"]
    x = golden(f"layers/{name}/x", dtype)
    y = layer.forward(x, training=True)
    assert y.dtype == dtype
    assert_close(y, f"layers/{name}/y", dtype)
    assert_close(layer.backward(golden(f"layers/{name}/grad", dtype)), f"layers/{name}/dx", dtype)
    for parameter, array in layer.grads.items():
        assert_close(array, f"layers/{name}/grads/{parameter}", dtype)
    for state, array in layer.state.items():
        assert_close(array, f"layers/{name}/state/{state}", dtype)
    at_inference = f"layers/{name}/inference" if layer.state else f"layers/{name}/y"
    assert_close(layer.forward(x, training=False), at_inference, dtype)


@both
@pytest.mark.parametrize("name", cases.LOSSES)
def test_losses(name, dtype):
    spec, _ = cases.LOSSES[name]
    loss = build("loss", LOSSES, spec)
    outputs, targets = golden(f"losses/{name}/outputs", dtype), golden(f"losses/{name}/targets", dtype)
    value, gradient = loss.value_and_gradient(outputs, targets)
    assert_close(value, f"losses/{name}/value", dtype)
    assert_close(gradient, f"losses/{name}/gradient", dtype)
    assert loss.total(outputs, targets) == pytest.approx(value * len(outputs))


@both
@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_optimizers(name, dtype):
    optimizer = build("optimizer", OPTIMIZERS, cases.OPTIMIZERS[name])
    optimizer.decayed = cases.DECAYED
    params = golden("optimizers/start", dtype)
    steps = []
    for gradient in golden("optimizers/gradients", dtype):
        optimizer.step(params, gradient)
        steps.append(params.copy())
    assert_close(np.stack(steps), f"optimizers/{name}/steps", dtype)


@pytest.mark.parametrize("name", cases.SCHEDULES)
def test_schedules(name):
    schedule = build("schedule", SCHEDULES, cases.SCHEDULES[name])
    # PyTorch's one-cycle is at its end in the last step, not after it
    last = cases.SCHEDULE_STEPS - (name == "one_cycle")
    factors = [schedule.factor(step / last) for step in range(cases.SCHEDULE_STEPS)]
    assert_close(np.array(factors), f"schedules/{name}/factors", "float64")
