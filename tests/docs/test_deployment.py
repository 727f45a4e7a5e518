"""The files of docs/how-to/deploy.md: nginx, Caddy, Jupyter and systemd take them, and pass on what digitpad needs."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from pathlib import Path
from ssl import Purpose, SSLContext, create_default_context
from urllib.parse import urljoin, urlsplit

import pytest
from websockets.sync.client import connect

from tests.support.proxy import certify, needs, reverse_proxy
from tests.support.runs import TINY
from tests.support.serving import REPOSITORY, serve
from tests.support.waiting import until

pytestmark = pytest.mark.slow

PAGE = (REPOSITORY / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
NAME = "digits.example.org"
TOKENS = {"DIGITPAD_TOKEN": "everything", "DIGITPAD_PREDICT_TOKEN": "predict"}
SETTINGS = {**TOKENS, "DIGITPAD_ALLOWED_HOSTS": NAME}
SEVEN = {"strokes": [[[10, 10], [60, 10], [30, 90]]]}
SPOOFED = {
    "x-forwarded-host": "evil.com",
    "x-forwarded-prefix": "/evil",
    "x-forwarded-proto": "http",
    "x-forwarded-for": "6.6.6.6",
}


def file(title):
    """The file of that name, as the page has it."""
    (text,) = re.findall(rf'^```\w+ title="{re.escape(title)}"\n(.*?)^```$', PAGE, re.DOTALL | re.MULTILINE)
    return text


def settings(title):
    """The settings under that name."""
    return dict(line.split("=", 1) for line in file(title).splitlines())


def replaced(text, changes):
    """`text` with its places taken by those of the test; each must be there."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def unused_port():
    """A port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def running(command, port, folder, **options):
    """A program that listens on that port, until the end; what it says goes into `folder`."""
    with (folder / "said").open("w+", encoding="utf-8") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, **options)
        try:

            def answers():
                assert process.poll() is None, (folder / "said").read_text("utf-8")
                with socket.socket() as probe:
                    return probe.connect_ex(("127.0.0.1", port)) == 0

            until(answers)
            yield
        finally:
            process.terminate()
            process.wait(20)


@dataclass(frozen=True)
class Visitor:
    """A visitor of `url`, which leads to a port of this machine."""

    url: str
    port: int
    trust: SSLContext | None = None

    @cached_property
    def root(self):
        return urlsplit(self.url).path

    @cached_property
    def origin(self):
        return self.url.removesuffix(self.root)

    def ask(self, path, token="everything", body=None, **headers):
        """The answer to a request, and its text."""
        headers = {"host": urlsplit(self.url).netloc, "accept": "text/html, application/json", **headers}
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        kind = {} if body is None else {"content-type": "application/json"}
        data = None if body is None else json.dumps(body)
        if self.trust is None:
            connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        else:
            connection = http.client.HTTPSConnection("localhost", self.port, timeout=30, context=self.trust)
        with closing(connection):
            connection.request("GET" if body is None else "POST", self.root + path, data, {**headers, **kind})
            answer = connection.getresponse()
            return answer, answer.read().decode()

    def uses_everything(self, *, spoofed=SPOOFED):
        """Look at a page, enter, read, train, and follow the training; returns the run's number."""
        _, page = self.ask("/train", **spoofed)
        addresses = [unescape(one) for one in re.findall(r'(?:href|src|action)="(/[^"]*)"', page)]
        assert len(addresses) > 10
        assert all(one.startswith(f"{self.root}/") for one in addresses)
        for address in [one for one in addresses if "/static/" in one][:3]:
            assert self.ask(address.removeprefix(self.root), None)[0].status == 200

        for path, leads_to in (("/models?x=1&token=everything", "/models?x=1"), ("/language/ja?next=/train", "/train")):
            answer, _ = self.ask(path, None, **spoofed)
            assert answer.status == 303
            location = urljoin(self.url + path, answer.getheader("location"))
            assert location == self.url + leads_to
            cookie = next(one for one in answer.headers.get_all("set-cookie") if one.startswith("digitpad"))
            assert ("Secure" in cookie) is (self.trust is not None)
            assert f"path={self.root or '/'};" in cookie.lower() + ";"
        answer, _ = self.ask("/train/")
        assert urljoin(f"{self.url}/train/", answer.getheader("location")) == f"{self.url}/train"

        answer, text = self.ask("/predict", "predict", SEVEN, origin=self.origin, **spoofed)
        assert answer.status == 200, text
        assert json.loads(text)["label"] == "7"
        answer, text = self.ask("/predict", "predict", SEVEN, origin="https://evil.com", accept="application/json")
        assert answer.status == 403
        assert "DIGITPAD_ALLOWED_ORIGINS" in json.loads(text)["error"]
        assert self.ask("/api/runs", "predict")[0].status == 403
        assert "openapi.json" in self.ask("/docs")[1]

        run = json.loads(self.ask("/api/runs", body={"recipe": "quick", "overrides": TINY}, origin=self.origin)[1])[
            "id"
        ]
        address = re.sub("^http", "ws", f"{self.url}/api/runs/{run}/stream?after=0")
        bearer = {"authorization": "Bearer everything"}
        with (
            socket.create_connection(("127.0.0.1", self.port), 20) as plain,
            connect(
                address, sock=plain, ssl=self.trust, additional_headers=bearer, origin=self.origin, open_timeout=60
            ) as stream,
        ):
            assert [json.loads(stream.recv(20))["type"] for _ in range(2)] == ["hello", "queued"]
        self.ask(f"/api/runs/{run}/cancel", body={})
        return run


