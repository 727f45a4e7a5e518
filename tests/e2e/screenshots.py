"""Every page at 390 and 1280 px, light and dark, written to build/screenshots by `make screenshots`."""

import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.data.drawings import recorded
from tests.e2e.browser import chromium, draw
from tests.e2e.test_pad_answers import SCRIBBLE, beside
from tests.serving import REPOSITORY, Server, serve
from tests.waiting import until

FOLDER = REPOSITORY / "build" / "screenshots"
SIZES = {1280: 800, 390: 844}
SCHEMES = ("light", "dark")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server, chromium() as browser:
        run = server.post("/api/runs", {"recipe": "quick"})["id"]
        until(lambda: server.get(f"/api/runs/{run}")["state"] == "succeeded")
        for width, height in SIZES.items():
            for scheme in SCHEMES:
                page = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=1
                )
                _pages(page, server, run, f"{width}-{scheme}")
                page.close()
    print(f"screenshots are in {FOLDER.relative_to(REPOSITORY)}")


def _pages(page: Page, server: Server, run: int, name: str) -> None:
    page.goto(server.url)
    page.screenshot(path=FOLDER / f"pad-empty-{name}.png")
    draw(page, recorded()["digit 3"]["strokes"])
    page.locator("#answer-glyph", has_text="3").wait_for()
    page.screenshot(path=FOLDER / f"pad-{name}.png")
    page.keyboard.press("Escape")
    draw(page, SCRIBBLE)
    page.locator("#answer-glyph", has_text="?").wait_for()
    page.screenshot(path=FOLDER / f"pad-no-digit-{name}.png")
    page.keyboard.press("Escape")
    draw(page, beside("2", "5"))
    page.locator(".part").nth(1).click()
    page.locator("#doctor summary").click()
    page.locator("#doctor-read", has_text="a 5").wait_for()
    page.screenshot(path=FOLDER / f"pad-several-{name}.png", full_page=True)
    page.locator("#copy-open").click()
    page.screenshot(path=FOLDER / f"pad-copy-{name}.png")

    page.goto(f"{server.url}/train")
    page.locator("input[name=recipe]").first.wait_for(state="attached")
    page.screenshot(path=FOLDER / f"train-empty-{name}.png", full_page=True)
    page.locator("#settings summary").click()
    page.screenshot(path=FOLDER / f"train-settings-{name}.png", full_page=True)
    working = server.post("/api/runs", {"recipe": "quick", "overrides": {"epochs": 400}})["id"]
    page.goto(f"{server.url}/train?run={working}")
    until(lambda: (metrics := server.get(f"/api/runs/{working}")["metrics"]) and metrics["epoch"] >= 5)
    page.screenshot(path=FOLDER / f"train-{name}.png", full_page=True)
    _states_of_a_run(page, server, working, name)

    page.goto(f"{server.url}/runs/{run}")
    page.locator("#further").click()
    page.screenshot(path=FOLDER / f"runs-further-{name}.png")
    page.goto(f"{server.url}/train?start=mnist-mlp")
    page.locator("#start", has_text="Start fine-tuning").wait_for()
    page.screenshot(path=FOLDER / f"train-fine-tune-{name}.png", full_page=True)
    for path in (f"/runs/{run}", "/models", "/nothing"):
        page.goto(server.url + path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=FOLDER / f"{path.strip('/').partition('/')[0]}-{name}.png", full_page=True)


def _states_of_a_run(page: Page, server: Server, run: int, name: str) -> None:
    """The faces of a run that is at work: asked to cancel, paused, and cancelled with its model kept."""
    state = page.locator("#run-state")
    page.locator("#cancel").click()
    page.screenshot(path=FOLDER / f"train-cancel-{name}.png")
    page.keyboard.press("Escape")
    page.locator("#pause").click()
    state.get_by_text("paused").wait_for()
    page.screenshot(path=FOLDER / f"train-paused-{name}.png", full_page=True)
    server.post(f"/api/runs/{run}/cancel", {"keep_model": True})
    state.get_by_text("cancelled").wait_for()
    page.locator("#use-model").wait_for()
    page.screenshot(path=FOLDER / f"train-cancelled-{name}.png", full_page=True)


if __name__ == "__main__":
    main()
