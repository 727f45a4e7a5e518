"""Runs side by side: raced, chosen from the list, overlaid on one chart, tagged, deleted and taken back."""

import csv
import io
import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.support.runs import TINY
from tests.support.serving import Server
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ENDED = ("succeeded", "failed", "cancelled")
SGD = {**TINY, "optimizer": {"type": "sgd", "learning_rate": 0.1}}


def start(server: Server, overrides: dict, **remarks: object) -> int:
    return int(server.post("/api/runs", {"recipe": "quick", "overrides": overrides, **remarks})["id"])


def wait_for(server: Server, *runs: int) -> None:
    until(lambda: all(server.get(f"/api/runs/{run}")["state"] in ENDED for run in runs))


def download(page: Page, selector: str) -> bytes:
    with page.expect_download() as found:
        page.locator(selector).click()
    return Path(found.value.path()).read_bytes()


def epochs_done(page: Page, run: int) -> int:
    return int(page.locator(f"[data-line='{run}'] [data-column=epochs]").text_content().replace(",", ""))


def listed(page: Page) -> list[int]:
    return page.locator("#runs-list [data-run]").evaluate_all("(rows) => rows.map((row) => Number(row.dataset.run))")


def test_a_race_is_started_by_one_press_and_watched_on_one_chart(page, server):
    setup = {"recipe": "quick", **TINY, "layers": json.dumps(TINY["network"]["layers"])}
    del setup["network"]
    page.goto(f"{server.url}/train?{urlencode(setup)}")
    expect(page.locator("#race")).to_have_text("Race 5 optimizers")
    page.get_by_role("button", name="Change the race").click()
    rates = ["SGD 0.1", "Momentum 0.01", "AdaGrad 0.01", "RMSProp 0.001", "Adam 0.001"]
    expect(page.locator("#race-what")).to_have_text(" · ".join(rates))
    page.locator("#race-values").fill("adam, adam")
    expect(page.locator("#race-values-error")).to_have_text("Enter each value only once.")
    expect(page.locator("#race")).to_be_disabled()
    page.locator("#race-values").fill("SGD 0.1, Adam 0.001")
    expect(page.locator("#race")).to_have_text("Race 2 optimizers")
    page.locator("#race").click()
    expect(page).to_have_url(re.compile(r"/compare\?tag=race"))
    expect(page.locator("#compare-title")).to_have_text("2 optimizers")
    expect(page.locator("#compare-count")).to_have_text("2 runs, all done", timeout=60_000)
    expect(page.locator("#compare-verdict")).to_have_text(
        re.compile(r"^(SGD|Adam) won: [\d.]+ % of the test images$|^A tie between SGD, Adam")
    )
    expect(page.locator("#compare-stop")).to_be_hidden()
    expect(page.locator(".line-toggle")).to_have_text(["#1 SGD", "#2 Adam"])
    expect(page.locator("#compare-head th.setting")).to_have_text(["optimizer", "learning rate"])
    until(lambda: [epochs_done(page, run) for run in (1, 2)] == [2, 2])
    types = [server.get(f"/api/runs/{run}")["config"]["optimizer"]["type"] for run in (1, 2)]
    assert types == ["sgd", "adam"]


