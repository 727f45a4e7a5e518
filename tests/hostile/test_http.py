"""What comes over the wire before any JSON is read: floods, hosts, origins, tokens, handshakes."""

import json
import socket
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.errors import ERROR
from tests.support.hostile import PREDICT, TOKEN, refused
from tests.support.waiting import until

CALLS = ["/predict", "/v2/models/mnist-mlp/infer", "/api/runs", "/api/drawings", "/api/models"]
LIMIT = 8 * 2**20
CHANGES = [
    ("POST", "/predict"),
    ("POST", "/api/runs"),
    ("DELETE", "/api/models/mnist-mlp"),
    ("POST", "/v2/models/mnist-mlp/infer"),
]


def kind_for(path: str) -> dict[str, str]:
    return {"content_type": "application/zip" if path == "/api/models" else "application/json"}


def read_all(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        """It was closed while we still sent."""
    return b"".join(parts)


@pytest.mark.parametrize("path", CALLS)
def test_a_body_over_8_mb_with_its_length(target, path):
    message = refused(target.send("POST", path, b" " * (LIMIT + 1), **kind_for(path)), 413)
    assert "at most 8 MB" in message


@pytest.mark.parametrize("path", CALLS)
def test_a_length_that_lies(target, path):
    for length in ("9" * 15, str(2**40)):
        with target.raw() as connection:
            connection.sendall(
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind_for(path)['content_type']}\r\n"
                f"Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n".encode()
            )
            head = read_all(connection).decode()
        assert head.startswith("HTTP/1.1 413"), head[:200]


@pytest.mark.parametrize("path", CALLS)
def test_a_chunked_flood_is_cut_off(target, path):
    """The server answers 413 and hangs up long before the client is done."""
    sent = 0
    with target.raw() as connection:
        kind = kind_for(path)["content_type"]
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n".encode()
            + b"Transfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"100000\r\n" + b" " * 2**20 + b"\r\n"
        try:
            for _ in range(200):
                connection.sendall(chunk)
                sent += 2**20
        except (BrokenPipeError, ConnectionResetError):
            """It hung up."""
        answer = read_all(connection)
    assert sent < 100 * 2**20
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("line", [b"x: " + b"y" * 4000 + b"\r\n", b"y" * 4000], ids=["many", "one"])
@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nHost: localhost\r\nx: ", b"GET /"], ids=["headers", "path"])
def test_a_head_without_end_is_cut_off(target, start, line):
    sent = 0
    with target.raw() as connection:
        try:
            connection.sendall(start)
            for _ in range(10_000):
                connection.sendall(line)
                sent += len(line)
        except (BrokenPipeError, ConnectionResetError):
            """It hung up."""
    assert sent < 20 * 2**20


def test_a_head_over_64_kb_is_refused_in_the_one_form(target):
    with target.raw() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nx: " + b"y" * 64 * 1024)
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431")
    answer = json.loads(body)
    assert set(answer) == ERROR
    assert (answer["code"], answer["params"]) == ("request_header_fields_too_large", {"most": 64})


def test_a_chunked_body_over_8_mb_gets_its_answer(target):
    with target.raw() as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(9):
            connection.sendall(b"100000\r\n" + b" " * 2**20 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 413")
    assert set(json.loads(answer.partition(b"\r\n\r\n")[2])) == {"error", "code", "field", "params"}


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"G" * 100_000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"\xff\xfe: x\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /v2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_http(target, data):
    with target.raw() as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 400"), answer[:200]
    assert b"Traceback" not in answer


def test_a_body_that_ends_early(target):
    with target.raw() as connection:
        connection.sendall(b'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"pixels')
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b""


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.com",
            "localhost.evil.com",
            "127.0.0.1.nip.io",
            "0.0.0.0",
            "10.0.0.1",
            "[::ffff:127.0.0.1]",
            "[::2]",
            "127.1",
        ),
        *(
            "2130706433",
            "0x7f000001",
            "localhost@evil.com",
            "evil.com@localhost",
            "localhost:80:80",
            "localhost:x",
            "::1",
        ),
        *("localhost:99999", "", " ", "xn--ocalhost-abc", "lôcalhost", "localhost,evil.com", "*", "a" * 3000),
    ],
)
def test_a_foreign_host(target, host):
    for method, path in (("GET", "/health"), ("POST", "/predict")):
        refused(target.send(method, path, b"{}", host=host.encode("latin-1", "replace").decode("latin-1")), 421)
    assert target.upgrade(host=host.encode("latin-1", "replace").decode("latin-1")).status == 421


