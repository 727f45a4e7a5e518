"""Runs over HTTP and over the socket."""

import asyncio
import errno
import json
import os
import sqlite3
import threading

import pytest
from sqlalchemy import event
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.web import live_socket
from tests.support.errors import is_an_error
from tests.support.runs import TINY, start
from tests.support.waiting import until

NO_EVENTS = {"run", "progress", "queue", "beat"}


def listen(client, run, after=0):
    """All messages of a stream until it closes, and the code that it closed with."""
    return listen_at(client, f"/api/runs/{run}/stream?after={after}")


def listen_at(client, path):
    with client.websocket_connect(path) as socket:
        return receive_all(socket)


def receive_all(socket):
    messages = []
    try:
        while True:
            messages.append(socket.receive_json())
    except WebSocketDisconnect as closed:
        return messages, closed.code


def test_a_stream_beats_while_nothing_happens(client, monkeypatch, ended):
    monkeypatch.setattr(live_socket, "BEAT_SECONDS", 0.05)
    run = start(client, epochs=30)["id"]
    messages, code = listen(client, run)
    assert code == 1000
    assert {"type": "beat"} in messages
    assert ended(run)["state"] == "succeeded"


def test_a_run_is_started_watched_and_its_model_used(client, ended):
    run = start(client)
    assert {"id", "state", "config", "progress", "attempt", "created", "error"} <= set(run)
    assert run["state"] in ("queued", "running")
    assert (run["error"], run["config"]["epochs"]) == (None, 2)
    messages, code = listen(client, run["id"])
    assert code == 1000
    hello, *rest = messages
    assert (hello["type"], set(hello)) == ("hello", {"type", "log", "run", "last_seq"})
    assert set(hello["run"]) == set(run)
    events = [message for message in rest if "seq" in message]
    assert [event["seq"] for event in events] == list(range(1, 8))
    assert [event["type"] for event in events] == [
        *("queued", "started", "epoch", "epoch", "evaluated", "model_saved", "succeeded")
    ]
    assert all(set(event) == {"seq", "run", "type", "time", "data"} for event in events)
    shapes = {(message["type"], *message) for message in rest if "seq" not in message}
    assert shapes <= {("run", "type", "run"), ("progress", "type", "data"), ("beat", "type")}
    page = client.get(f"/api/runs/{run['id']}/events?after=0").json()
    assert page == {"events": events, "log": hello["log"], "last_seq": 7, "reset": False}
    row = ended(run["id"])
    assert rest[-1] == {"type": "run", "run": row}
    name = row["model"]
    answer = client.post(f"/predict?model={name}", json={"strokes": [[[0, 0], [0, 9]]]}).json()
    assert answer["model"] == name


def test_a_reader_that_comes_back_misses_nothing_and_sees_nothing_twice(shared_client, finished_run):
    client, run = shared_client, finished_run["id"]
    for after in (0, 3, 6):
        messages, code = listen(client, run, after)
        assert [message["seq"] for message in messages[1:]] == list(range(after + 1, 8))
        assert code == 1000
    assert [message["type"] for message in listen(client, run, 7)[0]] == ["hello"]


@pytest.mark.slow
def test_many_readers_of_one_run_get_every_event(client):
    run = start(client, epochs=30)["id"]
    sockets = [client.websocket_connect(f"/api/runs/{run}/stream") for _ in range(5)]
    for opened in [socket.__enter__() for socket in sockets]:
        messages, code = receive_all(opened)
        assert [message["seq"] for message in messages if "seq" in message] == list(range(1, 36))
        assert code == 1000
    for socket in sockets:
        socket.__exit__(None, None, None)


@pytest.mark.parametrize("query", ["after=99", "after=3&log=another", "after=0&log=another", "after=9999999999"])
def test_a_seq_of_another_log_or_of_the_future_gets_a_reset_and_everything(shared_client, finished_run, query):
    client, run = shared_client, finished_run["id"]
    (hello, reset, *rest), code = listen_at(client, f"/api/runs/{run}/stream?{query}")
    assert (hello["type"], reset["type"], reset["log"], reset["last_seq"]) == ("hello", "reset", hello["log"], 7)
    assert [message["seq"] for message in rest] == list(range(1, 8))
    assert code == 1000
    if "9999999999" not in query:
        page = client.get(f"/api/runs/{run}/events?{query}").json()
        assert page["reset"] is True
        assert [event["seq"] for event in page["events"]] == list(range(1, 8))


