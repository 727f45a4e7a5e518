"""A small reverse proxy, which does what nginx, Caddy, a port forwarder or a Jupyter server does, and certificates."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from anyio.from_thread import start_blocking_portal

PLACES = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
CHUNK = 64 * 1024
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\nconnection: close\r\n\r\nno page"


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

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opened: AsyncExitStack) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.rstrip("\r\n").split("\r\n")
        method, target, version = line.split(" ")
        if prefix and not target.startswith((f"{prefix}/", f"{prefix}?")) and target != prefix:
            proxy.outside.append(target)
            writer.write(NOT_FOUND)
            return
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
        up_reader, up_writer = await asyncio.open_connection(to.hostname, to.port)
        opened.push_async_callback(close, up_writer)
        up_writer.write(f"{method} {target} {version}\r\n{text}\r\n".encode("latin-1"))
        async with asyncio.TaskGroup() as both:
            upwards = both.create_task(pump(reader, up_writer))
            await pump(up_reader, writer)
            upwards.cancel()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # the other side has gone
            while data := await reader.read(CHUNK):
                writer.write(data)
                await writer.drain()

    connections = set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        async with AsyncExitStack() as opened:
            opened.callback(connections.discard, task)
            opened.push_async_callback(close, writer)
            with suppress(OSError, asyncio.IncompleteReadError):
                await serve(reader, writer, opened)

    async def close(writer: asyncio.StreamWriter) -> None:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def listen() -> tuple[asyncio.Server, int]:
        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
        return server, server.sockets[0].getsockname()[1]

    async def stop(server: asyncio.Server) -> None:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    with start_blocking_portal() as portal:
        server, port = portal.call(listen)
        proxy = Proxy(f"{scheme}://{name}:{port}{prefix}")
        try:
            yield proxy
        finally:
            portal.call(stop, server)


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
