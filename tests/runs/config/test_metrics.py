"""The table of what is measured names all that a training measures."""

from numbers import Real

from app.runs.config.metrics import METRICS
from tests.support.runs import TINY

NOT_MEASURED = {"best_epoch", "epochs", "test_samples"}
"""Numbers of events that count or place what was measured."""


def test_every_number_of_an_epoch_and_of_the_end_is_in_the_table(client, ended):
    run = client.post("/api/runs", json={"recipe": "quick", "overrides": TINY}).json()["id"]
    ended(run)
    events = client.get(f"/api/runs/{run}/events").json()["events"]
    told = [event["data"] for event in events if event["type"] in ("epoch", "evaluated")]
    assert len(told) == 3
    measured = {
        key for data in told for key, value in data.items() if isinstance(value, Real) and not isinstance(value, bool)
    }
    assert measured - NOT_MEASURED <= {metric.name for metric in METRICS}
    first = {metric.name: metric.of(told[0]) for metric in METRICS}
    assert (first["epoch"], first["yours_loss"], first["test_loss"]) == (1, None, None)
    assert first["train_loss"] == told[0]["train_loss"]
    (yours,) = (metric for metric in METRICS if metric.name == "yours_loss")
    assert yours.of({"yours": {"loss": 0.5}}) == 0.5
    assert yours.of({"yours": None}) is None


def test_each_metric_is_tracked_under_a_name_of_its_own():
    tracked = [metric.tracked for metric in METRICS if metric.tracked is not None]
    assert len(set(tracked)) == len(tracked)
    assert len({metric.name for metric in METRICS}) == len(METRICS)
