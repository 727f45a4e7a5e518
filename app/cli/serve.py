"""`digitpad serve`: the web server."""

import ctypes
import errno
import os
import secrets
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import check_home, open_log, read_settings
from app.cli.output import Code, CommandError, say
from app.errors import message_of
from app.runs.training.hardware import THREAD_SETTINGS

if TYPE_CHECKING:
    from app.settings import Settings

SHUTDOWN_SECONDS = 2
TOKEN_BYTES = 24
SOCKET_MESSAGE_BYTES = 64 * 1024
"""The largest message from a reader; its content is ignored."""
OPEN_FILES = 8192
SWITCH_SECONDS = 0.0005
"""The time after which a thread that computes in Python lets another one go on.

The event loop waits for it after each of its calls of the system; with Python's 5 ms, and two threads that read
pictures of 100,000 pieces, /health took seconds.
"""
LARGE_BUFFER = 1 << 20
_M_MMAP_THRESHOLD = -3
"""mallopt(3)."""
WILDCARDS = ("", "0.0.0.0", "::")
"""The values of DIGITPAD_HOST for all addresses."""


def serve(
    host: Annotated[str | None, typer.Option(help="the address to listen on (default: DIGITPAD_HOST)")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0 takes a free one (default: DIGITPAD_PORT)")
    ] = None,
) -> None:
    """Serve the pad, the dashboard and /predict; settings are DIGITPAD_* in the environment or in .env."""
    _compute_with_one_thread()  # before NumPy is imported
    _return_memory()
    import uvicorn
    from pydantic import SecretStr

    from app.main import create_app
    from app.settings import SettingError
    from app.web.middleware.access_log import server_logging
    from app.web.middleware.authentication import needs_token
    from app.web.middleware.http_protocol import BoundedProtocol, SocketProtocol

    chosen = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = read_settings().model_copy(update=chosen)
    if not settings.database_url:
        check_home(settings.home)
    with open_log(settings):  # check the database before printing an address
        pass
    made = secrets.token_urlsafe(TOKEN_BYTES) if needs_token(settings) and settings.token is None else None
    if made is not None:
        settings = settings.model_copy(update={"token": SecretStr(made)})
    try:
        app = create_app(settings)
    except SettingError as error:
        raise CommandError(message_of(error), exit_code=Code.USAGE) from None
    listener = _listen(settings.host, settings.port)
    _allow_many_sockets()
    _announce(settings, listener.getsockname()[1], made)
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        server_header=False,
        proxy_headers=False,  # the app knows whom to believe
        ws_max_size=SOCKET_MESSAGE_BYTES,
        **server_logging(settings),
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws=SocketProtocol,
        ws_per_message_deflate=False,  # its memory for a thousand readers is not worth it for short messages
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    uvicorn.Server(config).run(sockets=[listener])


def _compute_with_one_thread() -> None:
    """Limit BLAS to the calling thread, unless the environment says otherwise.

    The matrix products of a drawing are small. With two threads, and a training that keeps one processor busy, an
    answer took 8 ms instead of 0.6, as one thread waits for the other to be scheduled. Training processes have their
    own environment.
    """
    for name in THREAD_SETTINGS:
        os.environ.setdefault(name, "1")


def _return_memory() -> None:
    """Give large buffers back to the system once they are free.

    glibc raises the size from which it does so with each one up to 32 MB, and then keeps what pictures have taken.
    """
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE_BUFFER)


def _announce(settings: "Settings", port: int, made: str | None) -> None:
    """Print the server's addresses, with a generated token, but without a configured one.

    A terminal shows the one in the local network as a QR code, too.
    """
    from app.web.local_address import local_address
    from app.web.middleware.trusted_hosts import is_loopback
    from app.web.qr_code import print_code

    everywhere = settings.host in WILDCARDS
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}[settings.host] if everywhere else settings.host
    shown = f"[{host}]" if ":" in host else host
    rest = f":{port}{settings.root_path}" + ("" if made is None else f"/?token={made}")
    say(f"digitpad: http://{shown}{rest}")
    local = local_address() if settings.host in WILDCARDS[:2] else None
    if local is not None:
        say(f"digitpad: in this network: http://{local}{rest}")
    if made is not None:
        say("digitpad: this token is good until the server ends; DIGITPAD_TOKEN sets one that stays")
    if everywhere and local is None:
        say(f"digitpad: from elsewhere, put this machine's name or address in place of {shown}")
    if not is_loopback(settings.host):
        say("digitpad: anybody on the way can read what is sent; a proxy with TLS in front of it prevents that")
    if local is not None and sys.stdout.isatty():
        print_code(f"http://{local}{rest}", sys.stdout)
    sys.stdout.flush()


def _allow_many_sockets() -> None:
    """Raise this process's limit of open files, which is often 1,024."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CommandError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                "port {port} is in use on {host}; choose another, e.g. --port {free}",
                port=port,
                host=host,
                free=port + 1,
            ) from None
        raise CommandError(
            "cannot listen on {host} port {port}: {reason}", host=host, port=port, reason=error.strerror
        ) from None
    listener.listen(2048)
    return listener
