"""Every page in both languages, 390 and 1280 px, light and dark, written to build/screenshots by `make screenshots`."""

import tempfile
from pathlib import Path

from playwright.sync_api import Page

from app.i18n.catalog import LANGUAGES
from app.learn.lessons.lesson import NAMES
from tests.support.browser import SCRIBBLE, beside, chromium, draw
from tests.support.drawings import recorded
from tests.support.serving import REPOSITORY, Server, serve
from tests.support.waiting import until

FOLDER = REPOSITORY / "build" / "screenshots"
SIZES = {1280: 800, 390: 844}
SCHEMES = ("light", "dark")
WAIT_MS = 120_000  # a judgement reads every test image
LOADED = "() => document.querySelector('[aria-busy=true]') === null && document.readyState === 'complete'"
LEARN = ("", *(f"/{number}" for number in range(1, len(NAMES) + 1)), "/parts", "/perceptron", "/inside", "/code/adam")
QUICK = {"recipe": "quick", "overrides": {"dataset": "strokes", "epochs": 3}}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server, chromium() as browser:
        for label in ("3", "8", "3"):
            strokes = recorded()[f"digit {label}"]["strokes"]
            server.post("/api/drawings", {"label": label, "set": "own", "strokes": strokes})
        runs = [
            server.post("/api/runs", QUICK)["id"],
            server.post("/api/runs", {**QUICK, "recipe": "sigmoid-sgd"})["id"],
        ]
        for run in runs:
            until(lambda run=run: server.get(f"/api/runs/{run}")["state"] == "succeeded", 300)
        for language in LANGUAGES:
            for width, height in SIZES.items():
                for scheme in SCHEMES:
                    page = browser.new_page(
                        viewport={"width": width, "height": height},
                        color_scheme=scheme,
                        locale=language,
                        device_scale_factor=1,
                    )
                    page.set_default_timeout(WAIT_MS)
                    _pages(page, server, runs, f"{language}-{width}-{scheme}")
                    page.close()
    print(f"screenshots are in {FOLDER.relative_to(REPOSITORY)}")


def _pages(page: Page, server: Server, runs: list[int], name: str) -> None:
    _pad(page, server, name)
    _dashboard(page, server, name)
    _opened(page, server, name)

    page.goto(f"{server.url}/runs/{runs[0]}")
    page.locator("#further").click()
    page.screenshot(path=FOLDER / f"runs-further-{name}.png")
    compared = ",".join(map(str, runs))
    for title, path in {
        "train-fine-tune": "/train?start=mnist-mlp",
        "runs": f"/runs/{runs[0]}",
        "compare": f"/compare?runs={compared}",
        "models": "/models",
        "judge": "/models/mnist-mlp/judge",
        "challenge": "/challenge",
        "mine": "/mine",
        "augmentation": "/augmentation",
        "data": "/data",
        "data-own": "/data?set=drawings:own",
        "data-make": "/data?make",
        "data-import": "/data?import",
        "data-draw": "/data?draw=own",
        "projector": "/data/projector?set=own",
        "invited": "/draw/own",
        **{f"learn{path.replace('/', '-')}": f"/learn{path}" for path in LEARN},
        "nothing": "/nothing",
    }.items():
        page.goto(server.url + path)
        page.wait_for_function(LOADED)
        page.wait_for_load_state("networkidle")
        _see_all(page)
        page.screenshot(path=FOLDER / f"{title}-{name}.png", full_page=True)


def _see_all(page: Page) -> None:
    """Go down the page and up again: charts are drawn when somebody comes near them."""
    page.evaluate(
        """async () => {
            const nextFrames = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)));
            for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
                scrollTo(0, y);
                await nextFrames();
            }
            scrollTo(0, 0);
            await nextFrames();
        }"""
    )


def _pad(page: Page, server: Server, name: str) -> None:
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
    page.locator("#doctor > summary").click()
    page.locator("#doctor-read", has_text="5").wait_for()
    page.screenshot(path=FOLDER / f"pad-several-{name}.png", full_page=True)
    page.locator("#copy-open").click()
    page.screenshot(path=FOLDER / f"pad-copy-{name}.png")


def _dashboard(page: Page, server: Server, name: str) -> None:
    page.goto(f"{server.url}/train")
    page.wait_for_function(LOADED)
    page.screenshot(path=FOLDER / f"train-empty-{name}.png", full_page=True)
    page.locator("#settings > summary").click()
    page.screenshot(path=FOLDER / f"train-settings-{name}.png", full_page=True)
    run = server.post("/api/runs", {"recipe": "quick", "overrides": {"dataset": "strokes", "epochs": 400}})["id"]
    page.goto(f"{server.url}/train?run={run}")
    until(lambda: (metrics := server.get(f"/api/runs/{run}")["metrics"]) and metrics["epoch"] >= 5)
    _see_all(page)
    page.screenshot(path=FOLDER / f"train-{name}.png", full_page=True)
    _states_of_a_run(page, server, run, name)


def _opened(page: Page, server: Server, name: str) -> None:
    """What opens when it is pressed: a race, a model's formats and its new name, images of a cell, a drawing inside."""
    page.goto(f"{server.url}/train")
    page.locator("#race-change").click()
    page.screenshot(path=FOLDER / f"train-race-{name}.png")
    page.goto(f"{server.url}/models")
    own = page.locator("[data-model]").last
    own.locator(".model-actions summary").click()
    own.screenshot(path=FOLDER / f"models-export-{name}.png")
    own.locator("button").nth(1).click()
    page.screenshot(path=FOLDER / f"models-rename-{name}.png")
    page.goto(f"{server.url}/models/mnist-mlp/judge")
    page.locator("[data-truth='9'][data-said='4']").click()
    page.locator("#judge-cell-list button").first.click()
    page.locator("dialog[open] canvas").wait_for()
    page.screenshot(path=FOLDER / f"judge-picture-{name}.png")
    page.goto(f"{server.url}/learn/inside")
    draw(page, recorded()["digit 3"]["strokes"])
    page.locator("#layers canvas").first.wait_for()
    page.locator("#layers canvas").first.focus()
    page.keyboard.press("Enter")
    page.locator("#truth label").nth(3).click()
    page.locator("#step-one").click()
    page.wait_for_load_state("networkidle")
    _see_all(page)
    page.screenshot(path=FOLDER / f"learn-inside-drawn-{name}.png", full_page=True)


def _states_of_a_run(page: Page, server: Server, run: int, name: str) -> None:
    """The faces of a run that is at work: asked to cancel, paused, and cancelled with its model kept."""
    page.locator("#cancel").click()
    page.screenshot(path=FOLDER / f"train-cancel-{name}.png")
    page.keyboard.press("Escape")
    page.locator("#pause").click()
    page.locator("#run-state[data-state=paused]").wait_for()
    page.screenshot(path=FOLDER / f"train-paused-{name}.png", full_page=True)
    server.post(f"/api/runs/{run}/cancel", {"keep_model": True})
    page.locator("#run-state[data-state=cancelled]").wait_for()
    page.locator("#use-model").wait_for()
    page.screenshot(path=FOLDER / f"train-cancelled-{name}.png", full_page=True)


if __name__ == "__main__":
    main()
