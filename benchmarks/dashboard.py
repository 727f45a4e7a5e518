"""The size and the blocking time of the page `/train` in Chromium: empty, and with a run of 1,000 epochs.

Bytes are those on the wire, of the page and of all that it fetches. The blocking time of a task is its time above
50 ms, as in the Web Vitals' total blocking time.
"""

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from app.runs.log.event_log import EventLog
from app.runs.log.state import RunState
from app.settings import Settings
from benchmarks.compare import EPOCHS, HEALTHY_LEASE_SECONDS, start_run, write_epochs
from tests.support.browser import chromium
from tests.support.serving import serve

REPEATS = 7
SETTLE_MS = 1500
OBSERVE = """
    window.tasks_ = [];
    new PerformanceObserver((list) => window.tasks_.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: "longtask", buffered: true });
"""
READY = "() => document.querySelector('[aria-busy=true]') === null && document.readyState === 'complete'"
CURVES = """(epochs) => document.querySelector("#chart-loss").ariaValueMax === String(epochs)
    && document.querySelector("#chart-loss :is(canvas, .main-svg)") !== null"""
FIGURES = """() => {
    const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    return {
        bytes: entries.reduce((sum, { transferSize }) => sum + transferSize, 0),
        scripts: entries.filter(({ name }) => name.endsWith(".js")).reduce((sum, one) => sum + one.decodedBodySize, 0),
        paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
        blocked: window.tasks_.reduce((sum, duration) => sum + Math.max(0, duration - 50), 0),
        longest: Math.max(0, ...window.tasks_),
    };
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        log = EventLog(Settings(home=home, _env_file=None).log_url, lease_seconds=HEALTHY_LEASE_SECONDS)
        lease = start_run(log, 0)
        write_epochs(log, lease, 0, EPOCHS)
        log.finish(lease, RunState.SUCCEEDED, {})
        log.close()
        with serve(home, DIGITPAD_LEASE_SECONDS=str(HEALTHY_LEASE_SECONDS)) as server, chromium() as browser:
            print("| page | on the wire | scripts, unpacked | first paint | blocked | longest task |")
            print("|---|---|---|---|---|---|")
            for path, epochs in (("/train", 0), ("/train?run=1", EPOCHS)):
                print(_row(path, [_load(browser, server.url + path, epochs) for _ in range(REPEATS)]))


def _load(browser: Browser, url: str, epochs: int) -> dict[str, float]:
    """Open a page with an empty cache; return its figures once it is idle."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(OBSERVE)
    page.goto(url)
    page.wait_for_function(READY)
    if epochs:
        page.wait_for_function(CURVES, arg=epochs)
    page.wait_for_timeout(SETTLE_MS)
    figures: dict[str, float] = page.evaluate(FIGURES)
    context.close()
    return figures


def _row(path: str, loads: list[dict[str, float]]) -> str:
    middle = {name: statistics.median(one[name] for one in loads) for name in loads[0]}
    sizes = f"{middle['bytes'] / 1000:,.0f} kB | {middle['scripts'] / 1000:,.0f} kB"
    times = " | ".join(f"{middle[name]:.0f} ms" for name in ("paint", "blocked", "longest"))
    return f"| `{path}` | {sizes} | {times} |"


if __name__ == "__main__":
    main()
