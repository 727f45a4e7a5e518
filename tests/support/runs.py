"""Small trainings, and a worker's job in the process of the test."""

from app.runs.log.state import ENDED
from app.runs.worker.job import Job
from tests.support.waiting import until

TINY = {
    "dataset": "strokes",
    "network": {"layers": [{"type": "dense", "units": 16}, {"type": "relu"}, {"type": "dense", "units": 10}]},
    "batch_size": 500,
    "epochs": 2,
}
"""Overrides that make any recipe a training of a second."""


def start(client, **overrides):
    response = client.post("/api/runs", json={"recipe": "quick", "overrides": {**TINY, **overrides}})
    assert response.status_code == 201, response.text
    return response.json()


def wait_for_end(client, run):
    """The row of the run when it is over."""
    return until(lambda: (row := client.get(f"/api/runs/{run}").json())["state"] in ENDED and row)


class ControlFlags:
    """Nothing is asked, unless a test says so."""

    def __init__(self):
        self.cancel = self.pause = self.keep_model = self.leave = False


def work(log, settings, wanted=None):
    claim = log.claim("me")
    Job(log, claim, settings, wanted or ControlFlags()).run()
    return log.run(claim.run)


def types(log, run):
    return [found["type"] for found in log.events(run)]


class AfterEpochs:
    """Does something once, after so many epochs were said."""

    def __init__(self, log, monkeypatch, epochs, action):
        say = log.append
        self.seen = 0

        def spoken(claim, kind, data, **columns):
            say(claim, kind, data, **columns)
            self.seen += kind == "epoch"
            if self.seen == epochs and kind == "epoch":
                action()

        monkeypatch.setattr(log, "append", spoken)