@pytest.mark.parametrize(
    "hosts", [[], ["localhost", "localhost"], ["localhost", "evil.com"], ["evil.com", "localhost"]], ids=str
)
def test_no_host_or_two(target, hosts):
    lines = "".join(f"Host: {host}\r\n" for host in hosts)
    with target.raw() as connection:
        connection.sendall(f"GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
        assert read_all(connection).startswith(b"HTTP/1.1 400")


def test_a_foreign_host_at_every_kind_of_call(target):
    for method, path in (("GET", "/"), ("GET", "/nowhere"), ("GET", "/static/x"), *CHANGES):
        refused(target.send(method, path, b"{}", host="evil.com"), 421)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1:1", "[::1]", "[::1]:8000", "localhost:65535"])
def test_its_own_names(target, host):
    assert target.send("GET", "/health", host=host).status == 200


ORIGINS = [
    "null",
    "http://evil.com",
    "https://127.0.0.1",
    "http://127.0.0.1:1",
    "http://localhost.evil.com",
    "",
    "x",
    "file://",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_foreign_or_null_origin(target, origin):
    for method, path in CHANGES:
        assert "origin" in refused(target.send(method, path, b"{}", origin=origin), 403)
    answer = target.upgrade(origin=origin)
    assert answer.status == 403
    assert set(json.loads(answer.body)) == {"error", "code", "field", "params"}


def test_the_same_name_with_another_port_is_another_origin(target):
    host, port = target.address
    assert target.send("POST", "/predict", '{"strokes": []}', origin=f"http://{host}:{port}").status == 200
    refused(target.send("POST", "/predict", '{"strokes": []}', origin=f"http://{host}:{port + 1}"), 403)
    refused(target.send("POST", "/predict", '{"strokes": []}', origin=f"http://{host}"), 403)
    refused(target.send("POST", "/predict", '{"strokes": []}', origin=f"http://localhost:{port}"), 403)


TOKENS = [
    "Bearer",
    "Bearer ",
    "Bearer x",
    f"Basic {TOKEN}",
    TOKEN,
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN} x",
    "Bearer " + "x" * 5000,
]


@pytest.mark.parametrize("token", [None, *TOKENS], ids=lambda token: str(token)[:30])
def test_a_bad_or_missing_token(locked, token):
    headers = {} if token is None else {"authorization": token}
    for method, path in (("GET", "/"), ("GET", "/api/runs"), ("GET", "/nowhere"), *CHANGES):
        answer = locked.send(method, path, b"{}", **headers)
        refused(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert locked.upgrade(**headers).status == 401


@pytest.mark.parametrize(
    "cookie", ["", "digitpad=1", f"token={TOKEN}", "x" * 60_000, ";" * 10_000, "digitpad-00000000=" + "0" * 64]
)
def test_a_cookie_that_is_none(locked, cookie):
    refused(locked.send("GET", "/api/runs", cookie=cookie), 401)


def test_a_token_that_only_predicts(locked):
    bearer = {"authorization": f"Bearer {PREDICT}"}
    assert locked.send("POST", "/predict", '{"strokes": []}', **bearer).status == 200
    for method, path in (
        *(("GET", "/api/runs"), ("POST", "/api/runs"), ("GET", "/api/models"), ("POST", "/api/models"), ("GET", "/")),
        *(
            ("DELETE", "/api/models/mnist-mlp"),
            ("POST", "/api/drawings"),
            ("GET", "/openapi.json"),
            ("GET", "/v2/../api/runs"),
        ),
        *(("GET", "/predict/../api/runs"), ("GET", "/V2"), ("GET", "/%2fv2"), ("POST", "/api/doctor")),
    ):
        answer = locked.send(method, path, b"{}", **bearer)
        assert answer.status in (403, 404), path
        refused(answer, 403, 404)
    assert locked.upgrade(**bearer).status == 403
    refused(locked.send("GET", f"/?token={PREDICT}"), 401)


RUNS = ["0", "-1", "x", "9" * 30, "1.5", "%00", "%D9%A1", "1" * 5000, "0" * 11 + "9" * 30]


@pytest.mark.parametrize(("run", "after"), [*((run, "0") for run in RUNS), ("0", "-1"), ("x", "x"), ("1", "9" * 30)])
def test_sockets_to_runs_that_are_none(target, run, after):
    path = f"/api/runs/{run}/stream?after={after}"
    with connect(target.server.url.replace("http", "ws") + path) as opened, pytest.raises(ConnectionClosed) as why:
        opened.recv(10)
    assert why.value.rcvd.code == 1008  # and not that of a server that fell over it


def test_a_socket_whose_path_leads_elsewhere(target):
    refused(target.upgrade("/api/runs/1/../2/stream?after=0"), 404)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PATCH", "PROPFIND", "OPTIONS"])
def test_other_methods(target, method):
    for path, status in (("/predict", 405), ("/api/runs", 405), ("/", 405), ("/static/x", 404)):
        refused(target.send(method, path), status)


def test_many_small_refusals_leave_no_file_and_no_thread_behind(target):
    process = Path(f"/proc/{target.server.process.pid}")

    def held() -> tuple[int, int]:
        return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))

    before = held()
    for _ in range(300):
        refused(target.send("POST", "/predict", "{"), 422)
    until(lambda: held()[0] <= before[0] + 5)
    assert held()[1] <= before[1] + 5
