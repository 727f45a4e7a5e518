"""Tokens, `Host`, `Origin`, and the headers of every answer."""

import html
import json
import os
import re
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from urllib.parse import urljoin

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.main import create_app
from app.settings import SettingError, Settings
from app.web.middleware.trusted_hosts import (
    Authority,
    Hosts,
    Origin,
    Origins,
    is_loopback,
    parse_authority,
    parse_origin,
)
from app.web.templates import static_url
from tests.support.errors import is_an_error
from tests.support.serving import REPOSITORY, serve
from tests.support.waiting import until

TOKEN, PREDICT = "s3cret-of-the-house", "only-for-reading"
BEARER = {"authorization": f"Bearer {TOKEN}"}
PREDICTS = {"authorization": f"Bearer {PREDICT}"}
PAGE = {"accept": "text/html"}
BLANK = {"strokes": []}


@contextmanager
def app_client(tmp_path, cache_dir, **changes):
    settings = Settings(
        **{
            "home": tmp_path / "home",
            "cache_dir": cache_dir,
            "data_dir": None,
            "allowed_hosts": "testserver",
            **changes,
        },
        _env_file=None,
    )
    with TestClient(create_app(settings), raise_server_exceptions=False, follow_redirects=False) as running:
        yield running


@pytest.fixture(scope="module")
def locked_app(tmp_path_factory, cache_dir):
    home = tmp_path_factory.mktemp("locked")
    with (
        pytest.MonkeyPatch.context() as patch,
        app_client(home, cache_dir, host="0.0.0.0", token=TOKEN, predict_token=PREDICT) as running,
    ):
        patch.setattr("app.web.middleware.authentication.DELAY_SECONDS", 0.0)
        yield running


@pytest.fixture
def locked(locked_app):
    """A client of an app on all addresses, with both tokens; it has no cookie."""
    locked_app.cookies.clear()
    return locked_app


def socket_refused(client, path="/api/runs/1/stream", **headers):
    """The status and the error that a socket is refused with, before it is accepted."""
    with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect(path, headers=headers):
        """It is not even opened."""
    return closed.value


def socket_opens(client, path="/api/runs/1/stream", **headers):
    with client.websocket_connect(path, headers=headers) as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    return closed.value.reason == "there is no run 1"


# Parsing


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost", "localhost", None),
        ("LocalHost:8000", "localhost", 8000),
        ("localhost.:8000", "localhost", 8000),
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("[::1]", "::1", None),
        ("[::1]:8000", "::1", 8000),
        ("[0:0:0:0:0:0:0:1]:1", "::1", 1),
        ("my_host-2.example.org", "my_host-2.example.org", None),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", None),
    ],
)
def test_an_authority_is_read(text, host, port):
    assert parse_authority(text) == Authority(host, port)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            ".",
            "..",
            "localhost..",
            "a..b",
            "-a",
            "a-",
            "a b",
            "localhost ",
            "\tlocalhost",
            "localhost\n",
            "a,b",
        ),
        *("user@localhost", "user:x@localhost", "localhost:8000@evil.com", "localhost/x", "localhost?x", "localhost#x"),
        *(
            "localhost:",
            "localhost:x",
            "localhost:-1",
            "localhost:99999",
            "localhost:8000:1",
            "localhost:８０",
            ":8000",
        ),
        *("::1", "[::1", "::1]", "[]", "[::1]x", "[::1]:", "[::1%25eth0]", "[fe80::1%eth0]", "[127.0.0.1]", "[v1.x]"),
        *(
            "bücher.example",
            "ⓛocalhost",
            "localhost\0",
            "%6cocalhost",
            "*",
            "*.example",
            "a" * 64,
            "a." * 150,
            "x" * 5000,
        ),
    ],
)
def test_what_is_no_authority_is_none(text):
    assert parse_authority(text) is None


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://localhost", Origin("http", "localhost", 80)),
        ("HTTPS://Example.org", Origin("https", "example.org", 443)),
        ("http://[::1]:8000", Origin("http", "::1", 8000)),
        ("null", None),
        ("", None),
        ("file://", None),
        ("http://", None),
        ("http://localhost/", None),
        ("http://localhost:8000 http://evil", None),
        ("//localhost", None),
        ("chrome-extension://abc", None),
        ("localhost:8000", None),
    ],
)
def test_an_origin_is_read(text, origin):
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        (b"http://localhost:8000", "localhost:8000", True),
        (b"http://localhost", "localhost", True),
        (b"http://localhost:80", "localhost", True),
        (b"https://digits.example", "digits.example", True),
        (b"https://digits.example", "digits.example:443", True),
        (b"http://digits.example", "digits.example:443", False),
        (b"http://localhost:9000", "localhost:8000", False),
        (b"http://localhost", "localhost:8000", False),
        (b"http://127.0.0.1:8000", "localhost:8000", False),
        (b"http://localhost.evil.com:8000", "localhost:8000", False),
        (b"null", "localhost:8000", False),
    ],
)
def test_only_the_same_host_and_port_are_the_same_origin(origin, host, own):
    assert Origins(()).is_own(origin, parse_authority(host)) is own


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"])
def test_these_listen_on_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "0", "10.0.0.1", "example.org", "localhost.evil.com", "127.0.0.1.evil"]
)
def test_these_do_not(host):
    assert not is_loopback(host)