@contextmanager
def served(folder, cache_dir, **more):
    """`address:port` of a server with the page's settings."""
    with serve(folder / "home", DIGITPAD_CACHE_DIR=str(cache_dir), **more) as server:
        yield urlsplit(server.url).netloc


@contextmanager
def nginx(folder, upstream, port, changes):
    """nginx with the page's file, whole, on a port of its own and with nothing outside of `folder`."""
    program = needs("nginx")
    text = replaced(
        file("digitpad.conf"),
        {
            **changes,
            "127.0.0.1:8000": upstream,
            f"/etc/letsencrypt/live/{NAME}": str(folder),
            "/var/log/nginx": str(folder),
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "    listen [::]:443 ssl;\n": "",
            "    listen 80;\n": f"    listen unix:{folder}/http;\n",
            "    listen [::]:80;\n": "",
        },
    )
    kept = "".join(f"{one}_temp_path {folder}/{one};" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    head = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}"
    path = folder / "nginx.conf"
    path.write_text(f"{head}\nhttp {{ {kept}\n{text}\n}}\n", encoding="utf-8")
    command = [program, "-e", f"{folder}/error.log", "-c", path]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    with running(command, port, folder):
        yield


STRIPS = {"proxy_pass         http://digitpad;": "proxy_pass         http://digitpad/;"}
UNDER_PATH = {"    location / {\n": file("location of a path")}


@pytest.mark.parametrize(
    ("prefix", "changes"), [("", {}), ("/pad", UNDER_PATH), ("/pad", {**UNDER_PATH, **STRIPS})], ids=str
)
def test_nginx_passes_on_all_that_digitpad_needs(tmp_path, cache_dir, free_port, prefix, changes):
    needs("nginx")
    assert "`proxy_pass http://digitpad/;`" in PAGE
    trust = certify(tmp_path, NAME)
    more = settings("settings of a path") if prefix else {}
    with (
        served(tmp_path, cache_dir, **SETTINGS, **more) as upstream,
        nginx(tmp_path, upstream.removesuffix(prefix), free_port, changes),
    ):
        run = Visitor(f"https://{NAME}{prefix}", free_port, trust).uses_everything()
    told = (tmp_path / "digitpad.log").read_text(encoding="utf-8")
    assert f'"GET {prefix}/api/runs/{run}/stream" 101' in told
    assert "after=0" not in told  # nor any other query, which may hold the token


@pytest.mark.parametrize(
    ("title", "prefix", "changes"),
    [
        ("Caddyfile", "", {}),
        ("Caddyfile of a path", "/pad", {}),
        ("Caddyfile of a path", "/pad", {"handle /pad/*": "handle_path /pad/*"}),
    ],
    ids=str,
)
def test_caddy_passes_on_all_that_digitpad_needs(tmp_path, cache_dir, free_port, title, prefix, changes):
    caddy, trust = needs("caddy"), certify(tmp_path, NAME)
    more = settings("settings of a path") if prefix else {}
    with served(tmp_path, cache_dir, **SETTINGS, **more) as upstream:
        site = (
            f"https://{NAME}:{free_port} {{\n\tbind 127.0.0.1\n\ttls {tmp_path}/fullchain.pem {tmp_path}/privkey.pem\n"
        )
        places = {f"{NAME} {{\n": site, "127.0.0.1:8000": upstream}
        head = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
        path = tmp_path / "Caddyfile"
        path.write_text(head + replaced(file(title), {**changes, **places}), encoding="utf-8")
        command = [caddy, "run", "--adapter", "caddyfile", "--config", path]
        with running(command, free_port, tmp_path, env={**os.environ, "HOME": str(tmp_path)}):
            visitor = Visitor(f"https://{NAME}:{free_port}{prefix}", free_port, trust)
            visitor.uses_everything()
            if prefix:
                answer, _ = Visitor(visitor.origin, free_port, trust).ask(prefix)
                assert urljoin(visitor.origin, answer.getheader("location")) == f"{visitor.url}/"


