"""Frames per second of the comparison page in Chromium: ten runs of 1,000 epochs, one of which grows.

The runs are written into the log with complete events, as by a worker; nothing is trained. Frames
are counted by requestAnimationFrame while the growing run gets 20 epochs a second, first with the page left alone, then
with the pointer going over the chart, which shows the values of all runs at its place.
"""

import math
import random
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from app.recipes import get_recipe
from app.runs.config.run_config import parse_config
from app.runs.log.database import writing
from app.runs.log.event_log import EventLog
from app.runs.log.state import RunState
from app.runs.log.transitions import Lease, append
from app.settings import Settings
from tests.support.browser import chromium
from tests.support.serving import serve
from tests.support.waiting import until

RUNS = 10
EPOCHS = 1000
EPOCHS_A_SECOND = 20
SECONDS = 8
HEALTHY_LEASE_SECONDS = 3600.0  # so that the server does not take the growing run over

COUNT = """() => {
    window.frames_ = [];
    let last = null;
    const step = (now) => {
        if (last !== null) window.frames_.push(now - last);
        last = now;
        window.counting_ = requestAnimationFrame(step);
    };
    window.counting_ = requestAnimationFrame(step);
}"""
DONE = "() => { cancelAnimationFrame(window.counting_); return window.frames_; }"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        log = EventLog(Settings(home=home, _env_file=None).log_url, lease_seconds=HEALTHY_LEASE_SECONDS)
        for number in range(RUNS - 1):
            lease = start_run(log, number)
            write_epochs(log, lease, number, EPOCHS)
            log.finish(lease, RunState.SUCCEEDED, {})
        growing = start_run(log, RUNS - 1)
        write_epochs(log, growing, RUNS - 1, EPOCHS // 2)
        with serve(home, DIGITPAD_LEASE_SECONDS=str(HEALTHY_LEASE_SECONDS)) as server, chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"{server.url}/compare?runs={','.join(str(run + 1) for run in range(RUNS))}")
            until(
                lambda: (
                    page.locator("[data-line] td[data-column=epochs]").all_text_contents().count("1,000") == RUNS - 1
                )
            )
            print("| 10 runs of 1,000 epochs, one grows | frames/s | p95 of a frame | longest |\n|---|---|---|---|")
            for name, hovers in (("page left alone", False), ("pointer over the chart", True)):
                print(_row(name, _frames(page, log, growing, hovers=hovers)))
        log.close()


def start_run(log: EventLog, number: int) -> Lease:
    """Add a run to the log and claim it, as a worker would."""
    config = {**get_recipe("quick").config, "epochs": EPOCHS, "seed": number, "recipe": "quick"}
    log.add(parse_config(config))
    lease = log.claim("benchmark")
    assert lease is not None
    return lease


def write_epochs(log: EventLog, lease: Lease, number: int, epochs: int) -> None:
    """Write that many epochs of a run into the log."""
    with writing(log.engine) as connection:
        for epoch in range(1, epochs + 1):
            append(connection, lease.run, "epoch", _epoch(number, epoch))


def _epoch(number: int, epoch: int) -> dict[str, Any]:
    rng = random.Random(f"{number} {epoch}")
    loss = 0.05 + 2.2 * math.exp(-epoch / (20 + 15 * number)) + rng.gauss(0, 0.004)
    accuracy = 1 - loss / 3
    return {
        "epoch": epoch,
        "epochs": EPOCHS,
        "train_loss": loss,
        "train_accuracy": accuracy,
        "val_loss": loss + 0.02,
        "val_accuracy": accuracy - 0.01,
        "learning_rate": 0.001,
        "seconds": 0.5,
        "samples_per_second": 120_000.0,
        "layers": [
            {
                "name": f"{place} dense",
                "gradient_norm": rng.random(),
                "weight_norm": 10.0,
                "histogram": {"from": -0.5, "to": 0.5, "counts": [rng.randrange(1000) for _ in range(30)]},
            }
            for place in (1, 3)
        ],
        "sheet": {"said": [rng.randrange(10) for _ in range(20)], "probability": [rng.random() for _ in range(20)]},
    }


def _frames(page: Page, log: EventLog, lease: Lease, *, hovers: bool) -> list[float]:
    """Milliseconds of each frame while the run grows."""
    ends = threading.Event()
    start = page.locator("[data-line] td[data-column=epochs]").last.text_content()
    first = int((start or "0").replace(",", "")) + 1

    def grow() -> None:
        epoch = first
        while not ends.wait(1 / EPOCHS_A_SECOND):
            log.append(lease, "epoch", _epoch(RUNS - 1, epoch))
            epoch += 1

    worker = threading.Thread(target=grow)
    worker.start()
    page.evaluate(COUNT)
    end = time.monotonic() + SECONDS
    box = page.locator("#compare-chart").bounding_box()
    assert box is not None
    step = 0
    while time.monotonic() < end:
        if hovers:
            step += 1
            page.mouse.move(box["x"] + 80 + (step * 7) % (box["width"] - 120), box["y"] + 150)
        else:
            page.wait_for_timeout(200)
    frames: list[float] = page.evaluate(DONE)
    ends.set()
    worker.join()
    grown = page.locator("[data-line] td[data-column=epochs]").last.text_content()
    assert grown != start
    return frames


def _row(name: str, frames: list[float]) -> str:
    p95 = statistics.quantiles(frames, n=20)[18]
    return f"| {name} | {1000 * len(frames) / sum(frames):.0f} | {p95:.0f} ms | {max(frames):.0f} ms |"


if __name__ == "__main__":
    main()
