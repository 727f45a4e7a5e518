"""A set of one's own symbols, from its first drawing to a pad that reads them; and the data and models pages."""

import json
import re
import zipfile

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support.browser import draw
from tests.support.symbols import draw_symbol
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LABELS = ("○", "△", "×")


def test_a_new_set_of_symbols_is_drawn_trained_on_and_read(page, server):
    rng = np.random.default_rng(5)
    page.goto(f"{server.url}/data")
    page.get_by_role("link", name="Make a new data set").click()
    page.get_by_role("button", name="Start drawing").click()
    expect(page.locator("#make-name-error")).to_contain_text("shapes")
    expect(page.locator("#make-name")).to_be_focused()
    page.locator("#make-name").fill("shapes")
    page.locator("#make-labels").fill("○ △、×")
    page.keyboard.press("Enter")
    expect(page.locator("#draw-title")).to_have_text("Draw the data set “shapes”")
    expect(page.locator("#train-on-these")).to_have_attribute("aria-disabled", "true")
    for number in range(10):
        for label in LABELS:  # it asks for the one that there are fewest of
            expect(page.locator("#draw-ask")).to_have_text(f"Draw {label}: number {number + 1}")
            draw(page, draw_symbol(label, rng))
            page.keyboard.press("Enter") if number else page.locator("#keep").click()
            page.locator("#pad").focus()
    expect(page.locator("#train-note")).to_contain_text("Enough of each")
    until(
        lambda: (
            server.get("/api/drawings")["sets"]
            == [{"name": "shapes", "count": 30, "labels": {"×": 10, "△": 10, "○": 10}}]
        )
    )

    page.locator("#train-on-these").click()
    expect(page.locator("#dataset")).to_have_value("drawings:shapes")
    page.locator("#start").click()
    run = until(lambda: (runs := server.get("/api/runs")["runs"]) and runs[0])["id"]
    until(lambda: server.get(f"/api/runs/{run}")["state"] in ("succeeded", "failed"), 300)
    row = server.get(f"/api/runs/{run}")
    assert (row["state"], row["config"]["network"]["layers"][-1]["units"]) == ("succeeded", 3)
    page.goto(f"{server.url}/?model={row['model']}")
    expect(page.locator("#bars [data-label]")).to_have_count(3)
    for label in ("○", "×"):
        draw(page, draw_symbol(label, rng))
        expect(page.locator("#answer-glyph")).to_have_text(label)
        page.keyboard.press("Escape")
    draw(page, [[[x, 250 + 180 * np.sin(x / 9)] for x in range(40, 460, 6)]])
    expect(page.locator("#answer-glyph")).to_have_text("?")  # none of its symbols


def test_own_drawings_are_relabelled_deleted_brought_back_exported_and_imported(page, server, tmp_path):
    rng = np.random.default_rng(6)
    for label in ("○", "○", "△"):
        server.post("/api/drawings", {"label": label, "strokes": draw_symbol(label, rng), "set": "shapes"})
    page.goto(f"{server.url}/data?set=drawings:shapes")
    expect(page.locator(".cell")).to_have_count(3)
    page.locator(".balance-row[data-label='○']").click()
    expect(page.locator(".cell")).to_have_count(2)
    page.locator(".balance-row[data-label='○']").click()
    expect(page.locator(".cell")).to_have_count(3)
    page.locator(".cell").first.click()
    page.locator("#relabel-label").fill("□")
    page.keyboard.press("Enter")
    expect(page.locator("#data-note")).to_contain_text("Changed to □.")
    assert server.get("/api/drawings")["sets"][0]["labels"] == {"□": 1, "○": 2}
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#data-note")).to_contain_text("Changed to △.")
    page.locator(".cell").first.click()
    page.locator("#delete-drawing").click()
    expect(page.locator(".cell")).to_have_count(2)
    assert server.get("/api/drawings")["sets"][0]["labels"] == {"○": 2}
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".cell")).to_have_count(3)

    with page.expect_download() as pictures:
        page.get_by_role("link", name="Images (PNG)").click()
    with zipfile.ZipFile(pictures.value.path()) as archive:
        assert sorted(name.split("/")[1] for name in archive.namelist()) == ["△", "○", "○"]
    with page.expect_download() as strokes:
        page.get_by_role("link", name="Strokes (JSON)").click()
    exported = json.loads(strokes.value.path().read_text())
    for one in exported["drawings"]:
        one["set"] = "copy"
    (tmp_path / "copy.json").write_text(json.dumps(exported))
    page.get_by_role("link", name="Import images or drawings").click()
    page.locator("#import-file").set_input_files(tmp_path / "copy.json")
    expect(page.locator("#browse-title")).to_have_text("Your drawings: copy")
    expect(page.locator(".cell")).to_have_count(3)
    (tmp_path / "bad.json").write_text("{")
    page.locator("#import-open").click()
    page.locator("#import-file").set_input_files(tmp_path / "bad.json")
    expect(page.locator("#import-error")).to_contain_text("not JSON")


