"""What the figures show is what the engine computes."""

import math
from itertools import pairwise

import numpy as np
import pytest

from app.learn.experiments import curves as lesson_curves
from app.learn.experiments import logic_gates, loss_surfaces
from app.nn.layers.activations import ACTIVATIONS
from app.nn.losses import LOSSES
from app.nn.optimizers import OPTIMIZERS


def curve(curves, name):
    one = curves["of"][name]
    return {x: (y, slope) for x, y, slope in zip(curves["x"], one["y"], one["slope"], strict=True)}


@pytest.fixture(scope="module")
def activations():
    found = lesson_curves.activation_curves()
    return {"x": found["x"], "of": {one["type"]: one for one in found["activations"]}}


def test_every_activation_of_the_engine_is_shown(activations):
    assert list(activations["of"]) == list(ACTIVATIONS)


@pytest.mark.parametrize(
    ("name", "x", "y", "slope"),
    [
        ("identity", 1.5, 1.5, 1),
        ("step", 1.5, 1, 0),
        ("step", -1.5, 0, 0),
        ("relu", 2, 2, 1),
        ("relu", -2, 0, 0),
        ("leaky_relu", -2, -0.02, 0.01),
        ("sigmoid", 0, 0.5, 0.25),
        ("sigmoid", 2, 1 / (1 + math.exp(-2)), math.exp(-2) / (1 + math.exp(-2)) ** 2),
        ("tanh", 1, math.tanh(1), 1 - math.tanh(1) ** 2),
        ("gelu", 0, 0, 0.5),
        ("softmax", 0, 0.5, 0.25),  # of x and 0: the sigmoid
        ("softmax", 2, 1 / (1 + math.exp(-2)), math.exp(-2) / (1 + math.exp(-2)) ** 2),
    ],
)
def test_an_activation_and_its_slope_are_as_worked_out_by_hand(activations, name, x, y, slope):
    assert curve(activations, name)[x] == pytest.approx((y, slope), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_slope_is_that_of_the_curve(activations, name):
    x, one = np.array(activations["x"]), activations["of"][name]
    smooth = np.abs(x) > 0.1  # away from the corners
    assert np.gradient(np.array(one["y"]), x)[smooth] == pytest.approx(np.array(one["slope"])[smooth], abs=2e-3)


@pytest.mark.parametrize(
    ("name", "p", "value", "slope"),
    [
        ("cross_entropy", 0.5, math.log(2), -0.5),
        ("cross_entropy", 0.1, -math.log(0.1), -0.9),
        # of p = softmax: the value is (1 − p)², the slope at the logit −2p(1 − p)²
        ("squared_error", 0.5, 0.25, -0.25),
        ("squared_error", 0.1, 0.81, -0.162),
    ],
)
def test_a_loss_is_as_worked_out_by_hand(name, p, value, slope):
    found = lesson_curves.loss_curves()
    assert [one["type"] for one in found["losses"]] == list(LOSSES)
    curves = {"x": [round(x, 6) for x in found["x"]], "of": {one["type"]: one for one in found["losses"]}}
    assert curve(curves, name)[p] == pytest.approx((value, slope), rel=1e-5)


def test_where_the_network_is_surely_wrong_cross_entropy_pulls_and_the_squared_error_does_not():
    slopes = {one["type"]: one["slope"] for one in lesson_curves.loss_curves()["losses"]}
    assert slopes["cross_entropy"][0] == min(slopes["cross_entropy"]) < -0.99
    assert -0.01 < slopes["squared_error"][0] < 0


def test_the_slope_of_the_step_function_is_zero_and_the_gradient_passes_it(activations):
    assert set(activations["of"]["step"]["slope"]) == {0}
    found = lesson_curves.signal("step", "he", 4, 30, 1.0)
    assert found["straight_through"]
    assert not lesson_curves.signal("relu", "he", 4, 30, 1.0)["straight_through"]
    assert {layer["slope"] for layer in found["layers"]} == {0}
    assert all(layer["gradient"] > 0 for layer in found["layers"])


def test_signals_vanish_and_explode_and_live_as_in_the_textbooks():
    def spreads(*settings):
        layers = lesson_curves.signal(*settings)["layers"]
        assert [layer["layer"] for layer in layers] == list(range(1, settings[2] + 1))
        assert all(sum(layer["counts"]) == lesson_curves.SAMPLES * settings[3] for layer in layers)
        return [layer["spread"] for layer in layers], [layer["gradient"] for layer in layers]

    small, back = spreads("tanh", "normal", 6, 50, 0.01)
    assert all(after < 0.2 * before for before, after in pairwise(small))
    assert back[0] < 1e-4 * back[-1]
    large, _ = spreads("relu", "normal", 6, 50, 1.0)
    assert large[-1] > 1000 * large[0]
    lives, back = spreads("relu", "he", 6, 50, 1.0)
    assert 0.3 < lives[-1] / lives[0] < 3
    assert 0.3 < back[0] / back[-1] < 3
    nothing, _ = spreads("relu", "zeros", 2, 10, 1.0)
    assert nothing == [0, 0]
    saturated = lesson_curves.signal("sigmoid", "normal", 5, 100, 1.0)["layers"][-1]
    assert saturated["counts"][0] > 4 * saturated["counts"][15] < saturated["counts"][-1]
    assert saturated["slope"] < 0.08  # of at most 0.25


@pytest.mark.parametrize("activation", lesson_curves.depth_choices()["activations"])
@pytest.mark.parametrize("initializer", lesson_curves.depth_choices()["initializers"])
def test_the_deepest_signal_stays_a_number(activation, initializer):
    for layer in lesson_curves.signal(activation, initializer, lesson_curves.DEPTHS[1], 60, 2.0)["layers"]:
        assert all(math.isfinite(layer[key]) for key in ("low", "high", "mean", "spread", "slope", "gradient"))


@pytest.mark.parametrize("name", loss_surfaces.SURFACES)
def test_the_gradient_of_a_surface_is_its_slope(name):
    surface = loss_surfaces.SURFACES[name]
    for x, y in [surface.start, (0.3, -0.7), *surface.minima]:
        h = 1e-6
        across = (surface.value(x + h, y) - surface.value(x - h, y)) / (2 * h)
        up = (surface.value(x, y + h) - surface.value(x, y - h)) / (2 * h)
        assert surface.gradient(x, y) == pytest.approx((across, up), abs=1e-4)
    assert all(surface.gradient(*lowest) == pytest.approx((0, 0), abs=1e-12) for lowest in surface.minima)


def test_a_path_is_the_optimizers_own():
    points = loss_surfaces.path("valley", "sgd", 0.95, 2)["points"]
    assert points == [[-7, 2], pytest.approx([-7 + 0.95 * 0.7, 2 - 0.95 * 4]), pytest.approx([-5.733175, 1.62])]
    thrown = loss_surfaces.path("valley", "sgd", 9.0, 200)
    assert thrown["left"]
    assert len(thrown["points"]) == len(thrown["heights"]) < 201


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("surface", loss_surfaces.SURFACES)
def test_every_optimizer_goes_down_every_surface_at_the_rate_that_it_is_given(surface, optimizer):
    function = loss_surfaces.SURFACES[surface]
    heights = loss_surfaces.path(surface, optimizer, loss_surfaces.rate_of(function, optimizer), 200)["heights"]
    lowest = min(float(function.value(*place)) for place in function.minima)
    assert heights[-1] - lowest < 0.1 * (heights[0] - lowest)


@pytest.mark.parametrize("gate", logic_gates.GATES)
def test_a_perceptron_learns_every_gate_but_xor(gate):
    found = logic_gates.perceptron(gate, 0.1, 1)
    assert found["settled"] == (gate != "xor")
    w1, w2 = found["steps"][-1]["weights"]
    b = found["steps"][-1]["bias"]
    says = [int(w1 * x1 + w2 * x2 + b > 0) for x1, x2 in found["inputs"]]
    assert (says == list(found["targets"])) == found["settled"]


@pytest.mark.parametrize("gate", ["and", "or", "nand"])
@pytest.mark.parametrize("rate", [0.03, 0.05, 0.1, 0.35, 1.0])
def test_what_a_line_can_part_a_perceptron_settles_at_every_rate_of_the_slider(gate, rate):
    for seed in range(1, 13):
        found = logic_gates.perceptron(gate, rate, seed)
        assert (found["settled"], found["separable"]) == (True, True)


def test_a_perceptron_that_runs_out_of_epochs_is_not_said_to_have_no_line():
    tiny = logic_gates.perceptron("nand", 0.0005, 1)
    assert (tiny["settled"], tiny["separable"], tiny["epochs"]) == (False, True, logic_gates.MOST_EPOCHS)
    never = logic_gates.perceptron("xor", 0.1, 1)
    assert (never["settled"], never["separable"], never["epochs"]) == (False, False, 25)


def test_every_step_of_a_perceptron_is_the_rule():
    for step in logic_gates.perceptron("xor", 0.3, 4)["steps"]:
        error = step["y"] - step["t"]
        expected = [w - 0.3 * error * x for w, x in zip(step["before"]["weights"], step["x"], strict=True)]
        assert step["weights"] == pytest.approx(expected)
        assert step["bias"] == pytest.approx(step["before"]["bias"] - 0.3 * error)
        assert step["y"] == (step["sum"] > 0)


def test_two_layers_learn_xor():
    found = logic_gates.two_layers("xor", 4, "tanh", 0.5, 2)
    first, last = found["frames"][0], found["frames"][-1]
    assert (first["epoch"], last["epoch"]) == (0, logic_gates.EPOCHS)
    assert last["outputs"] == pytest.approx([0, 1, 1, 0], abs=0.05)
    assert last["loss"] < 0.05 < first["loss"]
    assert last["loss"] == pytest.approx(
        -np.mean([math.log(p if t else 1 - p) for p, t in zip(last["outputs"], found["targets"], strict=True)])
    )


def test_a_unit_multiplies_adds_and_bends():
    found = lesson_curves.neuron((1.0, 0.5), (0.8, -0.6), -0.2, "sigmoid")
    assert found["products"] == pytest.approx([0.8, -0.3])
    assert found["sum"] == pytest.approx(0.3)
    assert found["output"] == pytest.approx(1 / (1 + math.exp(-0.3)))
