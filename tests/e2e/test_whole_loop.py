"""The whole loop, in a real browser on a real server: train on MNIST, watch, use the model, draw, be read."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import draw
from tests.support.drawings import recorded
from tests.support.run_page import epochs, last_epoch
from tests.support.runs import TINY
from tests.support.serving import serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SUM_OF_BARS = (
    "() => [...document.querySelectorAll('[data-label]')].reduce((sum, bar) => sum + Number(bar.dataset.value), 0)"
)
LIT_PIXELS = """() => {
    const canvas = document.querySelector('#seen');
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return [canvas.width, data.filter((value, index) => index % 4 === 0 && value > 128).length];
}"""
THREE = recorded()["digit 3"]["strokes"]


def test_train_on_mnist_watch_use_the_model_and_be_read(browser, page, tmp_path, mnist_dir):
    with serve(tmp_path / "mnist", DIGITPAD_DATA_DIR=str(mnist_dir)) as server:
        page.goto(f"{server.url}/train")
        page.evaluate("window.neverReloaded = true")
        page.locator("input[name=recipe][value=quick]").check(force=True)
        page.locator("#dataset").select_option("mnist")
        page.locator("#settings > summary").click()
        page.locator("#epochs").fill("8")
        page.locator("#start").click()

        until(lambda: last_epoch(page) >= 1)
        assert server.get("/api/runs/1")["state"] == "running"  # the first point came while it was at work
        until(lambda: last_epoch(page) == 8)
        expect(page.locator("#run-state")).to_have_text("done")
        assert page.evaluate("window.neverReloaded") is True
        said = page.locator("#chart-accuracy").get_attribute("aria-valuetext")
        accuracy = re.findall(r"(training|validation) ([\d.]+) %", said)
        assert [name for name, _ in accuracy] == ["training", "validation"]  # there are no drawings of one's own
        assert min(float(value) for _, value in accuracy) > 90

        page.locator("#use-model").click()
        expect(page).to_have_url(f"{server.url}/?model=quick-1")
        expect(page.locator("#answer-sentence")).to_have_text("Draw a digit")
        draw(page, THREE)
        expect(page.locator("#answer-glyph")).to_have_text("3")
        expect(page.locator("#answer-sentence")).to_have_text("This is a 3.")
        expect(page.locator("#answer-detail")).to_contain_text("quick-1")
        expect(page.locator("[data-winner]")).to_have_attribute("data-label", "3")
        assert page.locator("[data-label]").count() == 10
        assert page.evaluate(SUM_OF_BARS) == pytest.approx(1, abs=1e-6)
        width, lit = page.evaluate(LIT_PIXELS)
        assert width == 28
        assert 20 < lit < 300


def test_a_reload_goes_on_where_the_run_is(page, server):
    page.goto(f"{server.url}/train")
    run = server.post("/api/runs", {"recipe": "quick", "overrides": {**TINY, "epochs": 10_000}})["id"]
    page.goto(f"{server.url}/train?run={run}")
    until(lambda: last_epoch(page) >= 2)
    page.reload()
    until(lambda: last_epoch(page) >= 3)
    found = epochs(page)
    assert found == list(range(1, len(found) + 1))
    page.locator("#cancel").click()
    page.locator("#confirm").click()
    expect(page.locator("#run-state")).to_have_text("cancelled")
    expect(page.locator("#runs-list")).to_contain_text("cancelled")


def test_the_dashboard_shows_the_run_that_is_at_work(page, server):
    run = server.post("/api/runs", {"recipe": "quick", "overrides": {**TINY, "epochs": 10_000}})["id"]
    page.goto(f"{server.url}/train")
    until(lambda: last_epoch(page) >= 1)
    expect(page.locator("#run-state")).to_have_text("running")
    server.post(f"/api/runs/{run}/cancel")
    expect(page.locator("#run-state")).to_have_text("cancelled")


def test_a_page_comes_back_by_itself_when_the_server_does(page, tmp_path, cache_dir):
    home = tmp_path / "restarted"
    with serve(home, DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        port = int(server.url.rpartition(":")[2])
        run = server.post("/api/runs", {"recipe": "quick", "overrides": {**TINY, "epochs": 4000}})["id"]
        page.goto(f"{server.url}/train?run={run}")
        until(lambda: last_epoch(page) >= 1)
    expect(page.locator("#run-away")).to_be_visible()
    with serve(home, port=port, DIGITPAD_CACHE_DIR=str(cache_dir)):
        expect(page.locator("#run-away")).to_be_hidden()
        before = last_epoch(page)
        until(lambda: last_epoch(page) > before)  # the run goes on from where it was
        expect(page.locator("#run-state")).to_have_text("running")


def test_the_settings_that_were_changed_are_the_run_s(page, server):
    page.goto(f"{server.url}/train")
    page.locator("input[name=recipe][value=tf-tutorial]").check(force=True)
    page.locator("#dataset").select_option("strokes")
    page.locator("#settings > summary").click()
    for field, value in (
        ("learning-rate", "0.005"),
        ("batch-size", "250"),
        ("epochs", "1"),
        ("hidden-layers", "32, 16"),
    ):
        page.locator(f"#{field}").fill(value)
    page.locator("#start").click()
    expect(page.locator("#run-state")).to_have_text("done")
    config = server.get("/api/runs/1")["config"]
    assert (config["recipe"], config["dataset"], config["batch_size"], config["epochs"]) == (
        *("tf-tutorial", "strokes", 250, 1),
    )
    assert config["optimizer"] == {"type": "adam", "learning_rate": 0.005}
    assert [layer["type"] for layer in config["network"]["layers"]] == [
        *("dense", "relu", "dropout", "dense", "relu", "dropout", "dense")
    ]
    assert [layer["units"] for layer in config["network"]["layers"] if "units" in layer] == [32, 16, 10]


def test_a_bad_setting_is_said_at_its_field_and_starts_nothing(page, pad_server):
    for field, value in (
        *(("epochs", "-3"), ("epochs", ""), ("learning-rate", "0"), ("batch-size", "1.5"), ("hidden-layers", "x")),
    ):
        page.goto(f"{pad_server.url}/train")
        expect(page.locator("#start")).to_be_enabled()
        page.locator("#settings > summary").click()
        page.locator(f"#{field}").fill(value)
        page.locator("#start").click()
        expect(page.locator(f"#{field}-error")).not_to_be_empty()
    assert pad_server.get("/api/runs")["runs"] == []


def test_a_data_set_that_cannot_be_had_is_explained_and_strokes_are_offered(page, tmp_path, cache_dir):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "train-images-idx3-ubyte").write_bytes(b"not MNIST")
    settings = {"DIGITPAD_DATA_DIR": str(damaged), "DIGITPAD_CACHE_DIR": str(cache_dir)}
    with serve(tmp_path / "home2", **settings) as server:
        page.goto(f"{server.url}/train")
        expect(page.locator("#start")).to_be_enabled()
        page.locator("#settings > summary").click()
        page.locator("#epochs").fill("1")
        page.locator("#start").click()
        expect(page.locator("#run-state")).to_have_text("failed")
        expect(page.locator("#outcome")).to_contain_text("DIGITPAD_DATA_DIR")
        page.locator("#train-on-strokes").click()
        expect(page.locator("#run-state")).to_have_text("done")
        assert server.get("/api/runs/2")["config"]["dataset"] == "strokes"


def test_models_are_chosen_and_removed(page, server):
    run = server.post("/api/runs", {"recipe": "quick", "overrides": TINY})["id"]
    name = until(lambda: (row := server.get(f"/api/runs/{run}"))["state"] == "succeeded" and row["model"])
    page.goto(f"{server.url}/models")
    card = page.locator(f"[data-model='{name}']")
    card.get_by_role("button", name="Make default").click()
    expect(card.locator(".badge").first).to_have_text("default")  # the page has asked anew, and its cards stay
    assert server.get("/api/models")["default"] == name
    card.get_by_role("button", name="Delete").click()
    page.locator("#confirm").click()
    expect(card).to_have_count(0)
    assert server.get("/api/models")["default"] == "mnist-mlp"
