"""Every optimizer: two steps worked out by hand, and what it refuses."""

import math

import numpy as np
import pytest

from app.nn import OPTIMIZERS, SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSProp, build
from app.nn.optimizers import PIECE

START, GRADIENTS = 1.0, (0.5, -0.25)
"""One parameter at 1, and the gradients of two steps."""


def adam_by_hand():
    m1, v1 = 0.1 * 0.5, 0.001 * 0.25
    p1 = START - 0.1 * (m1 / 0.1) / (math.sqrt(v1 / 0.001) + 1e-8)
    m2, v2 = 0.9 * m1 + 0.1 * -0.25, 0.999 * v1 + 0.001 * 0.0625
    return p1, p1 - 0.1 * (m2 / (1 - 0.9**2)) / (math.sqrt(v2 / (1 - 0.999**2)) + 1e-8)


def adamw_by_hand():
    first, second = adam_by_hand()
    p1 = START * 0.95 + (first - START)
    return p1, p1 * 0.95 + (second - first)


CASES = [
    (SGD(0.1), (1 - 0.05, 0.95 + 0.025)),
    # v = −0.05, then 0.9·(−0.05) + 0.025 = −0.02
    (Momentum(0.1, momentum=0.9), (0.95, 0.93)),
    # v = −0.05, p = 1 + 0.9·(−0.05) − 0.05; then v = −0.045 + 0.025, p = 0.905 + 0.9·(−0.02) + 0.025
    (Nesterov(0.1, momentum=0.9), (0.905, 0.912)),
    # h = 0.25, then 0.3125
    (AdaGrad(0.1), (1 - 0.1 * 0.5 / 0.5, 0.9 + 0.1 * 0.25 / math.sqrt(0.3125))),
    # h = 0.025, then 0.9·0.025 + 0.1·0.0625 = 0.02875
    (
        RMSProp(0.1, rho=0.9),
        (1 - 0.1 * 0.5 / math.sqrt(0.025), 1 - 0.1 * 0.5 / math.sqrt(0.025) + 0.1 * 0.25 / math.sqrt(0.02875)),
    ),
    (Adam(0.1), adam_by_hand()),
    (AdamW(0.1, weight_decay=0.5), adamw_by_hand()),
]


@pytest.mark.parametrize(("optimizer", "expected"), CASES, ids=lambda value: getattr(value, "type", ""))
def test_two_steps_by_hand(optimizer, expected):
    params = np.array([START])
    for gradient, value in zip(GRADIENTS, expected, strict=True):
        optimizer.step(params, np.array([gradient]))
        assert params[0] == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_long_vector_is_updated_like_its_parts(name):
    rng = np.random.default_rng(0)
    whole, grads = rng.normal(size=2 * PIECE + 7), rng.normal(size=(3, 2 * PIECE + 7))
    parts = [whole[:5].copy(), whole[5 : PIECE + 9].copy(), whole[PIECE + 9 :].copy()]
    together, apart = build("optimizer", OPTIMIZERS, name), [build("optimizer", OPTIMIZERS, name) for _ in parts]
    for grad in grads:
        together.step(whole, grad)
        for optimizer, part, piece in zip(apart, parts, np.split(grad, [5, PIECE + 9]), strict=True):
            optimizer.step(part, piece)
    assert np.array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_finds_the_bottom_of_a_bowl(name):
    params = np.array([3.0, -2.0])
    rate = 0.5 if name == "adagrad" else 0.02
    optimizer = build("optimizer", OPTIMIZERS, {"type": name, "learning_rate": rate})
    for _ in range(500):
        optimizer.step(params, params * np.array([1.0, 4.0]))
    assert np.abs(params).max() < 0.05


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_spec_makes_an_equal_optimizer(name):
    optimizer = build("optimizer", OPTIMIZERS, {"type": name, "learning_rate": 0.25})
    again = build("optimizer", OPTIMIZERS, optimizer.spec())
    assert again.spec() == optimizer.spec()
    assert again.spec()["learning_rate"] == 0.25


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_restored_optimizer_goes_on_as_if_nothing_had_been(name):
    rng = np.random.default_rng(1)
    grads = rng.normal(size=(4, 10))
    straight, params = build("optimizer", OPTIMIZERS, name), np.ones(10)
    for grad in grads:
        straight.step(params, grad)
    first, broken = build("optimizer", OPTIMIZERS, name), np.ones(10)
    for grad in grads[:2]:
        first.step(broken, grad)
    second = build("optimizer", OPTIMIZERS, name)
    second.restore(first.steps, first.state)
    for grad in grads[2:]:
        second.step(broken, grad)
    assert np.array_equal(params, broken)


def test_restoring_the_state_of_another_rule_is_refused():
    with pytest.raises(ValueError, match=r"expected the arrays \['mean', 'mean_square'\]; got \['velocity'\]"):
        Adam().restore(3, {"velocity": np.zeros(3)})


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf, "fast", None, True])
def test_a_bad_learning_rate_is_refused(name, rate):
    with pytest.raises(ValueError, match=r"optimizer\.learning_rate: expected a number > 0; got"):
        build("optimizer", OPTIMIZERS, {"type": name, "learning_rate": rate})


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"type": "sdg"}, "expected a type of adagrad, adam, adamw, momentum, nesterov, rmsprop, sgd; got 'sdg'"),
        ({"type": "sgd", "momentum": 0.9}, "momentum: unknown field of sgd; it takes learning_rate"),
        ({"type": "adam", "beta1": 1}, "beta1: expected a number ≥ 0 and < 1; got 1"),
        ({"learning_rate": 1}, "got null"),
        (7, "expected an object with a type; got 7"),
    ],
)
def test_a_bad_spec_names_the_field(spec, message):
    with pytest.raises(ValueError, match="optimizer") as refused:
        build("optimizer", OPTIMIZERS, spec)
    assert message in str(refused.value)


@pytest.mark.parametrize("parts", [[slice(0, 6)], [slice(0, 1), slice(1, 4), slice(4, 6)]])
def test_adamw_decays_the_weights_and_not_the_biases(parts):
    params, grads = np.full(6, 2.0), np.zeros(6)
    optimizer = AdamW(0.1, weight_decay=0.5)
    optimizer.decayed = 3
    optimizer.begin_step(params)
    for part in parts:
        optimizer.apply(params, grads, part, scale=0.5)
    # 1 − ηλ with half the learning rate
    np.testing.assert_allclose(params, [2 * 0.975] * 3 + [2] * 3)
    assert "decayed" not in optimizer.spec()


@pytest.mark.parametrize("decay", [-0.1, math.nan])
def test_a_bad_weight_decay_is_refused(decay):
    with pytest.raises(ValueError, match=r"optimizer\.weight_decay: expected a number ≥ 0; got"):
        build("optimizer", OPTIMIZERS, {"type": "adamw", "weight_decay": decay})
