"""What tests share: the real MNIST where it is, data that needs no download, and an app to talk to."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from starlette.testclient import TestClient

from app.data import DatasetCatalog
from app.data.sources.nondigits import load_nondigits
from app.data.sources.pendigits import find_file
from app.main import create_app
from app.settings import Settings
from tests.cluster.postgres import Postgres, missing, start_postgres
from tests.support.runs import start, wait_for_end
from tests.support.serving import REPOSITORY

# the same examples every time, so that a change is judged by itself; --hypothesis-profile=default tries new ones
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

pytest_plugins = ["tests.support.browser_fixtures"]


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """The folder of the real MNIST; skips where there is none."""
    folder = os.environ.get("DIGITPAD_DATA_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the real MNIST: name its folder in DIGITPAD_DATA_DIR")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def pendigits_dir() -> Path:
    """The folder with the real pendigits, DIGITPAD_DATA_DIR; skips where it has none."""
    folder = os.environ.get("DIGITPAD_DATA_DIR")
    if not folder or find_file(Path(folder), Path(folder)) is None:
        pytest.skip("needs the real pendigits: put it into the folder pendigits of DIGITPAD_DATA_DIR")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that holds the data set `strokes`, and what its models are to refuse, and nothing else."""
    folder = tmp_path_factory.mktemp("cache")
    # what the first worker of the first run draws, in ten seconds, is there for all; the files' names have a version
    shared = REPOSITORY / "build" / "drawn"
    shared.mkdir(parents=True, exist_ok=True)
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        DatasetCatalog(shared).load("strokes")
        load_nondigits(shared)
    shutil.copytree(shared, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of the tests' own; skips where it is not installed."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with start_postgres() as server:
        yield server


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """The database of a test: SQLite's in its home, or with DIGITPAD_TEST_POSTGRES a new one of PostgreSQL."""
    if not os.environ.get("DIGITPAD_TEST_POSTGRES") or request.node.get_closest_marker("sqlite"):
        return ""
    return str(request.getfixturevalue("postgres").new_database())


@pytest.fixture
def settings(tmp_path: Path, cache_dir: Path, database_url: str) -> Settings:
    """Settings of an app that keeps everything in this test's own folder."""
    home = tmp_path / "home"
    return Settings(
        home=home,
        cache_dir=cache_dir,
        data_dir=None,
        database_url=database_url,
        allowed_hosts="testserver",
        _env_file=None,
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A client of a running app; errors of the server come back as answers, as they would to a stranger."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as running:
        yield running


@pytest.fixture
def shared_client(client_of_shared_app: TestClient) -> TestClient:
    """A client, without cookies, of one app for all tests that leave nothing behind in it."""
    client_of_shared_app.cookies.clear()
    return client_of_shared_app


@pytest.fixture(scope="session")
def client_of_shared_app(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[TestClient]:
    """The client of the app that tests share."""
    # two workers, so that each has one core: beside another process's tests, more threads only wait for one another
    settings = Settings(
        home=tmp_path_factory.mktemp("shared"),
        cache_dir=cache_dir,
        data_dir=None,
        allowed_hosts="testserver",
        workers=2,
        _env_file=None,
    )
    with TestClient(create_app(settings), raise_server_exceptions=False) as running:
        yield running


@pytest.fixture(scope="session")
def finished_run(client_of_shared_app: TestClient) -> dict:
    """The row of a small training in the shared app, which has left its model there."""
    row = wait_for_end(client_of_shared_app, start(client_of_shared_app)["id"])
    assert row["state"] == "succeeded"
    return row


@pytest.fixture
def trained(settings: Settings, shared_client: TestClient, finished_run: dict) -> str:
    """The name of a trained model in the test's own store."""
    name = finished_run["model"]
    shutil.copytree(shared_client.app.state.services.settings.home / name, settings.home / name)
    return name


@pytest.fixture
def idle_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs stay in the queue: nobody begins to train them."""
    monkeypatch.setattr("app.runs.log.event_log.EventLog.claim", lambda *_, **__: None)


@pytest.fixture
def ended(client: TestClient) -> Callable[[int], dict]:
    """Waits for a run to end, and returns it."""
    return lambda run: wait_for_end(client, run)
