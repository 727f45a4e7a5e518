"""The runs of a race take turns of an epoch, also with one worker."""

import pytest

from app.models import ModelStore
from app.runs.config.run_config import request_config
from app.runs.config.sweep import race_configs
from app.runs.log.state import ENDED
from tests.support.runs import TINY, AfterEpochs, types, work

pytestmark = pytest.mark.usefixtures("uncalibrated")
THREE = {**TINY, "epochs": 3, "validation": 0.1}
TIMES = ("seconds", "samples_per_second")


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    for name in ("LEAST_TURN_SECONDS", "LEAST_TURN_LOADINGS"):
        monkeypatch.setattr(f"app.runs.worker.job.{name}", 0.0)


def queue_race(log, values=("sgd", "momentum", "adam")):
    base = request_config({"recipe": "quick", "overrides": THREE})
    return log.add_race(race_configs(base, "optimizer", list(values)), lambda first: [f"race: optimizer #{first}"])


def turns(log, settings):
    """The runs in the order of their turns, until nothing waits."""
    found = []
    while log.waiting():
        found.append(work(log, settings)["id"])
    return found


def logged(log, run):
    return [
        (event["type"], {key: value for key, value in event["data"].items() if key not in TIMES})
        for event in log.events(run)
        if event["type"] in ("epoch", "evaluated")
    ]


def test_all_runs_of_a_race_go_on_by_turns_and_end_as_they_would_alone(log, settings):
    race = queue_race(log)
    first, second, third = race
    # one that has done as few epochs as all others goes on, so that there are no more turns than needed
    assert turns(log, settings) == [first, second, third, first, second, first, third]
    store = ModelStore(settings.home)
    for run in race:
        row = log.run(run)
        assert (row["state"], row["attempt"]) == ("succeeded", 3 if run == first else 2)
        assert types(log, run) == ["queued", "started", *["epoch"] * 3, "evaluated", "model_saved", "succeeded"]
        alone = log.add(request_config(row["config"]))
        assert work(log, settings)["attempt"] == 1
        assert store.get(log.run(alone)["model"]).sha256 == store.get(row["model"]).sha256
        assert logged(log, alone) == logged(log, run)


def test_a_run_that_is_queued_during_a_race_is_next_and_trained_as_a_whole(log, settings, monkeypatch):
    queued = []
    first, second = queue_race(log, ("sgd", "adam"))
    AfterEpochs(
        log, monkeypatch, 1, lambda: queued.append(log.add(request_config({"recipe": "quick", "overrides": THREE})))
    )
    assert work(log, settings)["id"] == first
    assert work(log, settings)["id"] == queued[0]
    assert log.run(queued[0])["state"] == "succeeded"
    assert set(turns(log, settings)) == {first, second}


def test_paused_and_cancelled_runs_of_a_race_are_passed_over(log, settings):
    first, second, third = queue_race(log)
    assert [work(log, settings)["id"] for _ in range(3)] == [first, second, third]
    log.request_pause(first)
    log.request_cancel(second)
    assert work(log, settings)["id"] == third
    assert [log.run(run)["state"] for run in (first, second, third)] == ["paused", "cancelled", "succeeded"]
    log.request_resume(first)
    assert turns(log, settings) == [first]
    assert {log.run(run)["state"] for run in (first, second, third)} <= ENDED


def test_what_only_the_end_needs_is_not_computed_in_every_turn(log, settings, monkeypatch):
    fitted = []
    monkeypatch.setattr("app.runs.training.run_training.fit_subspaces", lambda *_: fitted.append(1))
    race = queue_race(log)
    assert len(turns(log, settings)) > len(race) == len(fitted)


def test_a_request_at_the_end_of_a_turn_is_respected(log, settings, monkeypatch):
    first, second = queue_race(log, ("sgd", "adam"))
    AfterEpochs(log, monkeypatch, 1, lambda: log.request_pause(first))
    assert work(log, settings)["state"] == "paused"
    assert turns(log, settings) == [second]


def test_a_turn_goes_on_while_it_is_shorter_than_its_cost_is_worth(log, settings, monkeypatch):
    monkeypatch.setattr("app.runs.worker.job.LEAST_TURN_SECONDS", 1000.0)
    race = queue_race(log)
    assert turns(log, settings) == race