@pytest.mark.parametrize("rewrites_origin", [False, True])
def test_what_forwards_a_port_as_codespaces_does_passes_on_all_that_digitpad_needs(
    tmp_path, cache_dir, rewrites_origin
):
    variables = {"CODESPACE_NAME": "happy-octo", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN": "app.localhost"}
    line = re.search(r'^(DIGITPAD_ALLOWED_HOSTS="\S+") digitpad serve$', PAGE, re.MULTILINE)[1]
    name = subprocess.run(
        ["sh", "-euc", f'{line}; printf %s "$DIGITPAD_ALLOWED_HOSTS"'],
        env=variables,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert name == "happy-octo-8000.app.localhost"
    trust = certify(tmp_path, name)
    tls = create_default_context(Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "fullchain.pem", tmp_path / "privkey.pem")
    says = {"x-forwarded-host": "{host}", "x-forwarded-proto": "{scheme}", "x-forwarded-for": "203.0.113.9"}
    with served(tmp_path, cache_dir, **TOKENS, DIGITPAD_ALLOWED_HOSTS=name) as upstream:
        local = f"localhost:{upstream.partition(':')[2]}"
        forwards = {"host": local, "says": says, "rewrites_origin": rewrites_origin}
        with reverse_proxy(f"http://{upstream}", name=name, tls=tls, **forwards) as proxy:
            visitor = Visitor(proxy.url, urlsplit(proxy.url).port, trust)
            visitor.uses_everything(spoofed={})
            stranger = Visitor(f"https://evil.localhost:{visitor.port}", visitor.port, trust)
            answer, page = stranger.ask("/")
            assert (answer.status, "DIGITPAD_ALLOWED_HOSTS" in page) == (421, True)


@pytest.mark.parametrize("way", ["proxy", "proxy/absolute"])
def test_a_jupyter_server_passes_on_all_that_digitpad_needs(tmp_path, cache_dir, free_port, way):
    jupyter = needs("jupyter-server")
    has_proxy = [Path(jupyter).parent / "python", "-c", "import jupyter_server_proxy"]
    if subprocess.run(has_proxy, capture_output=True).returncode != 0:
        pytest.skip("needs jupyter-server-proxy beside jupyter-server")
    base = "/user/me@example.org"
    given = settings("settings behind Jupyter")
    hub = given["DIGITPAD_ALLOWED_HOSTS"]
    port = unused_port()
    root = {"DIGITPAD_ROOT_PATH": f"{base}/{way}/{port}"} if way == "proxy/absolute" else {}
    with serve(tmp_path / "home", port=port, DIGITPAD_CACHE_DIR=str(cache_dir), **TOKENS, **given, **root):
        command = [jupyter, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={free_port}"]
        options = [f"--ServerApp.base_url={base}/", "--IdentityProvider.token=", "--ServerApp.allow_remote_access=True"]
        own = {"HOME": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
        where = {"cwd": tmp_path, "env": {**os.environ, **own}}
        with running([*command, *options, f"--ServerApp.root_dir={tmp_path}"], free_port, tmp_path, **where):
            Visitor(f"http://{hub}{base}/{way}/{port}", free_port).uses_everything(spoofed={})


def test_systemd_takes_the_service(tmp_path):
    analyze = needs("systemd-analyze")
    path = tmp_path / "digitpad.service"
    text = file("digitpad.service").replace("/opt/digitpad/bin/digitpad", shutil.which("true"))
    path.write_text(text, encoding="utf-8")
    checked = subprocess.run([analyze, "verify", path], capture_output=True, text=True, timeout=60)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.fixture
def free_port():
    return unused_port()