def test_a_seq_of_this_log_gets_no_reset(shared_client, finished_run):
    client, run = shared_client, finished_run["id"]
    log = client.get(f"/api/runs/{run}/events").json()["log"]
    for after in (0, 3, 7):
        messages, _ = listen_at(client, f"/api/runs/{run}/stream?after={after}&log={log}")
        assert "reset" not in [message["type"] for message in messages]
        assert client.get(f"/api/runs/{run}/events?after={after}&log={log}").json()["reset"] is False


@pytest.mark.slow
def test_a_seq_that_is_newer_than_what_other_readers_were_told_gets_no_reset(client, ended, monkeypatch):
    monkeypatch.setattr("app.runs.log.subscriber.POLL_SECONDS", 2)
    run = start(client, epochs=10_000)["id"]
    with client.websocket_connect(f"/api/runs/{run}/stream") as first:
        told = first.receive_json()["last_seq"]
        after = until(lambda: (seq := client.get(f"/api/runs/{run}").json()["last_seq"]) > told and seq)
        with client.websocket_connect(f"/api/runs/{run}/stream?after={after}") as second:
            assert second.receive_json()["last_seq"] == told
            message = next(message for message in iter(second.receive_json, None) if message["type"] not in NO_EVENTS)
    assert message["seq"] == after + 1
    client.post(f"/api/runs/{run}/cancel")
    ended(run)


