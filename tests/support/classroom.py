"""A class that draws into one set: each phone is a browser context of its own, let in by an invitation alone."""

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, CDPSession, Page, Response, Route, async_playwright, expect

from tests.support.browser import FLAGS, executable
from tests.support.browser_fixtures import DEVICES

SET = "shapes"
MAKE = f"""(labels) => fetch("/api/drawings/sets/{SET}", {{
    method: "PUT", headers: {{ "content-type": "application/json" }}, body: JSON.stringify({{ labels }}),
}}).then(({{ status }}) => status)"""
LIST = f"""() => fetch("/api/drawings?set={SET}&limit=1000").then((answer) => answer.json())"""
ALL_SENT = "() => sessionStorage.getItem('unsent-drawings') === null"
DRAWINGS = f"**/api/drawings/sets/{SET}/drawings"
UNITS = 500
START, ACROSS, DOWN = 40, 10, 40
"""The first point of a drawing, in the pad's units, tells whose it is and which."""
TIMEOUT_MS = 300_000


@dataclass(frozen=True)
class ClassReport:
    """What became of a class's drawings, and the times in seconds."""

    stored: Counter[tuple[int, int]]
    """How often a drawing of a phone, (phone, number), was stored."""
    counted: dict[str, int]
    """The server's counts by label."""
    shown: dict[str, int]
    """The projector's counts by label."""
    join_seconds: float
    draw_seconds: float
    save_seconds: list[float]
    """From the press of *Save* to the answer."""
    late_seconds: float
    """From the last answer until the projector had counted all."""


async def hold_class(url: str, token: str, labels: list[str], *, phones: int, drawings: int) -> ClassReport:
    """Let phones join a set of a new server and draw into it, all at once.

    Of each phone the answer to one drawing is lost on the way; the page sends it again by itself.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        projector = await browser.new_page(**DEVICES["desktop"])
        await projector.goto(f"{url}/data?token={token}")
        assert await projector.evaluate(MAKE, labels) == 200
        await projector.goto(f"{url}/data/projector?set={SET}")
        await projector.locator("#projector-invite").click()
        code = projector.locator("#projector-number")
        await expect(code).to_have_text(re.compile(r"^\w{4}-\w{4}$"))
        host = await projector.locator("#projector-host").inner_text()
        address = f"http://{host}{await code.inner_text()}"

        begun = time.monotonic()
        pupils = await asyncio.gather(*(_join(browser, address, number) for number in range(phones)))
        joined = time.monotonic()
        saves = await asyncio.gather(*(_draw_all(*pupil, drawings) for pupil in pupils))
        drawn = time.monotonic()
        total = projector.locator("#projector-total")
        await expect(total).to_have_text(f"{phones * drawings} drawings", timeout=TIMEOUT_MS)
        late = time.monotonic() - drawn
        shown = {}
        for card in await projector.locator(".projector-label").all():
            shown[await card.get_attribute("data-label") or ""] = int(
                await card.locator(".projector-count").inner_text()
            )
        listed = await projector.evaluate(LIST)
        await browser.close()
    return ClassReport(
        stored=Counter(_origin(drawing["strokes"]) for drawing in listed["drawings"]),
        counted=next(one["labels"] for one in listed["sets"] if one["name"] == SET),
        shown=shown,
        join_seconds=joined - begun,
        draw_seconds=drawn - joined,
        save_seconds=[seconds for one in saves for seconds in one],
        late_seconds=late,
    )


async def _join(browser: Browser, address: str, number: int) -> tuple[Page, CDPSession, int]:
    page = await browser.new_page(**DEVICES["phone"])
    page.set_default_timeout(TIMEOUT_MS)
    await page.goto(address)
    await page.locator("#pad[data-ready]").wait_for()
    await expect(page.locator("#draw-ask")).to_contain_text("Draw", timeout=TIMEOUT_MS)
    return page, await page.context.new_cdp_session(page), number


async def _draw_all(page: Page, fingers: CDPSession, number: int, drawings: int) -> list[float]:
    """Draw with a finger and save, again and again; the seconds of each save whose answer came."""
    seconds = []
    losing = number % drawings
    for drawing in range(drawings):
        await _touch(page, fingers, START + ACROSS * number, START + DOWN * drawing)
        if drawing == losing:
            await page.route(DRAWINGS, _lose, times=1)
            async with page.expect_event("requestfailed"):
                await page.locator("#keep").tap()
            continue  # the page sends it again by itself
        begun = time.monotonic()
        async with page.expect_response(_is_saved):
            await page.locator("#keep").tap()
        seconds.append(time.monotonic() - begun)
    await page.wait_for_function(ALL_SENT)
    return seconds


async def _touch(page: Page, fingers: CDPSession, x: float, y: float) -> None:
    box = await page.locator("#pad").bounding_box()
    assert box is not None
    scale = box["width"] / UNITS
    for kind, *points in (("touchStart", (x, y)), ("touchMove", (250, 250)), ("touchMove", (450, 460)), ("touchEnd",)):
        places = [{"x": box["x"] + a * scale, "y": box["y"] + b * scale, "id": 0} for a, b in points]
        await fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})


async def _lose(route: Route) -> None:
    """Have the server save it, and lose the answer."""
    await route.fetch()
    await route.abort()


def _is_saved(response: Response) -> bool:
    return response.url.endswith(f"/{SET}/drawings") and response.status == 201


def _origin(strokes: list[list[Any]]) -> tuple[int, int]:
    x, y = strokes[0][0]
    return round((x - START) / ACROSS), round((y - START) / DOWN)
