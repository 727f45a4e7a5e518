"""The latency of the pad in Chromium, from the last point of a drawing until its answer is on the screen; with the
network shown at work beside it also the script of each frame.

The time runs from the time stamp of the pointerup event to the frame that paints the answer to the whole drawing. The
script of a frame prepares the drawing, passes it through the network, chooses connections and paints.
"""

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.support.browser import chromium, draw
from tests.support.drawings import recorded
from tests.support.serving import serve
from tests.support.waiting import until

ROUNDS = 10
WATCH = """() => {
    window.times = [];
    let lifted = null;
    window.addEventListener('pointerup', (event) => { lifted = event.timeStamp; }, true);
    new MutationObserver(() => {
        const from = lifted;
        if (from === null || document.querySelector('#spoken').textContent === '') return;
        requestAnimationFrame(() => setTimeout(() => window.times.push(performance.now() - from)));
        lifted = null;
    }).observe(document.querySelector('#spoken'), {childList: true, characterData: true, subtree: true});
}"""

FRAMES = "() => [...window.scriptOfFrames.values()]"
MEASURE_FRAMES = """() => {
    window.scriptOfFrames = new Map();  // milliseconds of script by the frame's time stamp
    const request = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (work) => request((time) => {
        const begun = performance.now();
        work(time);
        window.scriptOfFrames.set(time, (window.scriptOfFrames.get(time) ?? 0) + performance.now() - begun);
    });
}"""
FORGET = "() => { window.times.length = 0; document.querySelector('#spoken').textContent = ''; }"


def main() -> None:
    print("| last point to answer on the screen | p50 | p95 | longest |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server, chromium() as browser:
        for name, is_inside in (("the pad", False), ("inside shown", True)):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(server.url)
            if is_inside:
                page.locator("#inside-open").click()
                page.locator("#inside-view[data-lit]").wait_for()
                page.evaluate(MEASURE_FRAMES)
            times = latencies(page)
            p95 = statistics.quantiles(times, n=20)[18]
            print(f"| {name} | {statistics.median(times):.0f} ms | {p95:.0f} ms | {max(times):.0f} ms |")
        frames = page.evaluate(FRAMES)
    p95 = statistics.quantiles(frames, n=20)[18]
    print(
        f"| script of {len(frames)} frames | {statistics.median(frames):.1f} ms | {p95:.1f} ms | {max(frames):.1f} ms |"
    )


def latencies(page: Page) -> list[float]:
    """The milliseconds of each of ten drawings, ROUNDS times; a first round warms up."""
    digits = [drawing["strokes"] for name, drawing in recorded().items() if name.startswith("digit ")]
    times: list[float] = []
    page.evaluate(WATCH)
    for _ in range(ROUNDS):
        for strokes in digits:
            for stroke in strokes:
                page.evaluate(FORGET)
                draw(page, [stroke])
                until(lambda: page.evaluate("window.times.length > 0"))
            times.append(page.evaluate("window.times.at(-1)"))
            page.keyboard.press("Escape")
            until(lambda: page.evaluate("document.querySelector('#spoken').textContent === ''"))
    return times[len(digits) :]


if __name__ == "__main__":
    main()