def test_a_reader_of_a_run_that_waits_hears_what_for(client, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("app.runs.log.event_log.EventLog.claim", full)
    run = start(client)["id"]
    with client.websocket_connect(f"/api/runs/{run}/stream") as socket:
        messages = [socket.receive_json() for _ in range(3)]
    assert {message["type"] for message in messages} == {"hello", "queued", "queue"}
    assert {"type": "queue", "fault": os.strerror(errno.ENOSPC), "ahead": []} in messages


def test_a_run_is_paused_resumed_cancelled_and_its_model_kept(client, ended):
    run = start(client, epochs=10_000)["id"]
    until(lambda: client.get(f"/api/runs/{run}").json()["metrics"])
    for _ in range(2):
        assert client.post(f"/api/runs/{run}/pause").status_code == 200
    until(lambda: client.get(f"/api/runs/{run}").json()["state"] == "paused")
    assert client.post(f"/api/runs/{run}/pause").json()["state"] == "paused"
    for _ in range(2):
        assert client.post(f"/api/runs/{run}/resume").json()["state"] in ("queued", "running")
    until(lambda: client.get(f"/api/runs/{run}").json()["attempt"] == 2)
    assert client.post(f"/api/runs/{run}/cancel", json={"keep_model": True}).status_code == 200
    row = ended(run)
    assert row["state"] == "cancelled"
    answer = client.post(f"/predict?model={row['model']}", json={"strokes": [[[0, 0], [0, 9]]]})
    assert answer.json()["model"] == row["model"]
    for command in ("pause", "resume", "cancel"):
        assert client.post(f"/api/runs/{run}/{command}").json()["state"] == "cancelled"
    types = [event["type"] for event in client.get(f"/api/runs/{run}/events").json()["events"]]
    assert [kind for kind in types if kind != "epoch"] == [
        *("queued", "started", "paused", "resumed", "model_saved", "cancelled")
    ]


@pytest.mark.slow
def test_a_run_is_done_again_and_gone_on_with(client, ended):
    run = start(client)["id"]
    ended(run)
    again = client.post(f"/api/runs/{run}/again")
    assert again.status_code == 201
    assert again.json()["config"] == client.get(f"/api/runs/{run}").json()["config"]
    further = client.post(f"/api/runs/{run}/continue", json={"epochs": 3})
    assert further.status_code == 201
    assert (further.json()["config"]["epochs"], further.json()["config"]["start"]["run"]) == (5, run)
    assert client.post(f"/api/runs/{run}/continue").json()["config"]["epochs"] == 4
    row = ended(further.json()["id"])
    assert (row["state"], row["metrics"]["epoch"]) == ("succeeded", 5)


def test_what_cannot_be_done_with_a_run_is_refused_with_the_reason(idle_queue, client, ended):
    run = start(client, epochs=10_000)["id"]
    is_an_error(client.post(f"/api/runs/{run}/continue"), 409)
    client.post(f"/api/runs/{run}/cancel")
    ended(run)
    for command in ("again", "continue", "pause", "resume", "cancel"):
        assert is_an_error(client.post(f"/api/runs/77/{command}"), 404) == "there is no run 77"
    for body, message in (
        ("[]", "expected an object; got []"),
        ('{"epochs": 0}', "epochs: expected a number ≥ 1; got 0"),
        ('{"epochs": 1e400}', "epochs: expected a whole number; got"),
        ('{"epochs": true}', "epochs: expected a whole number; got"),
        ('{"epochs": "3"}', "epochs: expected a whole number; got"),
        ('{"epoch": 3}', "epoch: unknown field"),
        ("{", "not valid JSON"),
    ):
        assert message in is_an_error(client.post(f"/api/runs/{run}/continue", content=body), 422)
    response = client.post(f"/api/runs/{run}/cancel", json={"keep_model": 1})
    assert "keep_model: expected true or false; got 1" in is_an_error(response, 422)
    response = client.post("/api/runs", json={"recipe": "quick", "overrides": {"start": {"run": 77}}})
    assert "run 77 left no checkpoint to resume from" in is_an_error(response, 409)
    response = client.post("/api/runs", json={"recipe": "quick", "overrides": {"start": {"model": "no-such"}}})
    assert is_an_error(response, 404) == "start.model: there is no model no-such"
    response = client.post("/api/runs", json={"recipe": "quick", "overrides": {"start": {"model": "../x"}}})
    is_an_error(response, 404)


@pytest.mark.sqlite
def test_a_database_that_was_removed_is_said_and_no_run_is_taken_that_would_be_lost(client, settings):
    file, away = settings.home / "digitpad.sqlite3", settings.home / "away"
    file.rename(away)
    answer = client.post("/api/runs", json={"recipe": "quick"})
    assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
    assert "moved or removed" in answer.json()["error"]
    assert "moved, removed" in until(lambda: client.get("/health").json().get("error"))
    assert client.get("/").status_code == 200
    away.rename(file)
    until(lambda: client.get("/health").status_code == 200)
    assert client.get("/api/runs").status_code == 200


@pytest.mark.sqlite
def test_a_database_that_is_locked_is_503_and_one_without_room_507_and_the_server_goes_on(idle_queue, client):
    engine = client.app.state.services.log.engine
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 10")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def narrow(connection, _):
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 10")
        cursor.execute(f"PRAGMA max_page_count = {limit}")
        cursor.close()

    limit = 10**9
    event.listen(engine, "connect", narrow)
    engine.dispose()
    big = {
        "recipe": "quick",
        "overrides": {**TINY, "network": {"layers": [{"type": "relu"}] * 150 + [{"type": "dense", "units": 10}]}},
    }
    other = sqlite3.connect(engine.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    response = client.post("/api/runs", json=big)
    assert "try again in a moment" in is_an_error(response, 503)
    assert response.headers["retry-after"] == "2"
    other.execute("ROLLBACK")
    other.close()
    limit = pages + 2
    engine.dispose()
    kept = 0
    while (response := client.post("/api/runs", json=big)).status_code == 201:
        kept += 1
    assert "the disk is full" in is_an_error(response, 507)
    assert len(client.get("/api/runs").json()["runs"]) == kept
    limit = 10**9
    engine.dispose()
    assert client.post("/api/runs", json=big).status_code == 201
    assert client.get("/health").status_code == 200


def test_cancel_ends_a_run_and_is_idempotent(client, ended):
    run = start(client, epochs=10_000)["id"]
    until(lambda: client.get(f"/api/runs/{run}").json()["metrics"])
    for _ in range(3):
        assert client.post(f"/api/runs/{run}/cancel").status_code == 200
    assert ended(run)["state"] == "cancelled"
    assert client.post(f"/api/runs/{run}/cancel").json()["state"] == "cancelled"
    assert listen(client, run)[0][-1]["type"] == "cancelled"  # the row is in hello


def test_a_reader_hears_of_a_run_that_is_cancelled_while_it_waits(idle_queue, client, ended):
    first, second = start(client, epochs=10_000)["id"], start(client)["id"]
    with client.websocket_connect(f"/api/runs/{second}/stream") as socket:
        assert socket.receive_json()["run"]["state"] == "queued"
        assert socket.receive_json()["type"] == "queued"
        assert socket.receive_json() == {"type": "queue", "fault": None, "ahead": [first]}
        client.post(f"/api/runs/{second}/cancel")
        types = [socket.receive_json()["type"] for _ in range(2)]
    assert types == ["cancelled", "run"]
    client.post(f"/api/runs/{first}/cancel")
    ended(first)


def test_an_ended_run_is_removed_and_one_at_work_is_not(idle_queue, client, ended):
    run = start(client, epochs=10_000)["id"]
    assert "cancel it first" in is_an_error(client.delete(f"/api/runs/{run}"), 409)
    client.post(f"/api/runs/{run}/cancel")
    ended(run)
    removed = client.delete(f"/api/runs/{run}")
    assert (removed.status_code, removed.content, removed.headers.get("content-type")) == (204, b"", None)
    assert is_an_error(client.delete(f"/api/runs/{run}"), 404) == f"there is no run {run}"


def test_runs_are_listed_newest_first_and_paged(idle_queue, client, ended):
    first = start(client, epochs=10_000)["id"]
    runs = [first, *(start(client)["id"] for _ in range(3))]
    page = client.get("/api/runs?limit=3").json()
    assert [run["id"] for run in page["runs"]] == runs[:0:-1]
    rest = client.get(f"/api/runs?limit=3&before={page['next']}").json()
    assert [run["id"] for run in rest["runs"]] == [first]
    assert rest["next"] is None
    for run in runs:
        client.post(f"/api/runs/{run}/cancel")
        ended(run)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "expected JSON in the body; got nothing"),
        ("[]", "expected an object; got []"),
        ('{"recipe": "slow"}', "recipe: expected one of quick"),
        ('{"recipe": "quick", "overrides": {"epochs": -3}}', "epochs: expected a whole number ≥ 1; got -3"),
        ('{"recipe": "quick", "overrides": {"optimizer": {"learning_rate": NaN}}}', "not valid JSON"),
        ('{"recipe": "quick", "overrides": {"optimizer": {"learning_rate": -1}}}', "optimizer.learning_rate"),
        (
            '{"recipe": "quick", "overrides": {"dataset": "cats"}}',
            "dataset: expected a data set: mnist, strokes, pendigits, fashion-mnist, kmnist, emnist-digits, ",
        ),
        (
            '{"recipe": "quick", "overrides": {"network": {"layers": [{"type": "dense", "units": 9}]}}}',
            "network.layers: expected 10 outputs, one for each label of mnist; got 9",
        ),
    ],
)
def test_a_bad_config_is_refused_and_leaves_no_row(shared_client, body, message):
    before = shared_client.get("/api/runs").json()
    response = shared_client.post("/api/runs", content=body, headers={"content-type": "application/json"})
    assert message in is_an_error(response, 422)
    assert shared_client.get("/api/runs").json() == before


