"""The weights of a training while somebody watches it."""

import json

import numpy as np
import pytest
from safetensors.numpy import load

from app.nn import Network
from app.runs.training import live_weights
from app.runs.training.live_weights import LiveWeights

LAYERS = {"layers": [{"type": "dense", "units": 3}, {"type": "batch_norm"}]}


@pytest.fixture
def network():
    made = Network.from_spec(LAYERS, input_shape=(4,))
    made.initialize(1)
    return made


@pytest.fixture
def live(tmp_path, monkeypatch):
    monkeypatch.setattr(live_weights, "LEAST_SECONDS", 0.0)
    return LiveWeights(tmp_path, "log")


def test_nobody_watches_and_nothing_is_written(live, network, tmp_path):
    live.writer(7).offer(network, epoch=1, batch=1)
    assert list(tmp_path.rglob("*")) == []


def test_whoever_asks_gets_the_weights_of_the_next_batch(live, network):
    writer = live.writer(7)
    assert live.ask(7) is None
    writer.offer(network, epoch=2, batch=5)
    found = live.ask(7)
    header = json.loads(found[8 : 8 + int.from_bytes(found[:8], "little")])
    assert header["__metadata__"] == {"epoch": "2", "batch": "5"}
    weights = load(found)
    assert weights.keys() == network.weights().keys()
    assert all(np.array_equal(array, weights[name]) for name, array in network.weights().items())
    assert live.ask(8) is None
    live.forget(7)
    assert live.ask(7) is None


def test_it_stops_some_seconds_after_the_last_question_and_writes_no_large_network(live, network, monkeypatch):
    now = 100.0
    monkeypatch.setattr(live_weights.time, "monotonic", lambda: now)
    writer = live.writer(7)
    live.ask(7)
    writer.offer(network, epoch=1, batch=1)
    first = live._weights(7).stat().st_mtime_ns
    now += live_weights.WATCHED_SECONDS + 1
    writer.offer(network, epoch=1, batch=2)
    assert live._weights(7).stat().st_mtime_ns == first
    monkeypatch.setattr(live_weights, "MOST_PARAMETERS", 5)
    live.ask(7)
    writer.offer(network, epoch=1, batch=3)
    assert live._weights(7).stat().st_mtime_ns == first


def test_a_folder_that_takes_nothing_does_not_end_the_training(live, network, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    live.ask(7)
    writer = live.writer(7)
    monkeypatch.setattr(live_weights, "write_atomic", full)
    writer.offer(network, epoch=1, batch=1)
    monkeypatch.undo()
    assert live.ask(7) is None
