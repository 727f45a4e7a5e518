"""`digitpad doctor`: a check of the installation."""

import json
import os
import platform
import shutil
import socket
import sys
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from http.client import HTTPException
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import typer

from app.cli.context import open_log, open_store, read_settings
from app.cli.output import CommandError, clean, console, print_json, program, say

if TYPE_CHECKING:
    from app.settings import Settings

LEAST_FREE_BYTES = 500 * 2**20
ANSWER_SECONDS = 2.0
EXTRAS = {"tensorboard": "tensorboard", "mlflow": "mlflow", "onnx": "onnx", "metrics": "prometheus_client"}
"""The extras of the package, and a module of each."""


@dataclass(frozen=True)
class Finding:
    """A result of a check; `state` is ok, note (only information) or bad."""

    name: str
    state: str
    said: str


def doctor(as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False) -> None:
    """Look at Python, BLAS, data sets, models, runs, the port and the browser; exit code 1 where something is wrong."""
    settings = read_settings()
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _python,
        _blas,
        _home,
        _data,
        _models,
        _runs,
        _port,
        _browser,
        _tracking,
        _extras,
    )
    found = [finding for check in checks for finding in _careful(check, settings)]
    bad = sum(finding.state == "bad" for finding in found)
    if as_json:
        print_json({"ok": not bad, "findings": [asdict(finding) for finding in found]})
    else:
        width = max(len(finding.name) for finding in found)
        for finding in found:
            say(f"{finding.state:4}  {finding.name:{width}}  {clean(finding.said)}")
    if bad:
        raise CommandError("{bad} of {count} checks failed", bad=bad, count=len(found))


