"""The log in a real PostgreSQL: faults of its address are told, and trainings outlive its end."""

import subprocess
import sys
import threading

import pytest
from sqlalchemy.exc import DataError
from starlette.testclient import TestClient

from app.main import create_app
from app.models import ModelStore
from app.runs.config.run_config import request_config
from app.runs.log.database import UNREACHABLE
from app.runs.log.event_log import EventLog
from app.runs.log.transitions import FencedError
from app.settings import PROJECT
from tests.cluster.postgres import Postgres, start_postgres
from tests.support.runs import TINY, start, types, wait_for_end
from tests.support.waiting import until

CONFIG = request_config({"recipe": "quick", "overrides": TINY})


@pytest.fixture
def database_url(postgres: Postgres) -> str:
    return postgres.new_database()


@pytest.fixture
def log(database_url):
    opened = EventLog(database_url)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://nobody:wrong@127.0.0.1:1/digitpad", "refused"),
        ("postgresql://postgres@/missing?host={folder}", 'database "missing" does not exist'),
        ("postgresql://stranger@/postgres?host={folder}", 'role "stranger" does not exist'),
        ("postgresql+nothing://postgres@/postgres", "Can't load plugin"),
    ],
)
def test_a_wrong_address_is_told_in_one_line_that_names_the_setting(postgres, tmp_path, url, words):
    environment = {
        "DIGITPAD_HOME": str(tmp_path),
        "DIGITPAD_DATABASE_URL": url.format(folder=postgres.folder),
        "PATH": "/usr/bin:/bin",
    }
    command = [sys.executable, "-m", "app", "serve", "--port", "0"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 2)
    (line,) = done.stderr.strip().splitlines()
    assert "DIGITPAD_DATABASE_URL" in line
    assert words in line


def test_many_claim_at_once_and_each_run_is_claimed_once(log, database_url):
    runs = [log.add(CONFIG) for _ in range(20)]
    others = [EventLog(database_url) for _ in range(4)]
    claimed, begin = [], threading.Barrier(len(others))

    def claim(one):
        begin.wait()
        while log.waiting():
            lease = one.claim("me")
            if lease is not None:
                claimed.append(lease.run)

    threads = [threading.Thread(target=claim, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in others:
        one.close()
    assert sorted(claimed) == runs


def test_data_that_it_cannot_store_is_no_absence(log):
    run = log.add(CONFIG)
    with pytest.raises(DataError):
        log.annotate(run, {"note": "\x00"})
    assert not issubclass(DataError, UNREACHABLE)
    assert log.run(run)["note"] == ""


def test_servers_that_open_an_empty_database_at_once_make_one_log(postgres):
    url, found, begin = postgres.new_database(), [], threading.Barrier(4)

    def go():
        begin.wait()
        log = EventLog(url)
        found.append(log.id)
        log.close()

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


@pytest.mark.slow
def test_a_training_outlives_the_end_of_the_database_and_comes_to_the_same_weights(settings, tmp_path):
    with start_postgres() as server:
        away = settings.model_copy(update={"database_url": server.new_database(), "workers": 1})
        with TestClient(create_app(away)) as client:
            alone = wait_for_end(client, start(client, epochs=30)["id"])
            run = start(client, epochs=30)["id"]
            until(lambda: client.get(f"/api/runs/{run}").json()["metrics"])
            for _ in range(3):
                server.stop()
                assert client.get("/api/runs").status_code == 503
                assert client.get("/health").status_code in (200, 503)
                server.start()
                until(lambda: client.get(f"/api/runs/{run}").status_code == 200)
            row = wait_for_end(client, run)
            assert row["state"] == "succeeded"
            log = client.app.state.services.log
            epochs = [event["data"]["epoch"] for event in log.events(run) if event["type"] == "epoch"]
            assert epochs == list(range(1, 31))
            assert types(log, run) == types(log, alone["id"])
            store = ModelStore(away.home)
            assert store.get(row["model"]).sha256 == store.get(alone["model"]).sha256


def test_an_attempt_that_is_over_is_refused(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    log.release(claim)
    with pytest.raises(FencedError):
        log.append(claim, "epoch", {}, number=1)
    assert types(log, run) == ["queued"]
