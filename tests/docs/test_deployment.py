"""The files of docs/how-to/deploy.md: nginx takes them, and passes on what digitpad needs."""

import json
import re
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from contextlib import closing

import pytest
from websockets.sync.client import connect

from tests.support.runs import TINY
from tests.support.serving import REPOSITORY, serve
from tests.support.waiting import until

pytestmark = pytest.mark.slow

PAGE = (REPOSITORY / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
NAME = "digits.example.org"
SETTINGS = {"DIGITPAD_TOKEN": "everything", "DIGITPAD_PREDICT_TOKEN": "predict", "DIGITPAD_ALLOWED_HOSTS": NAME}


def file(title):
    """The file of that name, as the page has it."""
    (text,) = re.findall(rf'^```\w+ title="{re.escape(title)}"\n(.*?)^```$', PAGE, re.DOTALL | re.MULTILINE)
    return text


def needs(program):
    """The program's path; skips where it is not installed."""
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
    return path or pytest.skip(f"needs {program}")


def configured(folder, upstream, port):
    """The page's configuration, whole, on a port of its own and with nothing outside of `folder`."""
    text = file("digitpad.conf")
    for old, new in {
        "127.0.0.1:8000": upstream,
        f"/etc/letsencrypt/live/{NAME}": str(folder),
        "/var/log/nginx": str(folder),
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "    listen [::]:443 ssl;\n": "",
        "    listen 80;\n": f"    listen unix:{folder}/http;\n",
        "    listen [::]:80;\n": "",
    }.items():
        assert old in text
        text = text.replace(old, new)
    kept = "".join(f"{one}_temp_path {folder}/{one};" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    head = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}"
    path = folder / "nginx.conf"
    path.write_text(f"{head}\nhttp {{ {kept}\n{text}\n}}\n", encoding="utf-8")
    return path


def certify(folder):
    """A certificate of our own; returns what trusts it."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}"]
    names = ["-addext", f"subjectAltName=DNS:{NAME},DNS:localhost"]
    files = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    subprocess.run([needs(command[0]), *command[1:], *names, *files], check=True, capture_output=True)
    return ssl.create_default_context(cafile=folder / "fullchain.pem")


def test_nginx_passes_on_readings_and_web_sockets(tmp_path, cache_dir, free_port):
    nginx, trust = needs("nginx"), certify(tmp_path)
    with serve(tmp_path / "home", DIGITPAD_CACHE_DIR=str(cache_dir), **SETTINGS) as server:
        upstream = re.search(r"127\.0\.0\.1:\d+", server.url)[0]
        started = [nginx, "-e", f"{tmp_path}/error.log", "-c", configured(tmp_path, upstream, free_port)]
        tried = subprocess.run([*started, "-t"], capture_output=True, text=True)
        assert tried.returncode == 0, tried.stderr
        proxy = subprocess.Popen(started)
        try:

            def ask(path, token, body=None):
                headers = {"host": NAME, "content-type": "application/json"}
                headers |= {"authorization": f"Bearer {token}"} if token else {}
                data = None if body is None else json.dumps(body).encode()
                request = urllib.request.Request(f"https://localhost:{free_port}{path}", data, headers)
                with closing(urllib.request.urlopen(request, context=trust, timeout=20)) as answer:
                    return json.load(answer)

            until(lambda: (tmp_path / "pid").read_text("ascii"))  # written once it listens; the trial leaves it empty
            assert ask("/health", None)
            assert ask("/predict", "predict", {"strokes": [[[10, 10], [60, 10], [30, 90]]]})["label"] == "7"
            with pytest.raises(urllib.error.HTTPError, match="403") as refused:
                ask("/api/runs", "predict")
            refused.value.close()
            run = ask("/api/runs", "everything", {"recipe": "quick", "overrides": TINY})["id"]
            address = f"wss://{NAME}/api/runs/{run}/stream?after=0"
            bearer = {"authorization": "Bearer everything"}
            with (
                socket.create_connection(("127.0.0.1", free_port), 20) as plain,
                connect(address, sock=plain, ssl=trust, additional_headers=bearer) as stream,
            ):
                assert [json.loads(stream.recv(20))["type"] for _ in range(2)] == ["hello", "queued"]
            ask(f"/api/runs/{run}/cancel", "everything", {})
        finally:
            proxy.terminate()
            proxy.wait(20)
        told = (tmp_path / "digitpad.log").read_text(encoding="utf-8")
        assert f'"GET /api/runs/{run}/stream" 101' in told
        assert "after=0" not in told  # nor any other query, which may hold the token


def test_systemd_takes_the_service(tmp_path):
    analyze = needs("systemd-analyze")
    path = tmp_path / "digitpad.service"
    text = file("digitpad.service").replace("/opt/digitpad/bin/digitpad", shutil.which("true"))
    path.write_text(text, encoding="utf-8")
    checked = subprocess.run([analyze, "verify", path], capture_output=True, text=True, timeout=60)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.fixture
def free_port():
    """A port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
