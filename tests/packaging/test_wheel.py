"""The wheel: whole, and at work far from the checkout, where it writes into the user's own folder alone."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import __version__
from app.learn.inspection.subject import TEACHING_MODEL
from app.settings import SHIPPED_MODELS
from tests.support.runs import TINY
from tests.support.serving import REPOSITORY, Server, serve
from tests.support.waiting import until

pytestmark = pytest.mark.slow

BROUGHT = ("static", "templates", "app/recipes", "app/i18n/locale", "app/learn/lessons")
"""Folders all of whose files are in the wheel."""


SEVEN = [[[10, 10], [60, 10], [30, 90]]]


@dataclass(frozen=True)
class Installed:
    """A wheel in an environment of its own; `packages` is where that has its packages."""

    python: Path
    command: Path
    packages: Path

    def files(self) -> dict[str, bytes]:
        """All that was installed, but what Python makes of it by itself."""
        paths = [path for path in self.packages.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        return {path.relative_to(self.packages).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The wheel, built from the source distribution, so that both are known to be whole."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(folder), "-t"]
    subprocess.run([*build, "sdist"], cwd=REPOSITORY, check=True, capture_output=True)
    (packed,) = folder.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    subprocess.run([*build, "wheel"], cwd=folder / f"digitpad-{__version__}", check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Iterator[Installed]:
    """The wheel in a new environment, which has its requirements from the one that the tests run in."""
    folder = tmp_path_factory.mktemp("far") / "venv"
    uv = [sys.executable, "-m", "uv", "--quiet", "--offline", "--no-config"]
    subprocess.run([*uv, "venv", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin" / "python"
    install = ["pip", "install", "--python", str(python), "--no-deps", "--link-mode", "copy", str(built)]
    subprocess.run([*uv, *install], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "requirements.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    everything = [packages, *packages.rglob("*")]
    for path in everything:
        path.chmod(path.stat().st_mode & ~0o222)
    yield Installed(python, folder / "bin" / "digitpad", packages)
    for path in everything:
        if path.is_dir():
            path.chmod(0o755)


def tracked(folder: str) -> set[str]:
    """The files of a folder of the checkout."""
    paths = (REPOSITORY / folder).rglob("*")
    return {
        path.relative_to(REPOSITORY).as_posix()
        for path in paths
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    }


def test_it_holds_all_that_the_app_reads_and_nothing_that_was_left_in_the_checkout(built):
    with zipfile.ZipFile(built) as archive:
        names = set(archive.namelist())
    brought = set().union(*(tracked(folder) for folder in BROUGHT))
    assert {path if path.startswith("app/") else f"app/_data/{path}" for path in brought} <= names
    default = (SHIPPED_MODELS / "default").read_text(encoding="utf-8").strip()
    folders = [SHIPPED_MODELS / name for name in (default, TEACHING_MODEL)]
    files = {path.relative_to(SHIPPED_MODELS).as_posix() for folder in folders for path in folder.iterdir()}
    models = {name.removeprefix("app/_data/model_store/") for name in names if "/model_store/" in name}
    assert models == {"default", *files}
    assert {folder.name for folder in folders} == {name.split("/")[0] for name in files}
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/")) or name.endswith(".pyc")]
    assert built.name == f"digitpad-{__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def far(installed, cache_dir, tmp_path_factory) -> Iterator[tuple[Server, Path]]:
    """A server of the installed wheel, started in an empty folder by a user with an empty home; and that home.

    The lines of its log are in the user's file `lines`.
    """
    user, elsewhere = tmp_path_factory.mktemp("user"), tmp_path_factory.mktemp("elsewhere")
    told = {"DIGITPAD_LOG_FORMAT": "json", "DIGITPAD_LOG_LEVEL": "info", "DIGITPAD_CACHE_DIR": str(cache_dir)}
    away = {"HOME": str(user), "XDG_DATA_HOME": "", "PYTHONDONTWRITEBYTECODE": "1"}
    command = (str(installed.command),)
    with (
        (user / "lines").open("w", encoding="utf-8") as lines,
        serve(None, command=command, cwd=elsewhere, stderr=lines, **told, **away) as server,
    ):
        yield server, user


def test_installed_far_from_the_checkout_it_serves_reads_and_trains_and_writes_into_the_user_s_folder(installed, far):
    server, user = far
    before = installed.files()
    for path in ("/", "/train", "/models", "/learn"):
        page = server.text(path)
        assert "<title>" in page
        addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
        assert addresses
        for address in addresses:
            assert server.text(address)
    assert "quick" in {recipe["name"] for recipe in server.get("/api/recipes")["recipes"]}
    assert 'lang="ja"' in server.text("/", {"accept-language": "ja"})
    assert server.post("/predict", {"strokes": SEVEN})["label"] == "7"
    run = server.post("/api/runs", {"recipe": "quick", "overrides": TINY})["id"]
    row = until(lambda: (row := server.get(f"/api/runs/{run}"))["state"] not in ("queued", "running") and row)
    assert row["state"] == "succeeded", row["error"]
    assert server.post(f"/api/models/{row['model']}/default") == {"default": row["model"]}
    assert server.post("/predict", {"strokes": SEVEN})["model"] == row["model"]
    home = user / ".local" / "share" / "digitpad"
    assert (home / "default").read_text(encoding="utf-8").strip() == row["model"]
    assert (home / row["model"] / "model.safetensors").is_file()
    assert (home / "digitpad.sqlite3").is_file()
    assert installed.files() == before
    told = [json.loads(line) for line in (user / "lines").read_text(encoding="utf-8").splitlines()]
    (asked,) = [line for line in told if line["message"] == "POST /api/runs"]
    assert re.fullmatch("[0-9a-f]{32}", asked["request"])
    assert {(line["run"], line["attempt"]) for line in told if "run" in line} == {(run, 1)}
    assert "uvicorn.error" in {line["logger"] for line in told}


@pytest.mark.parametrize(("method", "path", "body"), [("DELETE", "", None), ("POST", "/rename", b'{"name": "mine"}')])
def test_its_own_models_are_seen_and_neither_removed_nor_renamed(far, method, path, body):
    server, _ = far
    request = urllib.request.Request(f"{server.url}/api/models/mnist-mlp{path}", body, method=method)
    request.add_header("content-type", "application/json")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 409
    assert "the model mnist-mlp ships with digitpad" in json.load(refused.value)["error"]
    assert server.get("/api/models/mnist-mlp")["name"] == "mnist-mlp"


def test_digitpad_home_says_where_it_writes(installed, tmp_path):
    code = "from app.settings import Settings; print(Settings().home)"
    environment = {**os.environ, "HOME": str(tmp_path / "user"), "DIGITPAD_HOME": str(tmp_path / "mine")}
    command = [str(installed.python), "-c", code]
    printed = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout
    assert printed.strip() == str(tmp_path / "mine")
