"""Tracking in MLflow: one MLflow run per run, identified by its tags, which also store the last `seq`.

A number that is sent twice, because an answer was lost, has the same step and time, and counts once.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from app.runs.log.state import ENDED, RunState
from app.runs.tracking.base import Event, Run, numbers_of, step_of
from app.storage.lock import FolderLock

MOST_NUMBERS = 1000
MOST_PARAMS = 100
LONGEST_PARAM = 500
"""The most characters that all versions and stores accept."""
LOG_TAG, RUN_TAG, SEQ_TAG, MODEL_TAG = "digitpad.log", "digitpad.run", "digitpad.seq", "digitpad.model"
ENDINGS = {RunState.SUCCEEDED: "FINISHED", RunState.FAILED: "FAILED", RunState.CANCELLED: "KILLED"}
REQUEST = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""Environment variables for MLflow: limits of retries, as digitpad retries itself, and no telemetry."""


class MlflowSink:
    """Writes to the tracking server or database `uri`, for the log with the id `log`."""

    name = "MLflow"

    def __init__(self, uri: str, experiment: str, log: str, home: Path) -> None:
        self._uri, self._experiment, self._log = uri, experiment, log
        self._lock = FolderLock(home / "tracking")
        self._known: dict[int, str] = {}
        self._opened: tuple[Any, str] | None = None

    def last_seq(self, run: Run) -> int:
        found = self._find(run["id"])
        return 0 if found is None else int(found.data.tags.get(SEQ_TAG, "0"))

    def write(self, run: Run, events: Sequence[Event]) -> None:
        from mlflow.entities import RunTag

        client, _ = self._open()
        key = self._run(run, events[0])
        for batch in _batches(run, events):
            client.log_batch(key, metrics=batch)
        last = events[-1]
        if last["type"] in ENDED:
            client.set_terminated(key, ENDINGS[RunState(last["type"])], _milliseconds(last["time"]))
        saved = [RunTag(MODEL_TAG, event["data"]["model"]) for event in events if event["type"] == "model_saved"]
        client.log_batch(key, tags=[*saved[-1:], RunTag(SEQ_TAG, str(last["seq"]))])

    def forget(self) -> None:
        self._known, self._opened = {}, None

    def _open(self) -> tuple[Any, str]:
        """The client, and the experiment's id."""
        if self._opened is None:
            for name, value in REQUEST.items():
                os.environ.setdefault(name, value)
            from mlflow import MlflowClient

            client = MlflowClient(tracking_uri=self._uri)
            experiment = client.get_experiment_by_name(self._experiment)
            key = client.create_experiment(self._experiment) if experiment is None else experiment.experiment_id
            self._opened = client, key
        return self._opened

    def _find(self, run: int) -> Any | None:
        client, experiment = self._open()
        query = f"tags.`{LOG_TAG}` = '{self._log}' and tags.`{RUN_TAG}` = '{run}'"
        found = client.search_runs([experiment], filter_string=query, max_results=1)
        return found[0] if found else None

    def _run(self, run: Run, first: Event) -> str:
        """MLflow's id of a run, which is created with its config if necessary."""
        from mlflow.entities import Param

        number = run["id"]
        if number not in self._known:
            client, experiment = self._open()
            with self._lock.hold():  # shared by the servers of one home
                found = self._find(number)
                if found is None:
                    tags = {
                        LOG_TAG: self._log,
                        RUN_TAG: str(number),
                        SEQ_TAG: "0",
                        "digitpad.tags": ", ".join(run["tags"]),
                    }
                    name = f"{run['config']['recipe']}-{number}"
                    start = _milliseconds(first["time"])
                    found = client.create_run(experiment, start_time=start, tags=tags, run_name=name)
            params = [Param(key, value) for key, value in flat(run["config"]).items()]
            for begin in range(0, len(params), MOST_PARAMS):
                client.log_batch(found.info.run_id, params=params[begin : begin + MOST_PARAMS])
            self._known[number] = found.info.run_id
        return self._known[number]


def flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """A config as MLflow's parameters: dots between names, lists as JSON, long values cut."""
    found: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            found[f"{prefix}{key}"] = text if len(text) <= LONGEST_PARAM else text[: LONGEST_PARAM - 1] + "…"
    return found


def _batches(run: Run, events: Sequence[Event]) -> Iterator[list[Any]]:
    """The numbers of events, in batches of MLflow's limit."""
    from mlflow.entities import Metric

    batch: list[Any] = []
    for event in events:
        at, step = _milliseconds(event["time"]), step_of(run, event)
        for name, number in numbers_of(event).items():
            if len(batch) == MOST_NUMBERS:
                yield batch
                batch = []
            batch.append(Metric(name, number, at, step))
    if batch:
        yield batch


def _milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)
