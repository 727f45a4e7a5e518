"""What test_tracking.py does with the real MLflow, in a process of its own: it leaves much behind in one."""

import contextlib
import io
import json
import sys
from pathlib import Path

from app.cli import main
from app.runs.log.event_log import EventLog
from app.runs.log.transitions import Lease
from app.runs.tracking.follower import Follower, mlflow_sink
from tests.support.tracking import finish, say_epoch


def tell(home: Path, uri: str) -> dict[str, object]:
    """Tell MLflow a run with three epochs, then by another sink the rest; the command then finds all there."""
    log = EventLog(f"sqlite:///{home / 'digitpad.sqlite3'}")
    claim = Lease(1, 1)
    Follower(log, mlflow_sink(uri, "digitpad", log.id, home)).turn()
    sink = mlflow_sink(uri, "digitpad", log.id, home)
    sink.write(log.run(1), log.events(1, after=3))  # as if the answer to the last had been lost
    for epoch in (4, 5):
        say_epoch(log, claim, epoch)
    finish(log, claim)
    Follower(log, sink).turn()
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main(["runs", "export", "1", "--mlflow", uri])
    return {"said": said.getvalue().splitlines(), "last_seq": log.run(1)["last_seq"], **read_back(uri)}


def read_back(uri: str) -> dict[str, object]:
    """What MLflow itself says."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("digitpad")
    found = client.search_runs([experiment.experiment_id])
    run = found[0]
    history = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
    return {
        "runs": len(found),
        "status": run.info.status,
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": {key: [(one.step, round(one.value, 6)) for one in points] for key, points in history.items()},
    }


if __name__ == "__main__":
    print(json.dumps(tell(Path(sys.argv[1]), f"sqlite:///{sys.argv[2]}")))  # noqa: T201