def _careful(check: Callable[["Settings"], Iterator[Finding]], settings: "Settings") -> Iterator[Finding]:
    """The findings of a check; a failing check is a finding."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield from check(settings)
    except (CommandError, OSError, ValueError, SQLAlchemyError) as error:
        yield Finding(check.__name__.strip("_"), "bad", (str(error).splitlines() or [type(error).__name__])[0])


def _python(_: "Settings") -> Iterator[Finding]:
    import numpy as np

    from app import __version__
    from app.settings import PROJECT

    yield Finding("digitpad", "ok", f"{__version__}, from {PROJECT}")
    here = f"{platform.python_version()} ({platform.python_implementation()}), {platform.system()} {platform.machine()}"
    yield Finding("python", "ok", here)
    yield Finding("numpy", "ok", np.__version__)


def _blas(settings: "Settings") -> Iterator[Finding]:
    import numpy as np
    from threadpoolctl import ThreadpoolController

    from app.runs.training.hardware import cores, kernel_environment

    np.ones((2, 2)) @ np.ones((2, 2))  # BLAS is loaded by now
    pools = ThreadpoolController().select(user_api="blas").info()
    for pool in pools:
        kernel = pool.get("architecture") or "unknown"
        text = f"{pool['internal_api']} {pool.get('version') or ''}, kernel {kernel}, {pool['num_threads']} threads"
        yield Finding("blas", "ok", text)
    if not pools:
        yield Finding("blas", "note", "no BLAS that is known; trainings may be slow")
    kernel = kernel_environment(settings.blas_kernel).get("OPENBLAS_CORETYPE", "as BLAS chooses")
    yield Finding("trainings", "ok", f"kernel {kernel}; {cores()} processors, {settings.workers} at once")


def _home(settings: "Settings") -> Iterator[Finding]:
    home = settings.home
    home.mkdir(parents=True, exist_ok=True)
    if not os.access(home, os.W_OK):
        yield Finding("home", "bad", f"{home} cannot be written")
        return
    free = shutil.disk_usage(home).free
    state = "ok" if free >= LEAST_FREE_BYTES else "bad"
    yield Finding("home", state, f"{home}, {free / 2**30:.1f} GB free")


def _data(settings: "Settings") -> Iterator[Finding]:
    from app.data import DatasetCatalog

    if settings.data_dir is not None and not settings.data_dir.is_dir():
        yield Finding("data folder", "bad", f"DIGITPAD_DATA_DIR, {settings.data_dir}, is no folder")
    for info in DatasetCatalog.from_settings(settings).list():
        yield Finding(f"data {info.name}", "ok" if info.state == "ready" else "note", info.note)


def _models(settings: "Settings") -> Iterator[Finding]:
    store = open_store(settings)
    found = store.list(check_all=True)
    for model in found:
        if model.card is None:
            yield Finding(f"model {model.name}", "bad", str(model.reason))
    default = store.default(found)
    if default is None:
        yield Finding("models", "bad", "there is none that can be used: train one")
    else:
        yield Finding("models", "ok", f"{sum(model.card is not None for model in found)}; the default is {default}")


def _runs(settings: "Settings") -> Iterator[Finding]:
    from app.runs.log.state import RunState

    with open_log(settings) as log:
        runs = log.list_runs(limit=1000)
        states = {state: sum(run["state"] == state for run in runs) for state in RunState}
        counts = ", ".join(f"{count} {state}" for state, count in states.items() if count)
        yield Finding("runs", "ok", counts or "none yet")
        for lease in log.expired():
            text = f"its training fell silent; a server takes it up, or {program()} runs resume {lease.run}"
            yield Finding(f"run {lease.run}", "note", text)


def _port(settings: "Settings") -> Iterator[Finding]:
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}{settings.root_path}"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(ANSWER_SECONDS)
        if probe.connect_ex((host, settings.port)) != 0:
            yield Finding("port", "ok", f"{settings.port} is free")
            return
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with _answered(direct, f"{address}/health") as response:
            body = json.load(response)
    except (OSError, HTTPException, ValueError):
        body = None
    if isinstance(body, dict) and "log" in body:
        wrong = body.get("error")
        yield Finding("port", "bad" if wrong else "ok", f"digitpad serves {address}" + (f": {wrong}" if wrong else ""))
    else:
        yield Finding("port", "bad", f"{settings.port} is taken by another program: DIGITPAD_PORT chooses another")


def _answered(direct: urllib.request.OpenerDirector, address: str) -> Any:
    """The answer of an address, including error responses. Raises OSError, HTTPException."""
    try:
        return direct.open(address, timeout=ANSWER_SECONDS)
    except HTTPError as answer:
        return answer


def _browser(_: "Settings") -> Iterator[Finding]:
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        yield Finding("browser", "note", "none is found here: open the address that digitpad serve prints elsewhere")
        return
    yield Finding("browser", "ok", str(getattr(found, "name", type(found).__name__)))


def _tracking(settings: "Settings") -> Iterator[Finding]:
    from app.runs.tracking.follower import check_extras
    from app.settings import SettingError

    try:
        check_extras(settings)
    except SettingError as error:
        yield Finding("tracking", "bad", str(error))
        return
    if settings.tensorboard_dir is not None:
        yield Finding("tensorboard", "ok", f"event files in {settings.tensorboard_dir}")
    if settings.mlflow_uri is not None:
        yield _reached(settings.mlflow_uri.get_secret_value())


def _reached(uri: str) -> Finding:
    """A finding about a tracking server's reachability, without the address, which may contain a password."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return Finding("mlflow", "ok", "in a database")
    try:
        address = (parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme])
        socket.create_connection(address, ANSWER_SECONDS).close()
    except OSError as error:
        return Finding("mlflow", "bad", f"its server cannot be reached: {error.strerror or error}")
    return Finding("mlflow", "ok", "its server can be reached")


def _extras(settings: "Settings") -> Iterator[Finding]:
    for extra, module in EXTRAS.items():
        if find_spec(module) is None:
            yield Finding(f"extra {extra}", "note", f"not installed: pip install 'digitpad[{extra}]'")
        else:
            yield Finding(f"extra {extra}", "ok", "installed")
    encoding = sys.stdout.encoding or "unknown"
    yield Finding("terminal", "ok", f"{encoding}, {console().width} columns")