def test_the_names_that_a_server_answers_to():
    def answers(host, *values, arrived="10.0.0.5", **changes):
        hosts = Hosts(Settings(host=host, _env_file=None, **changes))
        return [hosts.check(value, arrived) is not None for value in values]

    assert all(answers("127.0.0.1", b"localhost:1", b"127.0.0.1", b"[::1]:2", b"LOCALHOST."))
    assert not any(answers("127.0.0.1", b"0.0.0.0", b"10.0.0.5", b"evil.com", b"localhost.evil.com", b"127.0.0.2"))
    assert answers("0.0.0.0", b"10.0.0.5:8000", b"10.0.0.6:8000", b"evil.com") == [True, False, False]
    assert answers("::", b"[fe80::5]", b"10.0.0.5", arrived="fe80::5") == [True, False]
    assert answers("::", b"10.0.0.5", arrived="::ffff:10.0.0.5") == [True]
    assert answers("10.0.0.5", b"10.0.0.5", b"10.0.0.6") == [True, False]
    named = {"allowed_hosts": "Digits.Example, 2001:db8::1"}
    assert all(answers("127.0.0.1", b"digits.example:443", b"[2001:db8::1]", **named))


# Settings


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "0.0.0.0"},
        {"host": ""},
        {"host": "example.org"},
        {"predict_token": PREDICT},
        {"token": TOKEN, "predict_token": TOKEN},
        {"allowed_hosts": "*"},
        {"allowed_hosts": "digits.example:8000"},
        {"allowed_origins": "null"},
        {"allowed_origins": "https://digits.example/path"},
        {"allowed_origins": "*"},
    ],
    ids=str,
)
def test_a_gap_in_the_settings_is_refused_before_anything_is_served(changes):
    with pytest.raises(SettingError, match="DIGITPAD_"):
        create_app(Settings(_env_file=None, **changes))


@pytest.mark.parametrize("token", ["with blank", "non-ascii-é", "x" * 1025, "line\nbreak"])
def test_a_token_that_no_header_can_carry_is_refused(token):
    with pytest.raises(ValidationError):
        Settings(token=token, _env_file=None)


def test_a_token_is_not_shown_by_the_settings():
    assert TOKEN not in repr(Settings(token=TOKEN, _env_file=None))
    assert Settings(token="", _env_file=None).token is None


# Tokens


