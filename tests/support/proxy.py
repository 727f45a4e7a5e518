"""A small reverse proxy, which does what nginx, Caddy, a port forwarder or a Jupyter server does, and certificates."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from anyio import (
    BrokenResourceError,
    ClosedResourceError,
    EndOfStream,
    IncompleteRead,
    connect_tcp,
    create_task_group,
    create_tcp_listener,
)
from anyio.abc import ByteStream, SocketAttribute
from anyio.from_thread import start_blocking_portal
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSListener

PLACES = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
HEAD = 64 * 1024
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\nconnection: close\r\n\r\nno page"
GONE = (BrokenResourceError, ClosedResourceError, EndOfStream, IncompleteRead)


@dataclass
class Proxy:
    """A running proxy: its address with the prefix, and the paths outside of the prefix that it was asked for."""

    url: str
    outside: list[str] = field(default_factory=list)


@contextmanager
def reverse_proxy(
    upstream: str,
    *,
    prefix: str = "",
    strips: bool = False,
    host: str | None = None,
    says: Mapping[str, str] = {},
    rewrites_origin: bool = False,
    name: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> Iterator[Proxy]:
    """Pass requests below `prefix`, and their web sockets, on to `upstream`.

    It `strips` the prefix or keeps it. It passes the visitor's `Host` on, or `host` in its place, and adds what it
    `says`, in which {host}, {scheme} and {prefix} are the visitor's. `rewrites_origin`: as GitHub Codespaces, it gives
    its own pages the upstream's origin. Visitors know it by `name`, through `tls` if there is one.
    """
    to = urlsplit(upstream)
    scheme = "http" if tls is None else "https"

    def translated(head: str) -> str | None:
        """The head of a request as the upstream gets it; None for a path outside of the prefix."""
        line, *lines = head.split("\r\n")
        method, target, version = line.split(" ")
        if prefix and not target.startswith((f"{prefix}/", f"{prefix}?")) and target != prefix:
            proxy.outside.append(target)
            return None
        if strips:
            target = f"/{target.removeprefix(prefix).lstrip('/')}"
        pairs = [(key.lower(), value.strip()) for key, _, value in (one.partition(":") for one in lines)]
        asked = dict(pairs)
        replaced = {"host": host or asked["host"]}
        if rewrites_origin and asked.get("origin") == f"{scheme}://{asked['host']}":
            replaced["origin"] = f"http://{replaced['host']}"
        if "upgrade" not in asked:
            replaced["connection"] = "close"  # so that the end of an answer is the end of its connection
        told = {"host": asked["host"], "scheme": scheme, "prefix": prefix}
        replaced |= {key.lower(): value.format(**told) for key, value in says.items()}
        sent = [*((key, value) for key, value in pairs if key not in replaced), *replaced.items()]
        text = "".join(f"{key}: {value}\r\n" for key, value in sent)
        return f"{method} {target} {version}\r\n{text}\r\n"

    async def serve(visitor: ByteStream) -> None:
        with suppress(*GONE):
            async with visitor:
                reader = BufferedByteReceiveStream(visitor)
                head = translated((await reader.receive_until(b"\r\n\r\n", HEAD)).decode("latin-1"))
                if head is None:
                    await visitor.send(NOT_FOUND)
                    return
                assert to.hostname is not None
                assert to.port is not None
                async with await connect_tcp(to.hostname, to.port) as server, create_task_group() as ways:
                    await server.send(head.encode("latin-1"))
                    ways.start_soon(pump, reader, server)
                    await pump(server, visitor)
                    ways.cancel_scope.cancel()

    async def pump(source: Any, sink: ByteStream) -> None:
        with suppress(*GONE):
            while True:
                await sink.send(await source.receive())

    @asynccontextmanager
    async def listening() -> AsyncIterator[int]:
        listener = await create_tcp_listener(local_host="127.0.0.1")
        port = int(listener.listeners[0].extra_attributes[SocketAttribute.local_port]())
        shown = listener if tls is None else TLSListener(listener, tls, standard_compatible=False)
        async with listener, create_task_group() as group:
            group.start_soon(shown.serve, serve)
            yield port
            group.cancel_scope.cancel()

    proxy = Proxy("")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening()) as port:
        proxy.url = f"{scheme}://{name}:{port}{prefix}"
        yield proxy


def needs(program: str) -> str:
    """The program's path; skips where it is not installed."""
    return shutil.which(program) or shutil.which(program, path=PLACES) or pytest.skip(f"needs {program}")


def certify(folder: Path, name: str) -> ssl.SSLContext:
    """Write `privkey.pem` and `fullchain.pem` of a host; returns what trusts them."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    names = ["-addext", f"subjectAltName=DNS:{name},DNS:localhost"]
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run([needs(command[0]), *command[1:], *names, *files], check=True, capture_output=True)
    return ssl.create_default_context(cafile=folder / "fullchain.pem")