def test_a_set_is_browsed_and_a_picture_opened_large(page, pad_server):
    page.goto(f"{pad_server.url}/data?set=strokes")
    expect(page.locator(".cell")).to_have_count(120)
    page.get_by_label("test", exact=True).check()
    expect(page.locator("#grid-line")).to_have_text("1 to 120 of 2,000, all labels")
    page.locator(".balance-row[data-label='7']").click()
    expect(page.locator("#grid-line")).to_have_text("1 to 120 of 200, only 7")
    page.locator("#next-page").click()
    expect(page.locator(".cell")).to_have_count(80)
    expect(page).to_have_url(f"{pad_server.url}/data?set=strokes&split=test&label=7&offset=120")
    page.locator(".cell").first.click()
    expect(page.locator("#zoom-title")).to_contain_text("7: image")
    assert page.locator("#zoom-picture").bounding_box()["width"] > 300
    page.keyboard.press("Escape")
    page.go_back()
    expect(page.locator(".cell")).to_have_count(120)
    page.locator(".balance-row[data-label='7']").click()
    expect(page.locator("#page-count")).to_have_text("of 17")
    for typed, line in (("17", "1,921 to 2,000"), ("99", "1,921 to 2,000"), ("", "1 to 120")):
        page.locator("#page-number").fill(typed)
        page.locator("#page-number").press("Enter")
        expect(page.locator("#grid-line")).to_contain_text(f"{line} of 2,000")
    page.locator("#random-page").click()
    expect(page.locator("#page-number")).not_to_have_value("1")


def test_a_set_is_browsed_by_style(page, pad_server):
    page.goto(f"{pad_server.url}/data?set=strokes&split=test")
    style = page.get_by_label("Style")
    page.locator(".balance-row[data-label='9']").click()
    expect(style.locator("option").nth(1)).to_have_text(re.compile(r"^nine-straight \(\d+\)$"))
    style.select_option("nine-small-loop-hook")
    expect(page).to_have_url(f"{pad_server.url}/data?set=strokes&split=test&label=9&group=nine-small-loop-hook")
    expect(page.locator("#grid-line")).to_have_text(re.compile(r"^1 to (\d+) of \1, only 9$"))
    page.locator(".cell").first.click()
    expect(page.locator("#zoom-text")).to_have_text("nine-small-loop-hook")
    page.keyboard.press("Escape")
    page.locator(".balance-row[data-label='7']").click()  # another label has other styles
    expect(style).to_have_value("")
    expect(page.locator("#grid-line")).to_have_text("1 to 120 of 200, only 7")
    page.go_back()
    expect(style).to_have_value("nine-small-loop-hook")