@pytest.mark.parametrize("path", ["/", "/train", "/runs/1", "/models", "/docs", "/nowhere"])
def test_pages_ask_for_the_token_in_plain_words(locked, path):
    page = locked.get(path, headers=PAGE)
    assert page.status_code == 401
    assert "needs its token" in page.text
    assert TOKEN not in page.text
    for address in re.findall(r'(?:href|src)="(/static[^"]+)"', page.text):
        assert locked.get(address).status_code == 200
    switches = [html.unescape(address) for address in re.findall(r'href="(/(?:theme|language)/[^"]+)"', page.text)]
    assert len(switches) >= 5
    for address in switches:
        answer = locked.get(address)
        assert (answer.status_code, urljoin(address, answer.headers["location"])) == (303, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", "/api/runs"), ("POST", "/api/runs"), ("DELETE", "/api/models/mnist-mlp"), ("POST", "/predict")),
        *(("GET", "/v2"), ("POST", "/v2/models/mnist-mlp/infer"), ("GET", "/openapi.json"), ("GET", "/nowhere")),
        *(("POST", "/health"), ("PUT", "/static/x"), ("OPTIONS", "/api/runs")),
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": "Bearer " + "x" * 5000},
        {"authorization": b"Bearer \xff\xfe"},
        {"cookie": f"digitpad={TOKEN}"},
        {"cookie": ";;;=;"},
    ],
    ids=str,
)
def test_without_the_token_there_is_nothing(locked, method, path, headers):
    response = locked.request(method, path, headers=headers)
    message = is_an_error(response, 401)
    assert "expected a token" in message
    assert TOKEN[:-1] not in message
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_a_probe_needs_no_token(locked):
    for path in ("/health", "/v2/health/live", "/v2/health/ready"):
        assert locked.get(path).status_code == 200


def test_the_token_opens_everything(locked):
    for path in ("/", "/api/runs", "/v2", "/openapi.json", "/docs"):
        assert locked.get(path, headers=BEARER).status_code == 200
    assert locked.post("/predict", json=BLANK, headers={"authorization": f"bearer {TOKEN}"}).status_code == 200
    assert socket_opens(locked, **BEARER)
    is_an_error(locked.get("/api/runs", headers=[*BEARER.items(), ("authorization", "Bearer x")]), 401)


def test_the_second_token_only_predicts(locked):
    assert locked.post("/predict", json=BLANK, headers=PREDICTS).status_code == 200
    for path in ("/v2", "/v2/models/mnist-mlp", "/health"):
        assert locked.get(path, headers=PREDICTS).status_code == 200
    for method, path in (
        *(
            ("GET", "/api/runs"),
            ("POST", "/api/runs"),
            ("GET", "/"),
            ("GET", "/docs"),
            ("GET", "/v2x"),
            ("GET", "/predict/"),
        ),
        *(("GET", "/api/models"), ("POST", "/api/drawings"), ("GET", "//v2"), ("GET", "/api/../v2/../api/runs")),
    ):
        response = locked.request(method, path, headers=PREDICTS)
        assert "may only predict" in is_an_error(response, 403)
        assert "insufficient_scope" in response.headers["www-authenticate"]
    assert socket_refused(locked, **PREDICTS).status_code == 403