def test_runs_that_do_not_exist_get_404_and_bad_numbers_422(client):
    for path in ("/api/runs/7", "/api/runs/7/events"):
        assert is_an_error(client.get(path), 404) == "there is no run 7"
    assert is_an_error(client.post("/api/runs/7/cancel"), 404) == "there is no run 7"
    for path in ("/api/runs/x", "/api/runs?limit=0", "/api/runs?limit=many", "/api/runs?before=-1", "/api/runs/0"):
        is_an_error(client.get(path), 422)
    is_an_error(client.get("/api/runs/99999999999999999999999"), 422)


@pytest.mark.parametrize(
    "path", ["7/stream", "x/stream", "1/stream?after=-1", "1/stream?after=x", "99999999999/stream"]
)
def test_a_stream_of_nothing_is_closed_with_a_reason(shared_client, path):
    with shared_client.websocket_connect(f"/api/runs/{path}") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    assert closed.value.code == 1008
    assert closed.value.reason


def test_recipes_and_data_sets_are_listed(shared_client):
    recipes = {recipe["name"]: recipe for recipe in shared_client.get("/api/recipes").json()["recipes"]}
    tutorials = ["quick", "from-scratch", "tf-tutorial", "sigmoid-sgd", "keras-mlp"]
    assert list(recipes) == [*tutorials, "lenet", "batchnorm-mlp", "perceptron", "small-mlp", "best-mlp", "best-cnn"]
    assert recipes["quick"]["config"]["optimizer"]["type"] == "adam"
    datasets = {entry["name"]: entry for entry in shared_client.get("/api/datasets").json()["datasets"]}
    assert datasets["strokes"]["state"] == "ready"
    assert datasets["mnist"]["labels"] == list("0123456789")


@pytest.mark.slow
def test_a_run_that_is_removed_as_it_ends_does_not_stop_the_queue(client):
    for _ in range(3):
        run = start(client, epochs=1)["id"]
        until(lambda run=run: client.get(f"/api/runs/{run}").json()["state"] == "succeeded")
        assert client.delete(f"/api/runs/{run}").status_code == 204
    following = start(client)["id"]
    until(lambda: client.get(f"/api/runs/{following}").json()["state"] == "succeeded")
    assert client.get("/health").json()["ok"]


