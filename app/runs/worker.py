"""The process in which a run is trained: `python -m app.runs.worker`, started by the runner.

Its first line of standard input is its orders, as JSON. The input then stays open as its tie to the server: when it
ends, the server is gone, and so is the worker.
"""

import json
import math
import os
import sys
import threading
import time
from dataclasses import asdict
from typing import Any

from sqlalchemy.exc import OperationalError

from app.data import DatasetUnavailable, load_dataset
from app.models import ModelStore
from app.nn import CrewLostError, Diverged
from app.runs.compute import LARGEST_CREW, cores
from app.runs.config import RunConfig, parse_config
from app.runs.log import Claim, FencedError, Log
from app.runs.states import State
from app.runs.training import Progress, Said, Training
from app.settings import SHIPPED_MODELS, Settings

PROGRESS_SECONDS = 0.2
"""Progress is written at most five times a second; the wish to cancel is read as often."""

SERVER_GONE, FENCED = 3, 4
"""Exit codes."""


class CancelledError(Exception):
    """Somebody asked for the run to end."""


class Link:
    """The worker's standing report to the log, in a thread of its own, so that training never waits for it.

    Set `progress`; read `cancelled`. Renews the lease, and ends the process when its claim is lost.
    """

    def __init__(self, log: Log, claim: Claim) -> None:
        self.progress: Progress | None = None
        self.cancelled = False
        self._log, self._claim = log, claim
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._report, name="link", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write nothing more. Returns when the last report is done."""
        self._stop.set()
        self._thread.join()

    def _report(self) -> None:
        while not self._stop.wait(PROGRESS_SECONDS):
            progress = self.progress
            try:
                asked = self._log.renew(self._claim, None if progress is None else finite(asdict(progress)))
            except FencedError:
                os._exit(FENCED)
            except OperationalError:
                continue  # the database is busy: the lease outlasts many such turns
            self.cancelled = self.cancelled or asked


def main() -> None:
    """Train the run that standard input names."""
    orders = json.loads(sys.stdin.readline())
    claim = Claim(**orders["claim"])
    settings = Settings.model_validate(orders["settings"])
    threading.Thread(target=_end_with_the_server, name="lifeline", daemon=True).start()
    log = Log(settings.log_url)
    link = Link(log, claim)
    try:
        state, data, error = work(log, claim, settings, link)
        link.close()
        log.finish(claim, state, data, error=error)
    except FencedError:
        os._exit(FENCED)


def work(log: Log, claim: Claim, settings: Settings, link: Link) -> tuple[State, dict[str, Any], str | None]:
    """Train, save the model, and return how the run ended: its state, the event's data and the error."""
    started = time.perf_counter()
    config = parse_config(log.run(claim.run)["config"])
    try:
        model = _train(log, claim, config, settings, link)
    except CancelledError:
        return State.CANCELLED, {}, None
    except Diverged as diverged:
        return _failed("diverged", str(diverged), epoch=diverged.epoch, batch=diverged.batch)
    except CrewLostError as lost:
        return _failed("process", f"{lost}; start the run again")
    except DatasetUnavailable as unavailable:
        return _failed("dataset", str(unavailable))
    except ValueError as refused:
        return _failed("config", str(refused))
    except MemoryError:
        return _failed("memory", "there was not enough memory; a smaller network or batch size may help")
    except OSError as broken:
        return _failed("disk", f"a file could not be read or written: {broken.strerror or type(broken).__name__}")
    return State.SUCCEEDED, {"model": model, "seconds": time.perf_counter() - started}, None


def _train(log: Log, claim: Claim, config: RunConfig, settings: Settings, link: Link) -> str:
    link.progress = Progress("loading", epochs=config.epochs)
    dataset = load_dataset(config.dataset, data_dir=settings.data_dir, cache_dir=settings.cache_dir)
    training = Training(config, dataset, processes=max(1, min(LARGEST_CREW, cores() // settings.workers)))
    del dataset  # a crew has the samples in memory of its own
    for step in training.run():
        if isinstance(step, Said):
            log.say(claim, step.type, finite(step.data))
        else:
            link.progress = step
        if link.cancelled:
            raise CancelledError
    link.progress = Progress("saving", config.epochs, config.epochs)
    store = ModelStore(settings.home, SHIPPED_MODELS)
    card = store.save(training.card(f"{config.recipe[:52]}-{claim.run}", run=claim.run), training.network)
    size = store.path(card.name, "model.safetensors").stat().st_size
    log.say(claim, "model_saved", {"model": card.name, "bytes": size}, model=card.name)
    return card.name


def finite(data: dict[str, Any]) -> dict[str, Any]:
    """`data` with None for every number that JSON cannot hold."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in data.items()}


def _failed(reason: str, error: str, **more: Any) -> tuple[State, dict[str, Any], str]:
    return State.FAILED, {"reason": reason, "error": error, **more}, error


def _end_with_the_server() -> None:
    sys.stdin.read()
    os._exit(SERVER_GONE)


if __name__ == "__main__":
    main()
