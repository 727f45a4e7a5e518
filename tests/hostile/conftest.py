"""One real server for all attacks, a wire to it that corrects nothing, and a look at the server after each attack."""

import json
from collections.abc import Iterator

import pytest

from tests.support.hostile import PREDICT, TOKEN, Target
from tests.support.serving import serve


@pytest.fixture(scope="package")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server on loopback, which asks for no token."""
    home = tmp_path_factory.mktemp("home")
    with serve(home) as server:
        yield Target(server, home)


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server with both tokens."""
    home = tmp_path_factory.mktemp("home")
    with serve(home, DIGITPAD_TOKEN=TOKEN, DIGITPAD_PREDICT_TOKEN=PREDICT) as server:
        yield Target(server, home, TOKEN)


@pytest.fixture
def target(attacked: Target) -> Iterator[Target]:
    yield from _watched(attacked)


@pytest.fixture
def locked(guarded: Target) -> Iterator[Target]:
    yield from _watched(guarded)


def _watched(target: Target) -> Iterator[Target]:
    before = target.before = target.before or target.state()
    yield target
    health = target.send("GET", "/health")
    assert (health.status, json.loads(health.body)["ok"]) == (200, True)
    target.before = target.state()
    assert target.before == before
    assert target.server.process.poll() is None
