"""A real Chromium: the machine's own where there is one, else Playwright's."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.support.drawings import recorded

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCRIBBLE = [[[60 + (i * 197) % 380, 60 + (i * 131) % 380] for i in range(40)]]


def executable() -> str | None:
    """The machine's own Chromium; None for Playwright's."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a headless Chromium with a new profile; close it at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def draw(page: Page, strokes: list[list[list[float]]], *, canvas: str = "#pad", unit: float = 500) -> None:
    """Draw `strokes`, in a square of side `unit`, on the canvas with the mouse, as a person would once it is ready."""
    page.locator(f"{canvas}[data-ready]").wait_for()
    box = _box(page.locator(canvas))
    scale = box["width"] / unit
    for stroke in strokes:
        points = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


@contextmanager
def heard(page: Page, event: str) -> Iterator[list[Any]]:
    """All that the page tells of `event` meanwhile."""
    told: list[Any] = []

    def hear(what: Any) -> None:
        told.append(what)

    page.on(event, hear)
    yield told
    page.remove_listener(event, hear)


def sparse(strokes: list[list[list[float]]], step: int = 6) -> list[list[list[float]]]:
    """The same strokes with every `step`-th point and both ends: as a quick hand draws, and quicker to replay."""
    return [[*stroke[:-1:step], stroke[-1]] for stroke in strokes]


@contextmanager
def fingers(page: Page) -> Iterator[Callable[..., None]]:
    """Gives `touch(kind, *points)`, a real touch event (touchStart, touchMove, touchEnd), a finger at each point."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float], radius: float = 10) -> None:
        size = {"radiusX": radius, "radiusY": radius}
        touching = [{"x": x, "y": y, "id": index, **size} for index, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touching})

    yield touch
    session.detach()


@contextmanager
def pen(page: Page) -> Iterator[Callable[..., None]]:
    """Gives `transition(kind, x, y, pressure)`, a real pen: kind is mousePressed, mouseMoved or mouseReleased."""
    session = page.context.new_cdp_session(page)

    def move(kind: str, x: float, y: float, pressure: float = 0.5) -> None:
        down = kind != "mouseReleased" and pressure > 0
        event = {"type": kind, "x": x, "y": y, "pointerType": "pen", "force": pressure}
        event |= {
            "button": "left" if down or kind == "mouseReleased" else "none",
            "buttons": int(down),
            "clickCount": 1,
        }
        session.send("Input.dispatchMouseEvent", event)

    yield move
    session.detach()


def choose(page: Page, data: bytes, kind: str = "image/png", name: str = "three") -> None:
    """Choose a picture from a file, as the pad's button does."""
    page.locator("#picture-file").set_input_files([{"name": name, "mimeType": kind, "buffer": data}])


def beside(*digits: str, size: float = 0.36) -> list[list[list[float]]]:
    """The digits from left to right."""
    step = 500 / len(digits)
    shifted = []
    for place, digit in enumerate(digits):
        for stroke in sparse(recorded()[f"digit {digit}"]["strokes"]):
            shifted.append([[(x - 250) * size + (place + 0.5) * step, (y - 250) * size + 250] for x, y in stroke])
    return shifted


def _box(locator: Locator) -> dict[str, float]:
    locator.scroll_into_view_if_needed()
    box = locator.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}
