"""The paths of a race on its page: measured when asked for, read with the pointer and the keys."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.runs import TINY
from tests.support.serving import Server
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def short(value: float) -> str:
    """A number as the page writes it."""
    return f"{float(f'{value:.4g}'):g}"


def test_the_paths_of_a_race_are_measured_and_read(page: Page, server: Server) -> None:
    asked = {"recipe": "quick", "overrides": TINY, "vary": "optimizer", "values": ["sgd", "adam"]}
    runs = [run["id"] for run in server.post("/api/races", asked)["runs"]]
    page.goto(f"{server.url}/compare?runs={runs[0]},{runs[1]}")
    expect(page.locator("#compare-differences-title")).to_be_visible()
    until(lambda: all(server.get(f"/api/runs/{run}")["state"] == "succeeded" for run in runs))
    page.locator("#paths-start").click(timeout=30_000)
    canvas = page.locator("#paths-body canvas.figure-canvas")
    expect(canvas).to_be_focused(timeout=60_000)
    plane = server.get(f"/api/races/{runs[0]}/plane")
    assert [path["run"] for path in plane["runs"]] == runs
    assert len(plane["losses"]) == len(plane["y"]) == len(plane["losses"][0]) == len(plane["x"]) == 25
    sgd, adam = (path["points"] for path in plane["runs"])
    said = page.locator(".paths-said")
    canvas.press("End")
    expect(said).to_have_text(f"SGD, epoch 2: loss {short(sgd[-1]['loss'])}")
    canvas.press("Home")
    expect(said).to_have_text(f"SGD, epoch 0: loss {short(sgd[0]['loss'])}")
    canvas.press("ArrowDown")
    canvas.press("End")
    last = f"Adam, epoch 2: loss {short(adam[-1]['loss'])}"
    expect(said).to_have_text(last)
    canvas.press("Home")

    box = canvas.bounding_box()
    assert box is not None
    # the axes leave the margins of every chart: those of static/js/charts/paint.js
    margin = page.evaluate(
        """async () => {
            const script = document.querySelector("script[src*='compare/index']").src;
            return (await import(script.replace(/pages\\/compare\\/index.*$/, "charts/paint.js"))).MARGIN;
        }"""
    )
    across, up = ((adam[-1][axis] - plane[axis][0]) / (plane[axis][-1] - plane[axis][0]) for axis in ("x", "y"))
    left = box["x"] + margin["left"] + across * (box["width"] - margin["left"] - margin["right"])
    top = box["y"] + box["height"] - margin["bottom"] - up * (box["height"] - margin["top"] - margin["bottom"])
    page.mouse.move(left, top)
    expect(said).to_have_text(last)

    page.locator("#paths-body summary").click()
    cells = page.locator("#paths-body tbody tr").last.locator("th, td").all_text_contents()
    assert cells == ["2", *(short(path[-1]["loss"]) for path in (sgd, adam))]
    expect(page.locator(".paths-about")).to_contain_text(f"{round(100 * sum(plane['variance']))}\u00a0%")
    with page.expect_download() as saved:
        page.locator(".paths-save button").first.click()
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as saved:
        page.locator(".paths-save button").last.click()
    lines = Path(saved.value.path()).read_text().splitlines()
    assert lines[0] == "run,epoch,x,y,loss"
    assert [float(number) for number in lines[-1].split(",")] == [
        runs[1],
        2,
        *(adam[-1][key] for key in ("x", "y", "loss")),
    ]
    page.locator(".paths-legend button").first.click()
    expect(page.locator(".paths-legend button").first).to_have_attribute("aria-pressed", "false")


def test_a_race_of_other_networks_says_why_it_has_no_plane(page: Page, server: Server) -> None:
    asked = {"recipe": "quick", "overrides": TINY, "vary": "network.layers.0.units", "values": [4, 8]}
    runs = [run["id"] for run in server.post("/api/races", asked)["runs"]]
    until(lambda: all(server.get(f"/api/runs/{run}")["state"] == "succeeded" for run in runs))
    page.goto(f"{server.url}/compare?runs={runs[0]},{runs[1]}")
    page.locator("#paths-start").click()
    expect(page.locator("#paths-state")).to_contain_text("different networks")
    expect(page.locator("#paths-start")).to_be_enabled()
