"""Whatever dies, at whatever moment: the run ends with the very weights and log of one that was left alone.

`make chaos ROUNDS=300` does that many; DIGITPAD_CHAOS_SEED repeats those that a failed test has printed.
"""

import os
import random
import signal
import sys
import time

import pytest

from tests.chaos.servers import CONFIG, ENDS, House
from tests.support.home import freeze_between_writes
from tests.support.waiting import until

MOMENTS = int(os.environ.get("DIGITPAD_CHAOS_MOMENTS", "1"))
SEED = int(os.environ.get("DIGITPAD_CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of a home in Linux's /proc"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory, cache_dir):
    with House(tmp_path_factory.mktemp("house"), cache_dir) as opened:
        opened.open()
        yield opened


@pytest.fixture(scope="module")
def plain(house):
    """An undisturbed run: how long it took, its log and its weights."""
    started = time.monotonic()
    run = house.start_run()
    row = house.wait_for_end(run)
    seconds = time.monotonic() - started
    assert row["state"] == "succeeded", row["error"]
    return seconds, house.said(run), house.weights(row)


def kill_worker(house, run):
    for pid in house.workers():
        kill(pid)


def kill_crew(house, run):
    for pid in house.processes("app.nn.training.pool"):
        kill(pid)


def kill_server(house, run):
    house.server.process.kill()
    house.server.process.wait()
    house.open()


def kill_both(house, run):
    workers = house.workers()
    house.server.process.kill()
    for pid in workers:
        kill(pid)
    house.server.process.wait()
    house.open()


def freeze_worker(house, run):
    for pid in house.workers():
        kill(pid, signal.SIGSTOP)


def freeze_worker_and_kill_server(house, run):
    frozen = house.grown_workers()
    for pid in frozen:
        kill(pid, signal.SIGSTOP)
    kill_server(house, run)
    until(lambda: not set(frozen) & set(house.workers()))


def freeze_both_until_another_server_took_over(house, run):
    """The dead rise: what they then write must not be taken."""
    old, workers = house.server, house.workers()
    try:
        freeze_between_writes(house.home, [old.process.pid, *workers])
        attempt = house.open().get(f"/api/runs/{run}")["attempt"]
        if workers:
            until(lambda: (row := house.server.get(f"/api/runs/{run}"))["attempt"] > attempt or row["state"] in ENDS)
    finally:  # or all that come after fail too
        for pid in (old.process.pid, *workers):
            kill(pid, signal.SIGCONT)
    house.wait_for_end(run)
    old.process.terminate()
    old.process.wait(30)


def stop_server(house, run):
    house.server.process.terminate()
    assert house.server.process.wait(30) in (0, -signal.SIGTERM)  # uvicorn passes the signal on when it is done
    until(lambda: house.processes() == [])
    house.open()


def pause_and_resume(house, run):
    house.server.post(f"/api/runs/{run}/pause")
    until(lambda: house.server.get(f"/api/runs/{run}")["state"] in ("paused", *ENDS))
    house.server.post(f"/api/runs/{run}/resume")


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        """It ended by itself just now."""


DISTURBANCES = [
    kill_worker,
    kill_crew,
    kill_server,
    kill_both,
    freeze_worker,
    freeze_worker_and_kill_server,
    freeze_both_until_another_server_took_over,
    stop_server,
    pause_and_resume,
]


@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("disturb", DISTURBANCES, ids=lambda disturb: disturb.__name__)
def test_a_disturbed_run_ends_as_one_that_was_left_alone(house, plain, disturb, moment):
    seconds, said, weights = plain
    wait = random.Random(f"{SEED} {disturb.__name__} {moment}").uniform(0, seconds)
    print(f"DIGITPAD_CHAOS_SEED={SEED}: {disturb.__name__} after {wait:.3f} s")
    run = house.start_run()
    end = time.monotonic() + wait
    until(lambda: time.monotonic() > end)
    disturb(house, run)
    row = house.wait_for_end(run)
    assert row["state"] == "succeeded", row["error"]
    found = house.said(run)
    if disturb is pause_and_resume:
        found = without_pauses(found)
    assert found == said
    assert house.weights(row) == weights
    until(lambda: house.busy_workers() + house.processes("app.nn.training.pool") == [])
    until(lambda: house.left_behind(run) == [])


def test_the_runs_of_a_disturbed_race_end_as_those_that_were_left_alone(house):
    overrides = {**CONFIG["overrides"], "epochs": 24, "patience": None}
    values = ("sgd", "adam")
    queued = house.start_race({**CONFIG, "overrides": overrides, "vary": "optimizer", "values": values})
    race = [row["id"] for row in queued]
    until(lambda: all(house.server.get(f"/api/runs/{run}")["metrics"] for run in race))  # each has had a turn
    moments = random.Random(f"{SEED} race")
    print(f"DIGITPAD_CHAOS_SEED={SEED}")
    for disturb in (kill_worker, kill_server, stop_server, pause_and_resume):
        end = time.monotonic() + moments.uniform(0, 1.5)
        until(lambda end=end: time.monotonic() > end)
        disturb(house, moments.choice(race))
    rows = [house.wait_for_end(run) for run in race]
    assert [row["state"] for row in rows] == ["succeeded"] * len(race), [row["error"] for row in rows]
    assert all(row["attempt"] > 1 for row in rows)
    until(lambda: house.busy_workers() + house.processes("app.nn.training.pool") == [])
    for row in rows:
        alone = house.wait_for_end(house.start_run(row["config"]))
        assert without_pauses(house.said(row["id"])) == house.said(alone["id"])
        assert house.weights(row) == house.weights(alone)
        until(lambda row=row: house.left_behind(row["id"]) == [])


def without_pauses(said):
    """The log as it would be if nobody had paused: the rest in order, numbered anew."""
    rest = [(kind, data) for _, kind, data in said if kind not in ("paused", "resumed")]
    return [(seq, kind, data) for seq, (kind, data) in enumerate(rest, 1)]
