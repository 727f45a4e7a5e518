"""A home that the version before wrote: its runs, models, drawings and settings are there, and go on."""

import tarfile
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.support.drawings import recorded
from tests.support.serving import REPOSITORY
from tests.support.waiting import until

HOME = REPOSITORY / "tests" / "support" / "home-0.1.0.tar.xz"
"""Made by commit 5d58607: a run that succeeded, one that failed, one that is paused, one that was cancelled with its
model kept; four drawings, and a set with labels alone."""


@pytest.fixture
def old_home(tmp_path: Path, cache_dir: Path) -> Settings:
    home = tmp_path / "home"
    with tarfile.open(HOME) as packed:
        packed.extractall(home, filter="data")
    return Settings(home=home, cache_dir=cache_dir, allowed_hosts="testserver", _env_file=None)


@pytest.fixture
def old_client(old_home: Settings):
    with TestClient(create_app(old_home), raise_server_exceptions=False) as running:
        yield running


def test_all_that_was_there_is_there(old_client):
    runs = {run["id"]: run for run in old_client.get("/api/runs").json()["runs"]}
    assert {run: row["state"] for run, row in runs.items()} == {
        1: "succeeded",
        2: "failed",
        3: "paused",
        4: "cancelled",
    }
    assert (runs[1]["tags"], runs[1]["note"], runs[1]["model"]) == (["first", "日本語"], "a note", "quick-1")
    assert old_client.get("/api/runs/1/events").json()["events"][-1]["type"] == "succeeded"
    models = old_client.get("/api/models").json()
    assert {model["name"]: model["available"] for model in models["models"]} == {
        "mnist-mlp": True,
        "quick-1": True,
        "quick-4": True,
        "teaching-mlp": True,
    }
    assert models["default"] == "quick-1"
    answer = old_client.post("/predict", json={"strokes": recorded()["digit 3"]["strokes"]})
    assert (answer.status_code, answer.json()["model"]) == (200, "quick-1")
    assert old_client.get("/api/drawings").json()["sets"] == [
        {"name": "mine", "count": 4, "labels": {"1": 2, "7": 2}},
        {"name": "shapes", "count": 0, "labels": {}},
    ]
    assert old_client.get("/api/drawings/sets/shapes").json()["declared"] == ["○", "△"]
    assert old_client.get("/api/models/quick-1/judgement").json()["count"] == 2000
    for page in (
        "/",
        "/train",
        "/runs/1",
        "/runs/2",
        "/runs/3",
        "/models",
        "/data",
        "/compare",
        "/models/quick-1/judge",
    ):
        assert old_client.get(page).status_code == 200, page


def test_english_of_its_log_is_shown_as_it_is(old_client):
    for language in ("en", "ja"):
        row = old_client.get("/api/runs/2", headers={"accept-language": language}).json()
        assert row["error"] == (
            "the loss or the weights were no longer finite in epoch 1, batch 2; a smaller learning rate may help"
        )
        events = old_client.get("/api/runs/2/events", headers={"accept-language": language}).json()["events"]
        assert events[-1]["data"]["error"] == row["error"]


@pytest.mark.slow
def test_its_paused_run_goes_on_and_its_model_is_trained_further(old_client):
    before = old_client.get("/api/runs/3").json()
    old_client.post("/api/runs/3/resume")
    until(lambda: old_client.get("/api/runs/3").json()["metrics"]["epoch"] > before["metrics"]["epoch"])
    old_client.post("/api/runs/3/cancel")
    further = old_client.post("/api/runs/1/continue", json={"epochs": 1}).json()["id"]
    until(lambda: old_client.get(f"/api/runs/{further}").json()["state"] == "succeeded")


def test_its_settings_are_taken(monkeypatch, tmp_path):
    given = {
        "HOST": "127.0.0.2",
        "PORT": "8123",
        "HOME": str(tmp_path),
        "DATA_DIR": str(tmp_path),
        "CACHE_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'log.sqlite3'}",
        "WORKERS": "2",
        "LEASE_SECONDS": "20",
        "TOKEN": "a-token-of-sixteen-characters",
        "PREDICT_TOKEN": "another-token-of-sixteen-characters",
        "ALLOWED_HOSTS": "example.org",
        "ALLOWED_ORIGINS": "https://example.org",
        "BLAS_KERNEL": "Haswell",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "info",
        "TENSORBOARD_DIR": str(tmp_path),
        "MLFLOW_URI": "http://127.0.0.1:5000",
        "MLFLOW_EXPERIMENT": "digits",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"DIGITPAD_{name}", value)
    taken = Settings(_env_file=None)
    assert {name for name in given if name.lower() in taken.model_fields_set} == set(given)
