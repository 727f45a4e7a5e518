"""The pictures of the documents: `python -m docs.pictures`, with MNIST.

Those of the tutorial are taken by walking through it in a browser; the styles of handwriting are drawn.
"""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page

from app.data.handwriting.digits import DIGITS
from app.data.handwriting.spline import make_pen
from app.data.handwriting.writer import draw_variation, write
from app.data.preprocessing.rasterize_batch import rasterize_batch
from tests.support.browser import chromium, draw
from tests.support.drawings import recorded
from tests.support.serving import REPOSITORY, Server, serve
from tests.support.symbols import draw_symbol
from tests.support.waiting import until

FOLDER = REPOSITORY / "docs" / "images"
SIZE = {"width": 1120, "height": 760}
WAIT_MS = 300_000
LOADED = "() => document.querySelector('[aria-busy=true]') === null && document.readyState === 'complete'"
SYMBOLS = ("○", "△", "×")


COLUMNS, CELL, TILE = 9, (116, 84), 56
"""The columns of the picture of styles, and the sizes of a cell and of a digit in it, in pixels."""


def main() -> None:
    _styles().save(FOLDER / "styles.png", optimize=True)
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server, chromium() as browser:
        page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce", locale="en")
        page.set_default_timeout(WAIT_MS)
        _first_network(page, server)
        _own_symbols(page, server)


def _styles() -> Image.Image:
    """Each style of the data set `strokes`, written once with a thin pen by a moderate hand."""
    glyphs = {name: glyph for styles in DIGITS.values() for name, glyph in styles.items()}
    rows = -(-len(glyphs) // COLUMNS)
    sheet = Image.new("L", (COLUMNS * CELL[0], rows * CELL[1]), 255)
    draw_on, font = ImageDraw.Draw(sheet), ImageFont.load_default(10)
    for place, (name, glyph) in enumerate(glyphs.items()):
        x, y = place % COLUMNS * CELL[0], place // COLUMNS * CELL[1]
        variation = draw_variation(np.random.default_rng(place), 1)
        variation.globals[:] /= 2
        variation.globals[:, 0], variation.share[:, 1] = -1, 1  # thin, without pressure
        image = Image.fromarray(255 - rasterize_batch(write(make_pen(glyph), variation))[0])
        sheet.paste(image.resize((TILE, TILE), Image.Resampling.BICUBIC), (x + (CELL[0] - TILE) // 2, y + 4))
        draw_on.text((x + CELL[0] // 2, y + TILE + 8), name, fill=0, font=font, anchor="ma")
    return sheet


def _first_network(page: Page, server: Server) -> None:
    _open(page, f"{server.url}/")
    draw(page, recorded()["digit 3"]["strokes"])
    page.locator("#answer-glyph", has_text="3").wait_for()
    page.screenshot(path=FOLDER / "pad.png")
    _open(page, f"{server.url}/train")
    page.locator("#start:enabled").wait_for()
    page.screenshot(path=FOLDER / "train.png")
    row = _train(page, server)
    _open(page, f"{server.url}/runs/{row['id']}")
    page.set_viewport_size({**SIZE, "height": 900})
    page.locator("#chart-accuracy .chart-empty").wait_for(state="hidden")
    page.screenshot(path=FOLDER / "run.png")
    _open(page, f"{server.url}/models/{row['model']}/judge")
    page.locator("#judge-matrix-title").wait_for()
    page.set_viewport_size({**SIZE, "height": 1180})
    page.screenshot(path=FOLDER / "judge.png")
    page.set_viewport_size(SIZE)
    _open(page, f"{server.url}/train")
    page.locator("#race:enabled").click()
    page.wait_for_url("**/compare?tag=race*")
    until(
        lambda: len(done := server.get("/api/runs")["runs"]) > 5 and all(r["state"] == "succeeded" for r in done), 600
    )
    page.locator("text=all done").wait_for()
    page.locator("td.result", has_text="running").first.wait_for(state="detached")  # the table follows a little later
    page.screenshot(path=FOLDER / "race.png", full_page=True)


def _own_symbols(page: Page, server: Server) -> None:
    rng = np.random.default_rng(5)
    _open(page, f"{server.url}/data?make")
    page.locator("#make-name").fill("shapes")
    page.locator("#make-labels").fill(" ".join(SYMBOLS))
    page.keyboard.press("Enter")
    for number in range(1, 11):
        for symbol in SYMBOLS:
            page.locator("#draw-ask", has_text=f"Draw {symbol}: number {number}").wait_for()
            draw(page, draw_symbol(symbol, rng))
            if (number, symbol) == (7, "△"):
                page.screenshot(path=FOLDER / "draw.png")
            page.locator("#keep").click()
    page.locator("#train-note", has_text="Enough of each").wait_for()
    page.locator("#train-on-these").click()
    row = _train(page, server)
    _open(page, f"{server.url}/?model={row['model']}")
    page.locator("#clear:enabled").click()  # the pad keeps what was drawn last
    draw(page, draw_symbol("△", rng))
    page.locator("#answer-glyph", has_text="△").wait_for()
    page.screenshot(path=FOLDER / "own.png")


def _train(page: Page, server: Server) -> dict[str, object]:
    """Press the button, and wait for the end."""
    known = {run["id"] for run in server.get("/api/runs")["runs"]}
    page.locator("#start:enabled").click()
    run = until(lambda: next((one for one in server.get("/api/runs")["runs"] if one["id"] not in known), None))["id"]
    until(lambda: server.get(f"/api/runs/{run}")["state"] in ("succeeded", "failed"), 600)
    return dict(server.get(f"/api/runs/{run}"))


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(LOADED)
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