def test_a_queue_that_is_not_looked_after_is_seen(client, monkeypatch):
    monkeypatch.setattr("app.runs.supervisor.Supervisor.is_alive", False)
    response = client.get("/health")
    assert response.status_code == 503
    assert "trainings are waiting" in response.json()["error"]


def test_a_stream_of_a_run_that_is_removed_meanwhile_says_so(shared_client, finished_run, monkeypatch):
    client, run = shared_client, finished_run["id"]
    monkeypatch.setattr("app.runs.log.event_log.EventLog.events", lambda *_, **__: [])
    messages, code = listen(client, run)
    assert [message["type"] for message in messages] == ["hello"]
    assert code == 1008


def test_a_reader_that_leaves_a_quiet_run_is_forgotten(idle_queue, client, ended):
    first, second = start(client, epochs=10_000)["id"], start(client)["id"]
    tail = client.app.state.services.broadcaster
    with client.websocket_connect(f"/api/runs/{second}/stream") as socket:
        assert socket.receive_json()["type"] == "hello"
        assert list(tail._watches) == [second]
    until(lambda: not tail._watches)
    for run in (second, first):
        client.post(f"/api/runs/{run}/cancel")
        ended(run)


@pytest.mark.slow
def test_a_reader_that_does_not_keep_up_is_dropped_and_may_come_back(client, ended, monkeypatch):
    monkeypatch.setattr("app.runs.log.subscriber.BACKLOG", 3)
    run = start(client, epochs=30)["id"]
    blocked = threading.Event()
    send = WebSocket.send_text

    async def slow(self, data):
        if json.loads(data).get("seq", 0) > 2:
            await asyncio.to_thread(blocked.wait, 30)
        await send(self, data)

    monkeypatch.setattr(WebSocket, "send_text", slow)
    with client.websocket_connect(f"/api/runs/{run}/stream") as socket:
        ended(run)
        blocked.set()
        messages, code = receive_all(socket)
    assert code == 1013
    seen = [message["seq"] for message in messages if "seq" in message]
    assert seen == list(range(1, len(seen) + 1))
    rest, code = listen(client, run, seen[-1])
    assert [message["seq"] for message in rest if "seq" in message] == list(range(seen[-1] + 1, 36))
    assert code == 1000


@pytest.mark.parametrize("value", ["1" + "0" * 400, "-" + "9" * 400, '"' + "x" * 100_000 + '"'])
def test_an_error_shows_no_more_than_a_piece_of_what_came(shared_client, value):
    for body in (
        f'{{"recipe": "quick", "overrides": {{"optimizer": {{"learning_rate": {value}}}}}}}',
        f'{{"recipe": {value}}}',
        f'{{"recipe": "quick", "overrides": {{"network": {{"layers": {value}}}}}}}',
        f'{{"recipe": "quick", "overrides": {{"dataset": {value}}}}}',
    ):
        response = shared_client.post("/api/runs", content=body, headers={"content-type": "application/json"})
        assert len(is_an_error(response, 422)) < 300


def test_a_network_of_too_many_layers_is_refused_at_once(shared_client):
    body = {"recipe": "quick", "overrides": {"network": {"layers": ["relu"] * 50_000}}}
    assert "expected 1 to 200 layers; got 50000" in is_an_error(shared_client.post("/api/runs", json=body), 422)


@pytest.mark.slow
def test_a_short_stream_leaves_out_layers_and_sheets_of_the_backlog_and_of_what_comes(client, ended):
    run = start(client, epochs=3)["id"]
    with client.websocket_connect(f"/api/runs/{run}/stream?short=true") as socket:
        live, code = receive_all(socket)
    ended(run)
    with client.websocket_connect(f"/api/runs/{run}/stream?short=true") as socket:
        backlog, _ = receive_all(socket)
    whole, _ = listen(client, run)
    assert code == 1000
    said = [message for message in whole if "seq" in message]
    assert any("layers" in message["data"] for message in said)
    for messages in (live, backlog):
        short = [message for message in messages if "seq" in message]
        assert [message["seq"] for message in short] == [message["seq"] for message in said]
        for one, all_of_it in zip(short, said, strict=True):
            assert not {"layers", "sheet"} & set(one["data"])
            assert one["data"].items() <= all_of_it["data"].items()