def test_the_token_in_a_pages_address_becomes_a_cookie(locked):
    entered = locked.get(f"/models?x=1&token={TOKEN}&y=%C3%A9", headers=PAGE)
    assert (entered.status_code, urljoin("/models", entered.headers["location"])) == (303, "/models?x=1&y=%C3%A9")
    cookie = entered.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert TOKEN not in cookie
    assert (entered.headers["cache-control"], entered.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert locked.get("/models", headers=PAGE).status_code == 200
    own = {"origin": "http://testserver"}
    assert locked.post("/predict", json=BLANK, headers=own).status_code == 200
    assert socket_opens(locked, **own)


def test_a_cookie_alone_changes_nothing_where_no_origin_is_named(locked):
    locked.get(f"/?token={TOKEN}")
    assert "origin; got none" in is_an_error(locked.post("/api/runs", json={}), 403)
    is_an_error(locked.post("/predict", json=BLANK, headers={"sec-fetch-site": "same-site"}), 403)
    assert locked.post("/predict", json=BLANK, headers={"sec-fetch-site": "same-origin"}).status_code == 200
    assert socket_refused(locked).status_code == 403


@pytest.mark.parametrize("token", ["wrong", PREDICT, "", "%00", "%FF", f"{TOKEN}&token={TOKEN}"])
def test_no_other_token_enters(locked, token):
    response = locked.get(f"/?token={token}", headers=PAGE)
    assert response.status_code == 401
    assert "set-cookie" not in response.headers


def test_a_token_in_the_address_is_for_pages_alone(locked):
    for path in ("/api/runs", "/v2", "/predict", "/openapi.json"):
        is_an_error(locked.request("GET", f"{path}?token={TOKEN}"), 401)
    is_an_error(locked.post(f"/?token={TOKEN}"), 401)
    assert socket_refused(locked, f"/api/runs/1/stream?token={TOKEN}").status_code == 401


@pytest.mark.parametrize("path", ["//evil.com/", "/\\evil.com/", "///evil.com", "/%5Cevil.com/", "/%2Fevil.com"])
def test_entering_leads_nowhere_else(locked, path):
    address = f"http://testserver{path}?token={TOKEN}"
    assert urljoin(address, locked.get(address).headers["location"]).startswith("http://testserver/")
    assert locked.get(address).headers["location"].startswith("./")


def test_tokens_are_compared_in_constant_time(locked, monkeypatch):
    import hmac

    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(
        "app.web.middleware.authentication.hmac.compare_digest",
        lambda a, b: compared.append((len(a), len(b))) or real(a, b),
    )
    for token in ("", "x", TOKEN[:-1], TOKEN, PREDICT, "x" * 900):
        locked.get("/api/runs", headers={"authorization": f"Bearer {token}"})
    assert compared == [(32, 32)] * 12


def test_loopback_asks_for_no_token_and_any_other_name_is_refused(client):
    assert client.get("/api/runs").status_code == 200
    for host in ("evil.com", "localhost.evil.com", "127.0.0.1.nip.io", "0.0.0.0", "192.168.0.1", "testserver.evil.com"):
        assert "expected a Host" in is_an_error(client.get("/api/runs", headers={"host": host}), 421)
        assert socket_refused(client, host=host).status_code == 421


# Origins


def test_scripts_come_whatever_the_origin_so_that_a_page_can_say_what_is_refused(client):
    foreign = {"origin": "http://evil.com"}  # browsers name one for modules
    for path in (static_url("js/pages/pad/index.js"), "/health"):
        answer = client.get(path, headers=foreign)
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers  # so that the other site's page cannot read it
    is_an_error(client.post("/health", headers=foreign), 403)


@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.com", "http://testserver:81", "http://testserver.evil.com", "", "testserver", "file://"],
)
def test_another_sites_page_changes_nothing_and_opens_no_socket(client, origin):
    headers = {"origin": origin}
    for method, path in (
        *(
            ("POST", "/predict"),
            ("POST", "/api/runs"),
            ("DELETE", "/api/runs/1"),
            ("PUT", "/"),
            ("PATCH", "/api/runs/1"),
        ),
        *(("POST", "/v2/models/mnist-mlp/infer"), ("DELETE", "/api/models/mnist-mlp"), ("POST", "/api/models")),
    ):
        assert "origin; got" in is_an_error(client.request(method, path, headers=headers), 403)
    assert socket_refused(client, origin=origin).status_code == 403
    preflight = client.options("/predict", headers={**headers, "access-control-request-method": "POST"})
    for answer in (client.get("/api/runs", headers=headers), client.get("/", headers=headers), preflight):
        assert "DIGITPAD_ALLOWED_ORIGINS" in is_an_error(answer, 403)
        assert "access-control-allow-origin" not in answer.headers


