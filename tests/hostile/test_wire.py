"""Requests and frames of web sockets with bytes turned, cut or doubled, sent as they are; the same at every run."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile.test_fuzz import FUZZ

pytestmark = pytest.mark.slow

BODY = b'{"strokes": [[[0, 0], [9, 9]]]}'
REQUESTS = [
    b"GET /health?x=%C3%A9 HTTP/1.1\r\nHost: localhost\r\nAccept-Language: ja;q=0.5\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY),
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
    % (len(BODY), BODY),
    b"GET /static/js/pages/every-page.js HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-9\r\nIf-None-Match: x\r\n\r\n",
]
UPGRADE = (
    b"GET /api/runs/1/stream?after=0 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
FRAMES = [
    *(b"\x81\x82\0\0\0\0hi", b"\x89\x80\0\0\0\0", b"\x88\x82\0\0\0\0\x03\xe8", b"\x01\x81\0\0\0\0a\x80\x81\0\0\0\0b"),
    *(b"\x82\xff" + b"\xff" * 8, b"\x81\xfe\xff\xff\0\0\0\0", b"\xc1\x80\0\0\0\0", b"\x81\x01a"),
]


@st.composite
def turned(draw, texts):
    data = bytearray(draw(st.sampled_from(texts)))
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    place, length = draw(st.integers(0, len(data))), draw(st.integers(0, 20))
    return bytes(data[:place] + draw(st.sampled_from([b"", bytes(data[place : place + length])])) + data[place:])


def answers(target, data):
    """All that the server says to `data`, after which nothing comes."""
    said = []
    with target.raw() as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                said.append(part)
        except (ConnectionResetError, BrokenPipeError):
            """It hung up."""
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
    return b"".join(said)


@FUZZ
@given(data=st.lists(turned(REQUESTS), min_size=1, max_size=3).map(b"".join))
def test_requests_with_bytes_turned(target, data):
    said = answers(target, data)
    assert not said or said.startswith((b"HTTP/1.1 2", b"HTTP/1.1 3", b"HTTP/1.1 4")), said[:200]
    assert b"HTTP/1.1 5" not in said
    assert b"Traceback" not in said


@FUZZ
@given(frames=st.lists(turned(FRAMES), max_size=5).map(b"".join))
def test_frames_with_bytes_turned(target, frames):
    said = answers(target, UPGRADE + frames)
    assert not said or said.startswith(b"HTTP/1.1 101"), said[:200]
    assert b"\x03\xf3" not in said.partition(b"\r\n\r\n")[2][:4]  # 1011: the server fell over it


@FUZZ
@given(data=turned([UPGRADE]))
def test_handshakes_with_bytes_turned(target, data):
    said = answers(target, data)
    assert not said or said.startswith((b"HTTP/1.1 1", b"HTTP/1.1 2", b"HTTP/1.1 3", b"HTTP/1.1 4")), said[:200]