def test_runs_are_overlaid_with_what_differs_and_the_line_of_a_run_at_work_grows(page, server):
    first, second = start(server, TINY), start(server, SGD)
    wait_for(server, first, second)
    growing = start(server, {**SGD, "epochs": 1000})
    page.goto(f"{server.url}/train")
    for run in (first, second, growing):
        page.get_by_label(f"Compare run {run}").check()
    page.get_by_role("link", name="Compare 3").click()
    expect(page).to_have_url(f"{server.url}/compare?runs={first},{second},{growing}")
    until(lambda: epochs_done(page, growing) >= 3)
    before = epochs_done(page, growing)
    until(lambda: epochs_done(page, growing) > before)
    server.post(f"/api/runs/{growing}/cancel")
    expect(page.locator("#compare-count")).to_have_text("3 runs, all done", timeout=60_000)

    expect(page.locator("#compare-head th.setting")).to_have_text(["optimizer", "learning rate", "epochs"])
    assert page.locator("tr[data-line] canvas").count() == 3
    chart = page.locator("#compare-chart")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 70.5, box["y"] + 100)  # epoch 1, however many there are
    expect(page.locator("#compare-chart .chart-tip p")).to_have_count(4)
    expect(page.locator(".chart-tip-head")).to_have_text("epoch 1")
    said = server.get(f"/api/runs/{first}/events")["events"]
    accuracy = next(event["data"]["val_accuracy"] for event in said if event["type"] == "epoch")
    expect(page.locator("#compare-chart .chart-tip p", has_text=f"#{first} ")).to_contain_text(
        f"{accuracy * 100:.2f} %"
    )

    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 100)
    page.mouse.up()
    expect(page.locator("#compare-whole")).to_be_visible()
    chart.dblclick(position={"x": 300, "y": 200})
    expect(page.locator("#compare-whole")).to_be_hidden()
    chart.focus()
    page.keyboard.press("Home")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"^epoch 1, #\d"))
    page.locator("#compare-metric").select_option("train_loss")
    page.get_by_role("radio", name="log").check()
    page.locator("#compare-smoothing").fill("0.5")
    expect(page.locator("#compare-smoothing-value")).to_have_text("0.50")
    expect(page.locator("#compare-chart .chart-empty")).to_be_hidden()

    rows = list(csv.DictReader(io.StringIO(download(page, "#compare-csv").decode())))
    assert [row["epoch"] for row in rows if row["run"] == str(first)] == ["1", "2"]
    assert float(next(row for row in rows if row["run"] == str(first))["val_accuracy"]) == accuracy
    assert download(page, "#compare-png").startswith(b"\x89PNG")
    page.get_by_role("button", name="optimizer", exact=True).click()
    expect(page.locator("tr[data-line]").first).to_have_attribute("data-line", str(first))  # Adam
    page.locator(f"[data-line='{first}'] .line-toggle").click()
    expect(page.locator(f"[data-line='{first}'] .line-toggle")).to_have_attribute("aria-pressed", "false")
    page.get_by_label(f"Remove run {growing} from the comparison").click()
    expect(page).to_have_url(re.compile(rf"runs={first}%2C{second}"))
    expect(page.locator("tr[data-line]")).to_have_count(2)
    page.goto(f"{server.url}/compare?runs=99,{first}")
    expect(page.locator("#compare-note")).to_have_text("There is no run 99.")


def test_the_list_is_filtered_tagged_and_kept_fresh_and_a_deletion_can_be_undone(page, server):
    first, second = start(server, {**TINY, "epochs": 1}), start(server, {**SGD, "epochs": 1}, tags=["slow"])
    wait_for(server, first, second)
    page.goto(f"{server.url}/train")
    rows = page.locator("#runs-list [data-run]")
    expect(rows).to_have_count(2)
    page.get_by_label(f"Tags and note of run {first}").click()
    page.get_by_role("button", name="slow", exact=True).and_(page.locator("[aria-pressed]")).click()
    page.locator("#remarks-tags").press("End")
    page.locator("#remarks-tags").press_sequentially(", class 3B")
    page.locator("#remarks-note").fill("the first of the day")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(f"[data-run='{first}'] .tag")).to_have_text(["slow", "class 3B"])
    kept = server.get(f"/api/runs/{first}")
    assert (kept["tags"], kept["note"]) == (["slow", "class 3B"], "the first of the day")

    page.locator(f"[data-run='{first}'] .tag", has_text="class 3B").click()
    until(lambda: listed(page) == [first])
    page.locator("#runs-tag").select_option("")
    page.locator("#runs-search").fill("sgd")
    until(lambda: listed(page) == [second])
    page.locator("#runs-search").fill("")
    page.locator("#runs-sort").select_option("accuracy")
    accuracy = {run: server.get(f"/api/runs/{run}")["test_accuracy"] for run in (first, second)}
    until(lambda: listed(page) == sorted(accuracy, key=accuracy.get, reverse=True))
    page.locator("#runs-state").select_option("failed")
    page.get_by_role("button", name="Show all runs").click()
    until(lambda: listed(page) == [second, first])

    page.get_by_label(f"Delete run {first}").click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(2)
    assert server.get(f"/api/runs/{first}")["id"] == first
    expect(page.locator(f"[data-run='{first}'] .run-what")).to_contain_text("Quick · batch size")
    for run in (first, second):
        page.locator(f"[data-run='{run}'] input").check()
    page.locator("#tag-chosen").click()
    page.locator("#dialog-text").fill("both")
    page.get_by_role("dialog").get_by_role("button", name="Tag").click()
    expect(page.locator(".tag", has_text="both")).to_have_count(2)
    assert [server.get(f"/api/runs/{run}")["tags"] for run in (first, second)] == [
        ["slow", "class 3B", "both"],
        ["slow", "both"],
    ]
    page.locator("#delete-chosen").click()
    expect(page.locator(".undo-notice")).to_contain_text("2 runs were deleted.")
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(2)

    page.get_by_label(f"Delete run {first}").click()
    page.goto("about:blank")  # the page is left before the time is over
    until(lambda: [run["id"] for run in server.get("/api/runs")["runs"]] == [second])

    page.goto(f"{server.url}/train?run={second}")
    expect(rows).to_have_count(1)
    third = start(server, {**TINY, "epochs": 1})  # not the one that is watched
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(f"[data-run='{third}'] .chip")).to_have_text("done")


