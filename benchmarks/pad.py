"""The latency of the pad in Chromium, from the last point of a drawing until its answer is on the screen.

The time runs from the time stamp of the pointerup event to the frame that paints the answer to the whole drawing.
"""

import statistics
import tempfile
from pathlib import Path

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

FORGET = "() => { window.times.length = 0; document.querySelector('#spoken').textContent = ''; }"


def main() -> None:
    digits = [drawing["strokes"] for name, drawing in recorded().items() if name.startswith("digit ")]
    times: list[float] = []
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(server.url)
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
    times = times[len(digits) :]  # the first round warms up
    p95 = statistics.quantiles(times, n=20)[18]
    print("| last point to answer on the screen | p50 | p95 | longest |\n|---|---|---|---|")
    print(f"| {len(times)} drawings | {statistics.median(times):.0f} ms | {p95:.0f} ms | {max(times):.0f} ms |")


if __name__ == "__main__":
    main()
