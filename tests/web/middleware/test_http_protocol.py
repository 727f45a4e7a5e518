"""Silent connections keep nobody else out."""

import asyncio
import socket
import sys
from contextlib import ExitStack

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.web.middleware import http_protocol
from app.web.middleware.http_protocol import RESERVED_FILES, BoundedProtocol
from tests.support.serving import serve
from tests.support.waiting import run_async, until

CONNECTIONS = 60


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit of open files")
def test_where_silent_connections_take_all_files_the_oldest_goes_and_others_are_answered(tmp_path, cache_dir):
    limited = f'ulimit -n {RESERVED_FILES + CONNECTIONS // 2}; exec "$@"'
    command = ("sh", "-c", limited, "sh", sys.executable, "-m", "app")
    with serve(tmp_path, command=command, DIGITPAD_CACHE_DIR=str(cache_dir)) as server, ExitStack() as opened:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        silent = [opened.enter_context(socket.create_connection(address, 60)) for _ in range(CONNECTIONS)]
        assert silent[0].recv(1) == b""
        assert server.get("/health")["ok"]
        assert server.get("/api/runs") == {"runs": [], "next": None}
        silent[-1].sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert silent[-1].recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_is_closed_whose_head_does_not_come(monkeypatch, begun):
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.05)
    state = ServerState()

    async def read_all() -> bytes:
        config = uvicorn.Config(lambda *_: None)
        config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: BoundedProtocol(config, state, {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(begun)
        answer = await reader.read()
        writer.close()
        server.close()
        return answer

    assert run_async(read_all()) == b""
    until(lambda: not state.connections)
