"""`/metrics`: what is counted, what is read off the log, who may see it, and what cannot make it grow."""

import json
import re
from contextlib import nullcontext
from datetime import datetime
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from app.main import create_app
from app.recipes import get_recipe
from app.runs.config.run_config import parse_config
from app.runs.log.clock import now
from app.runs.log.event_log import EventLog
from app.runs.log.state import RunState
from app.runs.stats import queue_stats
from app.runs.training.checkpoints import Checkpoints
from app.web.middleware.access_log import AccessLogMiddleware
from app.web.prometheus.counters import PredictionOutcome
from app.web.prometheus.exposition import MOST_MODELS, OTHERS, PrometheusCounters
from tests.support.drawings import PNG, THREE
from tests.support.errors import is_an_error
from tests.support.runs import TINY
from tests.support.serving import REPOSITORY
from tests.support.waiting import run_async, until

THREES = {"strokes": THREE}


def samples(text):
    """Every sample: its name and its labels → its value."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(client):
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return samples(answer.text)


def predictions(found):
    """(model, outcome) → count."""
    return {
        (dict(labels)["model"], dict(labels)["outcome"]): value
        for (name, *labels), value in found.items()
        if name == "digitpad_predictions_total"
    }


def test_drawings_are_counted_by_model_and_by_what_came_of_them(client):
    noise = {"pixels": [(number * 7919 % 97) / 96 for number in range(784)]}
    two = {"strokes": [*THREE, *[[[x + 400, y] for x, y in stroke] for stroke in THREE]]}
    assert client.post("/predict", json=THREES).status_code == 200
    assert client.post("/predict", json=[THREES, {"pixels": [0] * 784}, noise, two]).status_code == 200
    assert client.post("/predict", content=PNG, headers={"content-type": "image/png"}).status_code == 200
    tensor = {"name": "input", "datatype": "FP32", "shape": [2, 784], "data": [0.0] * 1568}
    assert client.post("/v2/models/mnist-mlp/infer", json={"inputs": [tensor]}).status_code == 200
    is_an_error(client.post("/predict", json={}), 422)
    is_an_error(client.post("/v2/models/mnist-mlp/infer", json=[]), 400)
    for name in ("nobody", "x" * 64, "%0a"):
        is_an_error(client.post(f"/predict?model={name}", json=THREES), 404)
    found = scrape(client)
    assert predictions(found) == {
        ("mnist-mlp", "label"): 3,
        ("mnist-mlp", "blank"): 3,
        ("mnist-mlp", "not_a_digit"): 1,
        ("mnist-mlp", "several"): 1,
        ("mnist-mlp", "error"): 2,
        ("", "error"): 3,
    }
    assert found["digitpad_prediction_seconds_count",] == 4
    assert found["digitpad_prediction_seconds_bucket", ("le", "+Inf")] == 4
    assert found["digitpad_requests_total", ("method", "POST"), ("status", "404")] == 3
    assert found["digitpad_info", ("version", client.get("/openapi.json").json()["info"]["version"])] == 1


@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [(ClientDisconnect(), "499", nullcontext()), (RuntimeError(), "500", pytest.raises(RuntimeError))],
)
def test_a_client_that_leaves_is_no_error_of_the_server(error, status, outcome):
    async def fails(*_):
        raise error

    counters = PrometheusCounters()
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": []}
    with outcome:
        run_async(AccessLogMiddleware(fails, counters)(scope, None, None))
    assert samples(counters.text().decode())["digitpad_requests_total", ("method", "POST"), ("status", status)] == 1


def test_names_cannot_make_the_metrics_grow():
    counters = PrometheusCounters()
    for number in range(3 * MOST_MODELS):
        for _ in range(2):
            counters.read(f"model-{number}", PredictionOutcome.LABEL)
        counters.answered(f"METHOD{number}", 405)
    found = samples(counters.text().decode())
    assert len(predictions(found)) == MOST_MODELS + 1
    assert predictions(found)[OTHERS, "label"] == 2 * 2 * MOST_MODELS
    assert found["digitpad_requests_total", ("method", OTHERS), ("status", "405")] == 3 * MOST_MODELS


@pytest.mark.slow
def test_runs_sockets_and_checkpoints_are_read_off_their_owners(client):
    start = {"recipe": "quick", "overrides": {**TINY, "epochs": 100_000}}
    first, second = (client.post("/api/runs", json=start).json()["id"] for _ in range(2))
    until(lambda: client.get(f"/api/runs/{first}").json()["checkpoint"])
    with client.websocket_connect(f"/api/runs/{first}/stream") as socket:
        assert json.loads(socket.receive_text())["type"] == "hello"
        found = scrape(client)
        assert found["digitpad_sockets",] == 1
        assert 0 <= found["digitpad_log_lag_seconds",] < 60
        assert found["digitpad_log_backlog_messages",] >= 0
        assert found["digitpad_runs", ("state", "running")] == 1
        assert found["digitpad_runs", ("state", "queued")] == found["digitpad_queue_length",] == 1
        assert 0 <= found["digitpad_checkpoint_age_seconds", ("run", str(first))] < 60
        assert found["digitpad_queue_up",] == 1
    for run in (second, first):
        client.post(f"/api/runs/{run}/cancel")
        until(lambda run=run: client.get(f"/api/runs/{run}").json()["state"] == "cancelled")
        assert client.delete(f"/api/runs/{run}").status_code == 204
    found = until(lambda: (found := scrape(client))["digitpad_sockets",] == 0 and found)
    assert {found["digitpad_runs", ("state", state.value)] for state in RunState} == {0}
    assert not [key for key in found if key[0] == "digitpad_checkpoint_age_seconds"]


@pytest.fixture
def log(tmp_path):
    opened = EventLog(f"sqlite:///{tmp_path / 'log.sqlite3'}")
    yield opened
    opened.close()


def test_the_log_lags_by_the_age_of_the_oldest_event_that_no_reader_was_handed(log, tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, log.id)
    run = log.add(parse_config({**get_recipe("quick").config, **TINY}))
    claim = log.claim("server")
    assert queue_stats(log, checkpoints, {run: 1}).log_lag == 0
    said = ["2001-01-01T00:00:00.000Z", "2001-01-01T00:00:10.000Z"]
    for moment in said:
        monkeypatch.setattr("app.runs.log.transitions.now", lambda moment=moment: moment)
        log.append(claim, "epoch", {})
    monkeypatch.setattr("app.runs.log.transitions.now", now)
    assert queue_stats(log, checkpoints, {}).log_lag == 0
    assert queue_stats(log, checkpoints, {run: 3}).log_lag == 0
    minute = datetime.fromisoformat(said[0]).timestamp() + 60
    monkeypatch.setattr("app.runs.stats.time", SimpleNamespace(time=lambda: minute))
    assert [queue_stats(log, checkpoints, {run: seq}).log_lag for seq in (1, 2)] == [60, 50]


def test_while_the_log_cannot_be_read_all_else_is_told(client, monkeypatch):
    client.post("/predict", json=THREES)
    before = scrape(client)

    def away(*_):
        raise OperationalError("SELECT 1", {}, Exception("the database is away"))

    monkeypatch.setattr("app.web.api.prometheus.queue_stats", away)
    found = scrape(client)
    assert (before["digitpad_log_up",], found["digitpad_log_up",]) == (1, 0)
    gone = {name for name, *_ in before} - {name for name, *_ in found}
    assert gone == {"digitpad_runs", "digitpad_queue_length", "digitpad_log_lag_seconds"}
    assert predictions(found) == {("mnist-mlp", "label"): 1}
    assert (found["digitpad_queue_up",], found["digitpad_sockets",]) == (1, 0)


def test_a_run_or_a_checkpoint_that_goes_while_they_are_counted_is_left_out(log, tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, log.id)
    run = log.add(parse_config({**get_recipe("quick").config, **TINY}))
    log.append(log.claim("server"), "epoch", {}, checkpoint="1.1.1.0.safetensors")
    census = queue_stats(log, checkpoints, {run: 1, 99: 5})
    assert census.checkpoint_ages == {}
    monkeypatch.setattr(log, "events", lambda *_, **__: [])
    assert queue_stats(log, checkpoints, {run: 1}).log_lag == 0


def test_metrics_want_the_token_for_everything(settings):
    tokens = {"token": SecretStr("everything"), "predict_token": SecretStr("predicting")}
    guarded = settings.model_copy(update=tokens)
    with TestClient(create_app(guarded)) as client:
        is_an_error(client.get("/metrics"), 401)
        is_an_error(client.get("/metrics?token=everything", follow_redirects=False), 401)
        is_an_error(client.get("/metrics", headers={"authorization": "Bearer predicting"}), 403)
        assert client.get("/metrics", headers={"authorization": "Bearer everything"}).status_code == 200


def test_without_its_library_metrics_say_what_to_install_and_drawings_are_read(settings, monkeypatch):
    monkeypatch.setattr("app.web.prometheus.LIBRARY", "no_such_library")
    with TestClient(create_app(settings)) as client:
        assert "digitpad[metrics]" in is_an_error(client.get("/metrics"), 501)
        assert client.post("/predict", json=THREES).json()["label"] == "3"
        is_an_error(client.post("/predict", json={}), 422)


@pytest.mark.parametrize("accept", ["", "text/html", "application/openmetrics-text; version=x", "*/*;q=x", "é" * 9])
def test_no_accept_header_breaks_them(client, accept):
    assert client.get("/metrics", headers={"accept": accept.encode()}).status_code == 200


def test_the_dashboard_and_the_alerts_ask_for_metrics_that_there_are(client):
    client.post("/predict", json=THREES)
    text = client.get("/metrics").text
    known = {name for name, *_ in samples(text)} | set(re.findall(r"# TYPE (\S+)", text)) | {"up"}  # Prometheus's own
    dashboard = json.loads((REPOSITORY / "deploy/grafana/digitpad.json").read_text(encoding="utf-8"))
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(queries) >= len(panels) >= 8
    queries += re.findall(r"expr: (.+)", (REPOSITORY / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))
    assert {"up", "digitpad_log_up"} <= {re.match(r"\w+", query)[0] for query in queries}
    for query in queries:
        asked = set(re.findall(r"\b(?:digitpad|process)_\w+|^up\b", query))
        assert asked, query
        assert asked <= known, query
