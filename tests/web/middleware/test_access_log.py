"""The lines of the log: one form, the name of the request or the run in each, and nobody who can forge one."""

import io
import json
import logging
import re
import signal
import socket
import warnings
from contextlib import suppress

import pytest
from starlette.testclient import TestClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from app import logging as logs
from app.main import create_app
from app.web.middleware import access_log
from tests.support.drawings import THREE
from tests.support.serving import serve
from tests.support.waiting import until

NAME = "x-request-id"


@pytest.fixture
def lines():
    """Configures the log as the settings would and gives what it has written; puts all back at the end."""
    root = logging.getLogger()
    handlers, level, stream = root.handlers[:], root.level, io.StringIO()

    def begin(form, at="info", **always):
        logs.configure(form, at, stream=stream, **always)
        root.handlers[0].addFilter(logging.Filter("digitpad"))  # the tests' client has lines of its own
        return lambda: stream.getvalue().splitlines()

    yield begin
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def test_a_request_s_name_is_in_the_answer_and_in_each_of_its_lines(client, lines):
    written = lines("json")
    for name in ("abc-1", "A._-9" * 20):
        assert client.get("/health?token=secret", headers={NAME: name}).headers[NAME] == name
    first, second = (json.loads(line) for line in written())
    assert (first["request"], first["message"], first["status"], first["level"]) == (
        "abc-1",
        "GET /health",
        200,
        "info",
    )
    assert second["request"] == "A._-9" * 20
    assert first["milliseconds"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    assert "secret" not in "".join(written())


@pytest.mark.parametrize(
    "bad",
    [b"", b" ", b"a b", b"a\tb", b'a"b', b"a%0ab", b"x" * 129, b"x" * 10_000, "é".encode(), b"a\xff", b"{}", b"a;b"],
)
def test_a_name_that_is_not_well_formed_is_replaced(client, bad):
    given = client.get("/health", headers={NAME: bad}).headers[NAME]
    assert re.fullmatch(r"[0-9a-f]{32}", given)
    assert client.get("/health", headers={NAME: bad}).headers[NAME] != given


def test_two_names_are_none(client):
    given = client.get("/health", headers=[(NAME, "one"), (NAME, "two")]).headers.get_list(NAME)
    assert len(given) == 1
    assert given[0] not in ("one", "two")


def test_refusals_and_errors_of_the_server_have_the_name_too(client, lines, monkeypatch):
    written = lines("json")

    def broken(_):
        raise RuntimeError("secret\nINFO forged")

    monkeypatch.setattr("app.web.api.predict._answers", lambda *_: broken(0))
    assert client.post("/predict", json={}, headers={NAME: "r1"}).headers[NAME] == "r1"
    assert client.get("/", headers={NAME: "r2", "host": "evil.example"}).headers[NAME] == "r2"
    answer = client.post("/predict", json={"strokes": THREE}, headers={NAME: "r3"})
    assert (answer.status_code, answer.headers[NAME]) == (500, "r3")
    told = {line["request"]: line["status"] for line in map(json.loads, written()) if "status" in line}
    assert told == {"r1": 422, "r2": 421, "r3": 500}


def test_a_socket_has_a_name_and_a_line(client, lines):
    written = lines("text")
    with client.websocket_connect("/api/runs/99/stream", headers={NAME: "s1"}) as socket:
        assert (NAME.encode(), b"s1") in socket.extra_headers
    until(lambda: written())
    assert " INFO digitpad.access: WEBSOCKET /api/runs/99/stream request=s1 status=101 " in written()[0]


@pytest.mark.parametrize("form", ["text", "json"])
def test_whatever_is_told_a_line_stays_a_line(lines, form):
    written = lines(form, run=3, attempt=2)
    logger = logging.getLogger("digitpad")
    logger.info("a\nb\r\u2028\x1b[31m %s", "c\n", extra=logs.fields(what='x y="1"\n', empty="", number=0.123456789))
    (line,) = written()
    assert all(character.isprintable() for character in line)
    if form == "json":
        told = json.loads(line)
        assert (told["message"], told["run"], told["what"]) == ("a\nb\r\u2028\x1b[31m c\n", 3, 'x y="1"\n')
    else:
        assert r"digitpad: a\nb\r\u2028\x1b[31m c\n run=3 attempt=2 " in line
        assert line.endswith(r'what="x y=\"1\"\\n" empty="" number=0.123457')


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_brings_its_traceback_and_a_warning_is_a_line(lines, form):
    written = lines(form, "warning")
    logging.getLogger("digitpad").info("not told at this level")
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("digitpad").exception("it broke")
    told = json.loads(written()[0])["traceback"].splitlines() if form == "json" else written()[1:]
    assert told[0].startswith("Traceback")
    assert told[-1] == "ValueError: why"
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logs.configure(form, "warning", stream=io.StringIO())
        warnings.warn("old", stacklevel=1)


def test_the_observer_costs_no_line_where_none_is_wanted(settings, lines):
    written = lines("json", "warning")
    with TestClient(create_app(settings)) as client:
        assert client.get("/health").headers[NAME]
    assert written() == []


def test_a_path_is_written_down_shortened_and_quoted(client, lines):
    written = lines("text")
    client.get("/%0aINFO%20forged" + "x" * 2000)
    (line,) = written()
    assert "GET /%0AINFO%20forgedxxx" in line
    assert len(line) < access_log.LONGEST_PATH + 300


@pytest.mark.slow
def test_no_line_of_a_server_has_a_token_or_the_traceback_of_a_request_that_its_end_cuts_off(tmp_path, cache_dir):
    """At "debug", which tells the most: a web socket that is accepted, one that is refused, a body that never comes."""
    token, guess = "everything-secret", "guessed-secret"
    told = {"DIGITPAD_LOG_LEVEL": "debug", "DIGITPAD_TOKEN": token, "DIGITPAD_CACHE_DIR": str(cache_dir)}
    with (
        (tmp_path / "lines").open("w", encoding="utf-8") as lines,
        serve(tmp_path / "home", stderr=lines, **told) as server,
        socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), 20) as slow,
    ):
        address = server.url.replace("http", "ws") + "/api/runs/1/stream"
        with suppress(InvalidStatus), connect(f"{address}?token={guess}"):
            pytest.fail("it takes any token")
        for query, headers in ((f"?token={token}", {}), ("?after=1", {"authorization": f"Bearer {token}"})):
            with suppress(InvalidStatus), connect(address + query, additional_headers=headers):
                """What comes of it is told elsewhere."""
        head = (
            f"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-length: 9\r\n\r\n"
        )
        slow.sendall(head.encode())
        server.get("/health")  # it was taken up by now
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
    text = (tmp_path / "lines").read_text(encoding="utf-8")
    assert len(re.findall("digitpad.access: WEBSOCKET /api/runs/1/stream ", text)) == 3
    assert "without completing handshake" not in text
    assert "secret" not in text
    assert text.count("a request was cut off, as the server ends") == 1
    assert "Traceback" not in text
