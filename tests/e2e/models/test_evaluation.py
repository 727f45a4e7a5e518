"""How a trained network errs, on its run's page and on that of a model."""

import pytest
from playwright.sync_api import expect

from benchmarks.robust_drawings import SHAPES
from tests.support.drawings import recorded
from tests.support.run_page import open_tab
from tests.support.runs import TINY
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_run_is_judged_when_it_has_ended(page, server):
    server.post("/api/drawings", {"label": "3", "strokes": recorded()["digit 3"]["strokes"]})
    run = int(server.post("/api/runs", {"recipe": "quick", "overrides": {**TINY, "epochs": 1}})["id"])
    page.route("**/judgement", lambda route: route.fulfill(status=500, json={"error": "the disk is full"}))
    page.goto(f"{server.url}/runs/{run}")
    until(lambda: server.get(f"/api/runs/{run}")["state"] == "succeeded")
    open_tab(page, "evaluation")
    expect(page.locator("#judge-state")).to_have_text("the disk is full")
    page.unroute("**/judgement")
    page.get_by_role("button", name="Try again").click()
    cells = page.locator("#judge-matrix [role=gridcell]")
    expect(cells).to_have_count(100)

    judged = server.get(f"/api/runs/{run}/judgement")
    confusion = judged["confusion"]
    shown = [int(text.replace(",", "").replace("·", "0")) for text in cells.all_text_contents()]
    assert shown == [count for row in confusion for count in row]
    expect(page.locator("#judge-summary")).to_contain_text(f"{judged['accuracy'] * 100:.2f} %")
    page.get_by_role("radio", name="shares").check()
    share = confusion[0][0] / sum(confusion[0])
    expect(cells.first).to_have_text(str(int(100 * share + 0.5)))

    truth, said = max(
        ((i, j) for i in range(10) for j in range(10) if i != j), key=lambda place: confusion[place[0]][place[1]]
    )
    wrong = confusion[truth][said]
    cells.first.focus()
    for key, times in (("ArrowDown", truth), ("ArrowRight", said)):
        for _ in range(times):
            page.keyboard.press(key)
    page.keyboard.press("Enter")
    labels = judged["labels"]
    expect(page.locator("#judge-cell-title")).to_have_text(f"{labels[truth]} mistaken for {labels[said]}")
    expect(page.locator("#judge-cell-list button")).to_have_count(min(24, wrong))
    cells.nth(0).click()
    expect(page.locator("#judge-cell-title")).to_have_text("0, read correctly")
    page.locator("#judge-cell-list button").first.click()
    expect(page.locator("#zoom-title")).to_have_text("A 0, read correctly.")
    lit = "(canvas) => canvas.getContext('2d').getImageData(0, 0, 28, 28).data.some((v, i) => i % 4 < 3 && v > 0)"
    assert page.locator("#zoom-picture").evaluate(lit)
    page.keyboard.press("Escape")

    worst = judged["mistakes"][0]
    first = page.locator("#judge-mistakes button").first
    expect(first).to_contain_text(f"{worst['truth']} → {worst['said']}")
    expect(first).to_be_enabled()  # its picture has come
    page.get_by_role("radio", name="By label").check(force=True)
    expect(page.locator("#judge-labels tr")).to_have_count(10)
    page.get_by_role("radio", name="Calibration").check(force=True)
    expect(page.locator("#judge-ece")).to_contain_text(f"{judged['calibration']['ece'] * 100:.2f} %")
    filled = sum(1 for entry in judged["calibration"]["bins"] if entry["count"] > 0)
    assert page.locator("#judge-calibration rect.right").count() == filled
    page.get_by_role("radio", name="Your drawings").check(force=True)
    expect(page.locator("#judge-yours button")).to_have_count(1)
    expect(page.locator("#judge-yours-note")).to_contain_text("your drawing")


def test_a_model_is_judged_on_any_data_set_with_its_labels(phone, server):
    phone.goto(f"{server.url}/models/mnist-mlp/judge?dataset=strokes")
    expect(phone.locator("#judge-dataset")).to_have_value("strokes")
    expect(phone.locator("#judge-matrix [role=gridcell]")).to_have_count(100)
    phone.get_by_role("radio", name="Your drawings").check(force=True)
    expect(phone.locator("#judge-yours-empty")).to_be_visible()
    phone.get_by_role("radio", name="Mistakes").check(force=True)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    cell = phone.locator("#judge-matrix [data-truth='3'][data-said='3']")
    cell.tap()
    expect(phone.locator("#judge-cell-list button").first).to_be_visible()
    response = phone.goto(f"{server.url}/models/nothing/judge")
    assert response.status == 404


def test_a_model_s_page_tells_what_it_reads_of_each_source_and_style(page, pad_server):
    page.goto(f"{pad_server.url}/models/mnist-mlp/judge?dataset=strokes")
    sources = page.locator(".evidence-table", has_text="On the test images of each data set")
    expect(sources.locator("tbody th")).to_have_text(["MNIST", "Strokes", "Pen digits"])
    styles = page.locator(".evidence-table", has_text="none of which it has learned")
    rows = pad_server.get("/api/models/mnist-mlp")["styles"]
    assert len(rows) == sum(map(len, SHAPES.values()))
    faulty = [row["style"] for row in rows if row["accuracy"] < 1 or row["refused"] > 0]
    expect(styles.locator("tbody th")).to_have_text([*faulty, f"{len(rows) - len(faulty)} other styles"])
    misread = styles.locator(".misread .tile")
    misread.first.click()
    expect(page.locator("#zoom-title")).to_contain_text("read as")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