def test_scales_and_settings_are_worked_out(browser, pad_server):
    page = browser.new_page()
    page.goto(f"{pad_server.url}/compare")
    folder = re.match(r"(.*/js/)", page.locator("script[type=module]").first.get_attribute("src"))[1]

    def call(module: str, expression: str) -> object:
        return page.evaluate(f"import('{folder}{module}.js').then((m) => {expression})")

    assert call("charts/scale", "m.ticks(0, 1, 5)") == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert call("charts/scale", "m.ticks(1, 12, 4, true)") == [5, 10]
    assert call("charts/scale", "m.logTicks(0.01, 2)") == [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]
    assert call("charts/scale", "m.smoothed([1, 1, 4], 0.5)") == [1, 1, pytest.approx(1 + 3 * 0.5 / 0.875)]
    assert call("charts/scale", "[m.nearest([1, 2, 5], 3), m.nearest([1, 2, 5], 4), m.nearest([], 1)]") == [1, 2, -1]
    many = "{x: Array.from({length: 10000}, (_, i) => i), y: Array.from({length: 10000}, (_, i) => i === 5000 ? 9 : 0)}"
    thin = call("charts/scale", f"m.linePoints({many}, [0, 9999], 100)")
    assert len(thin) <= 2 * 4 * 101
    assert 9 in thin  # a single high point is not lost
    layers = "network: {layers: [{type: 'dense', units: %s, initializer: {type: 'he'}}]}"
    adam = f"{{seed: 1, {layers % 10}, optimizer: {{type: 'adam'}}}}"
    sgd = f"{{seed: 1, {layers % 20}, optimizer: {{type: 'sgd'}}}}"
    assert call("labels/config-diff", f"m.differing([{adam}, {sgd}])") == [
        {"path": "optimizer.type", "values": ["Adam", "SGD"]},
        {"path": "layer 1 dense.units", "values": ["10", "20"]},
    ]
    bounds = "{minimum: 2, maximum: 8}"
    assert call("pages/train/sweep-values", f"m.parsed('learning_rate', '0.1, 0.01', {bounds})") == [0.1, 0.01]
    assert call("pages/train/sweep-values", f"m.parsed('initializer', 'he, normal 0.01', {bounds})")[1] == {
        "type": "normal",
        "std": 0.01,
    }
    looks = "({color, dash, marker}) => [color, dash.join(), String(marker)].join()"
    styles = call("charts/series-style", f"Array.from({{length: 40}}, (_, i) => m.styleAt(i)).map({looks})")
    assert len(set(styles)) == 40
    page.close()