def test_a_browser_that_names_no_origin_still_says_that_it_crosses_sites(client):
    is_an_error(client.post("/predict", json=BLANK, headers={"sec-fetch-site": "cross-site"}), 403)
    assert client.post("/predict", json=BLANK, headers={"sec-fetch-site": "none"}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("mode", ["no-cors", "navigate"])
def test_what_another_site_fetches_without_an_origin_starts_nothing(client, site, mode):
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode}
    for path in ("/api/models/mnist-mlp/judgement", "/api/recipes", "/api/datasets"):
        assert "DIGITPAD_ALLOWED_ORIGINS" in is_an_error(client.get(path, headers=headers), 403)
        assert client.head(path, headers=headers).status_code == 403
    assert client.get("/", headers=headers).status_code == 200  # a link
    assert client.get("/api/models", headers={"sec-fetch-site": "none"}).status_code == 200  # an address typed


def test_the_servers_own_pages_and_programs_may(client):
    assert client.post("/predict", json=BLANK, headers={"origin": "http://testserver"}).status_code == 200
    assert client.post("/predict", json=BLANK).status_code == 200
    assert socket_opens(client, origin="http://testserver")
    assert socket_opens(client)


def test_a_site_that_is_allowed_may_and_may_read_the_answer(tmp_path, cache_dir):
    site = {"origin": "https://school.example"}
    with app_client(tmp_path, cache_dir, allowed_origins="https://school.example", token=TOKEN) as client:
        wanted = {"access-control-request-method": "PUT", "access-control-request-headers": "authorization,x-new"}
        for path, methods in (
            ("/api/drawings/sets/x", "DELETE, GET, HEAD, PUT"),
            ("/predict", "POST"),
            ("/api/runs", "GET, HEAD, POST"),
        ):
            asked = client.options(path, headers={**site, **wanted})
            assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, site["origin"])
            assert asked.headers["access-control-allow-methods"] == methods
            assert asked.headers["access-control-allow-headers"] == "authorization,x-new"
        answer = client.post("/predict", json=BLANK, headers={**site, **BEARER})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://school.example")
        assert "access-control-allow-credentials" not in answer.headers
        refused = client.post("/predict", json=BLANK, headers=site)
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://school.example")
        other = {"origin": "https://school.example.evil.com"}
        assert client.options("/predict", headers={**other, **wanted}).status_code == 403
        assert client.post("/predict", json=BLANK, headers={**other, **BEARER}).status_code == 403


def test_two_hosts_or_two_origins_are_refused(client):
    response = client.get("/api/runs", headers=[("host", "testserver"), ("host", "testserver")])
    assert "expected one Host header; got 2" in is_an_error(response, 400)
    origins = [("origin", "http://testserver"), ("origin", "http://evil.com")]
    assert "expected one Origin header; got 2" in is_an_error(client.post("/predict", headers=origins), 400)


@pytest.mark.parametrize("path", ["/api/runs/1/streams", "/nowhere", "/", static_url("favicon.svg")])
def test_a_socket_where_there_is_none_is_refused_as_a_request_is(client, path):
    refused = socket_refused(client, path, **{"accept-language": "ja"})
    assert refused.status_code == 404
    assert json.loads(refused.text)["code"] == "not_found"
    assert path in json.loads(refused.text)["error"]
    assert (refused.headers["content-language"], refused.headers["x-content-type-options"]) == ("ja", "nosniff")


# Methods


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/runs", "GET, HEAD, POST"),
        ("POST", "/api/runs/1", "DELETE, GET, HEAD, PATCH"),
        ("GET", "/predict", "POST"),
        ("HEAD", "/predict", "POST"),
        ("PUT", "/train", "GET, HEAD"),
        ("POST", static_url("favicon.svg"), "GET, HEAD"),
    ],
)
def test_a_method_that_an_address_does_not_take_is_answered_with_all_that_it_takes(client, method, path, allowed):
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert method == "HEAD" or f"expected {allowed} at {path}; got {method}" == is_an_error(answer, 405)