def test_a_model_is_exported_imported_renamed_and_chosen(page, server):
    page.goto(f"{server.url}/models")
    shipped = page.locator("[data-model=mnist-mlp]")
    with page.expect_download() as packed:
        shipped.get_by_role("link", name="Download").click()
    page.locator("#import-file").set_input_files(
        {"name": "m.zip", "mimeType": "application/zip", "buffer": packed.value.path().read_bytes()}
    )
    mine = page.locator("[data-model=mnist-mlp-2]")
    mine.get_by_role("button", name="Make default").click()
    expect(mine.locator(".badge").first).to_have_text("default")
    mine.get_by_role("button", name="Rename").click()
    page.locator("#dialog-text").fill("mine")
    page.keyboard.press("Enter")
    expect(page.locator("[data-model=mine] .badge").first).to_have_text("default")
    assert server.get("/api/models")["default"] == "mine"
    page.locator("[data-model=mine]").get_by_role("button", name="Rename").click()
    page.locator("#dialog-text").fill("mnist-mlp")
    page.keyboard.press("Enter")
    expect(page.locator("#models-error")).to_contain_text("a model named mnist-mlp already exists")
    expect(page.locator("[data-model=mine] h2")).to_be_focused()  # the list is there anew
    shipped.get_by_text("Export").click()
    with page.expect_download() as written:
        shipped.get_by_role("link", name="ONNX").click()
    assert written.value.suggested_filename == "mnist-mlp.onnx"
    page.locator("#import-file").set_input_files(
        {"name": "m.onnx", "mimeType": "", "buffer": written.value.path().read_bytes()}
    )
    expect(page.locator("[data-model=mnist-mlp-2]")).to_contain_text("784 → 900 → 400 → 10")


def test_what_is_unfolded_of_a_model_stays_so_when_the_list_comes_anew(page, pad_server):
    page.goto(f"{pad_server.url}/models")
    export = page.locator("[data-model=mnist-mlp] details").filter(has_text="ONNX")
    export.locator("summary").click()
    export.get_by_role("link", name="ONNX").focus()
    page.locator("#models-list ul").first.evaluate("(list) => { list.dataset.before = '' }")
    page.evaluate("window.dispatchEvent(new Event('digitpad:back'))")
    expect(page.locator("#models-list [data-before]")).to_have_count(0)
    expect(export).to_have_attribute("open", "")
    expect(export.get_by_role("link", name="ONNX")).to_be_focused()


def test_a_set_that_comes_late_takes_neither_the_focus_nor_the_place_of_another(page, server):
    for name, labels in (("letters", ["a", "b"]), ("shapes", ["○", "△"])):
        for label in labels:
            server.post("/api/drawings", {"label": label, "strokes": [[[1, 1], [90, 90]]], "set": name})
    held = []
    page.goto(f"{server.url}/data?make")
    expect(page.locator("#sets .set").first).to_be_visible()
    page.route("**/api/drawings/sets/letters", lambda route: held.append(route))
    go = "(set) => { history.pushState(null, '', `/data?draw=${set}`); dispatchEvent(new PopStateEvent('popstate')); }"
    page.evaluate(go, "letters")
    until(lambda: held or page.wait_for_timeout(20))
    page.evaluate(go, "shapes")
    expect(page.locator("#draw-title")).to_have_text("Draw the data set “shapes”")
    with page.expect_response("**/api/drawings/sets/letters"):
        held.pop().continue_()
    page.wait_for_timeout(100)
    expect(page.locator("#draw-title")).to_have_text("Draw the data set “shapes”")
    assert set(page.locator("#draw-counts strong").all_text_contents()) == {"○", "△"}

    page.route("**/api/drawings?*", lambda route: held.append(route))
    page.locator("[data-set='drawings:letters']").click()
    until(lambda: held or page.wait_for_timeout(20))
    page.locator("#import-open").focus()
    held.pop().continue_()
    expect(page.locator(".cell")).to_have_count(2)
    page.wait_for_timeout(100)
    expect(page.locator("#import-open")).to_be_focused()
