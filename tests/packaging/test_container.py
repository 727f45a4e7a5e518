"""What the container is made of and how it is run, as far as that can be seen without an engine.

`make container-check` runs the Dockerfile's lines, and the server.
"""

import os
import re
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from app import __version__
from app.settings import Settings
from tests.packaging.container import Stage, mapped
from tests.packaging.dockerfile import Context, Instruction, read_dockerfile
from tests.support.serving import REPOSITORY

INSTRUCTIONS = read_dockerfile((REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))
LAST = INSTRUCTIONS[max(index for index, one in enumerate(INSTRUCTIONS) if one.name == "FROM") :]


def the(name: str) -> Instruction:
    """The one instruction of that name in the last stage."""
    (found,) = [one for one in LAST if one.name == name]
    return found


def test_the_dockerfile_is_read_as_it_stands():
    read = read_dockerfile('# x\nFROM a AS b\nRUN --mount=type=tmpfs one \\\n    # y\n    && two\nCMD ["c", "d e"]\n')
    assert [(one.name, one.flags, one.rest) for one in read[:2]] == [
        ("FROM", {}, "a AS b"),
        ("RUN", {"mount": "type=tmpfs"}, "one && two"),
    ]
    assert read[2].words == ["c", "d e"]
    with pytest.raises(ValueError, match="expected an instruction"):
        read_dockerfile("FROM a\nwhat\n")


@pytest.mark.parametrize(
    "line",
    [
        "rm -rf /etc",
        "touch /",
        "rm /opt/digitpad/../../etc/passwd",
        "x > /tmp/y",
        "cat </etc/x",
        "x --to=/etc",
        "x a:/b",
    ],
)
def test_a_line_that_names_a_folder_of_the_machine_is_not_run(line):
    with pytest.raises(ValueError, match="not of digitpad's own folders"):
        mapped(line, Stage(Path("/stage")), Path("/python"))


def test_paths_of_the_image_are_put_below_its_stage():
    line = mapped("rm -rf /usr/local/lib/x && touch /data a/b .venv/bin/c", Stage(Path("/stage")), Path("/python"))
    assert line == "rm -rf /python/lib/x && touch /stage/data a/b .venv/bin/c"


def test_the_image_is_made_of_the_app_and_of_nothing_that_was_left_in_the_checkout():
    context = Context(REPOSITORY)
    for kept in (
        "app/main.py",
        "app/recipes/quick.toml",
        "static/js/pages/pad/index.js",
        "templates/pages/pad.html",
        "LICENSE",
        "Makefile",
    ):
        assert context.has(kept)
    for left in (
        *(
            "model_store/digitpad.sqlite3",
            "model_store/chosen",
            "model_store/drawings/a.json",
            "model_store/mine/model.json",
        ),
        *(".env", ".git/config", ".venv/bin/python", "tests/conftest.py", "app/__pycache__/main.pyc", "README.md"),
    ):
        assert not context.has(left), left
    for model in ("mnist-mlp", "teaching-mlp"):
        assert [path.name for path in context.files(f"model_store/{model}")] == [
            *("model.json", "model.safetensors", "training.jsonl")
        ]


def test_the_server_is_nobody_s_root_listens_on_its_port_and_is_started_as_make_run_starts_it():
    uid, gid = the("USER").rest.split(":")
    assert int(uid) >= 1000
    assert int(gid) >= 1000
    environment = dict(word.split("=", 1) for word in the("ENV").words)
    assert the("EXPOSE").rest == environment["DIGITPAD_PORT"]
    assert environment["DIGITPAD_HOST"] == "0.0.0.0"
    assert environment["DIGITPAD_HOME"] == environment["HOME"] == the("VOLUME").rest
    settings = {name.removeprefix("DIGITPAD_").lower() for name in environment if name.startswith("DIGITPAD_")}
    assert settings <= set(Settings.model_fields)
    command = the("CMD")
    assert command.rest.startswith("[")  # without a shell, which would not hand the signal on
    (run,) = re.findall(r"^run:.*\n\t(.+)$", MAKEFILE, re.MULTILINE)
    assert run == f"$(SERVE_ENV) $(PY) {' '.join(command.words[1:])}"
    assert command.words[0] == ".venv/bin/python"
    assert "/health" in the("HEALTHCHECK").rest


def test_the_health_check_asks_the_server_itself_whatever_proxy_is_set():
    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            """Nothing is told."""

    words = Instruction("CMD", {}, the("HEALTHCHECK").rest.removeprefix("CMD").strip()).words
    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        asked = threading.Thread(target=server.handle_request)
        asked.start()
        proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy"), "http://127.0.0.1:1")
        environment = {**os.environ, **proxies, "DIGITPAD_PORT": str(server.server_port)}
        done = subprocess.run([sys.executable, *words[1:]], env=environment, capture_output=True, timeout=60)
        socket.create_connection(server.server_address).close()  # where it did not ask, that ends the waiting
        asked.join()
    assert (done.returncode, done.stderr) == (0, b"")


def test_both_stages_have_one_python_and_the_last_has_no_tools_for_building():
    images = [one.words[0] for one in INSTRUCTIONS if one.name == "FROM"]
    versions = {re.fullmatch(r"python:(\d\.\d+)(-slim)?", image)[1] for image in images}
    (version,) = versions
    assert images[-1].endswith("-slim")
    (run,) = [one.rest for one in LAST if one.name == "RUN"]
    assert f"/usr/local/lib/python{version}/ensurepip" in run
    assert "pip uninstall" in run
    assert not [one.rest for one in INSTRUCTIONS if re.search(r"\b(apt-get|curl|wget|useradd)\b", one.rest)]


def test_compose_gives_it_one_volume_and_takes_all_else():
    service = COMPOSE["services"]["digitpad"]
    assert (service["read_only"], service["cap_drop"], service["init"]) == (True, ["ALL"], True)
    assert service["security_opt"] == ["no-new-privileges:true"]
    (volume,) = service["volumes"]
    assert volume == f"data:{the('VOLUME').rest}"
    assert set(COMPOSE["volumes"]) == {"data"}
    assert [mount.split(":")[0] for mount in service["tmpfs"]] == ["/tmp"]
    (port,) = service["ports"]
    assert port.startswith("127.0.0.1:")
    assert port.endswith(f":{the('EXPOSE').rest}")
    assert {name.removeprefix("DIGITPAD_").lower() for name in service["environment"]} <= set(Settings.model_fields)
    assert set(service["healthcheck"]) <= {"interval", "timeout", "retries", "start_period"}


def test_ci_runs_make_s_own_targets_and_all_of_them():
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    lines = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    made = {line.removeprefix("make ") for line in lines if line.startswith("make ")}
    here = set(re.findall(r"^make (\S+)$", (REPOSITORY / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE))
    assert made <= targets
    assert {"lint", "test", "wheel", "container-check"} <= here <= made
    for path in (REPOSITORY / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_version_is_a_semantic_one():
    assert re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", __version__)