@pytest.mark.parametrize("path", ["/api/runs", "/api/models", "/health", "/v2", "/openapi.json", "/", "/metrics"])
def test_head_is_answered_as_get_without_its_content(client, path):
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert get.content
    assert head.headers["content-type"] == get.headers["content-type"]


def test_head_is_an_error_where_get_is(client):
    assert (client.head("/api/runs/999").status_code, client.head("/nowhere").status_code) == (404, 404)


# Headers


@pytest.mark.parametrize("path", ["/", "/train", "/models", "/docs", "/nowhere"])
def test_pages_run_no_inline_script_and_stand_in_no_frame(client, path):
    page = client.get(path, headers=PAGE)
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert "unsafe" not in policy["script-src"]
    assert (policy["frame-ancestors"], policy["base-uri"], policy["object-src"]) == ("'none'",) * 3
    assert (page.headers["x-content-type-options"], page.headers["x-frame-options"]) == ("nosniff", "DENY")
    if path != "/docs":
        assert policy["script-src"] == "'self'"
        assert "unsafe" not in page.headers["content-security-policy"]
        assert not re.search(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))", page.text)
        assert not re.search(r"\son\w+=|\sstyle=|<style", page.text)


def test_every_answer_carries_the_headers(client, monkeypatch):
    monkeypatch.setattr("app.models.store.ModelStore.list", lambda self: 1 / 0)
    answers = [
        client.get("/health"),
        client.post("/predict", json=BLANK),
        client.post("/predict", json={}),
        client.get("/nowhere"),
        client.get("/api/models"),
        client.get("/health", headers={"host": "evil.com"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 422, 404, 500, 421]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert not any(name.startswith("access-control") for name in answer.headers)
        assert "etag" not in answer.headers


# A real server


@pytest.mark.slow
def test_a_server_for_others_makes_a_token_prints_it_in_its_addresses_and_logs_it_nowhere(tmp_path):
    environment = {**os.environ, "DIGITPAD_HOME": str(tmp_path), "DIGITPAD_HOST": "0.0.0.0", "DIGITPAD_PORT": "0"}
    with (tmp_path / "printed").open("w+") as printed:
        command = [sys.executable, "-m", "app", "serve"]
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=printed, stderr=printed)
        try:
            found = until(lambda: re.search(r"(http://\S+)/\?token=(\S+)", (tmp_path / "printed").read_text()))
            url, token = found.groups()
            assert len(token) >= 32
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            with opener.open(f"{url}/?token={token}", timeout=20) as page:
                assert page.url == f"{url}/"
                assert page.status == 200
            with opener.open(f"{url}/api/runs", timeout=20) as listed:
                assert listed.status == 200
        finally:
            process.terminate()
            process.wait(20)
    told = [line for line in (tmp_path / "printed").read_text().splitlines() if token in line]
    assert len(told) in (1, 2)  # on this machine, and in its network if it has one
    assert all(re.search(rf"http://\S+/\?token={re.escape(token)}$", line) for line in told)


@pytest.mark.slow
def test_a_given_token_is_not_printed(tmp_path):
    with serve(tmp_path, DIGITPAD_HOST="0.0.0.0", DIGITPAD_TOKEN=TOKEN) as server:
        assert "token" not in server.url
        request = urllib.request.Request(f"{server.url}/api/runs", headers=BEARER)
        with urllib.request.urlopen(request, timeout=20) as listed:
            assert listed.status == 200


@pytest.mark.slow
def test_a_bad_token_setting_is_named_and_not_shown(tmp_path):
    environment = {**os.environ, "DIGITPAD_HOME": str(tmp_path), "DIGITPAD_TOKEN": "two words"}
    ended = subprocess.run(
        [sys.executable, "-m", "app", "serve"],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 2
    assert "DIGITPAD_TOKEN: " in ended.stderr
    assert "two words" not in ended.stderr
