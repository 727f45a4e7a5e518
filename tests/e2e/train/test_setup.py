"""The setup of a training, in a real browser: recipes, every hyperparameter, what it comes to, and its address."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.own_sets import picture
from tests.support.serving import Server, serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAYERS = "() => [...document.querySelectorAll('.layer-type select')].map((one) => one.value)"


def kinds(page: Page) -> list[str]:
    """The layers in the list of the form."""
    return page.evaluate(LAYERS)


def test_a_setup_is_put_together_checked_by_the_server_shared_and_started(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/train")
    card = page.locator(".recipe").filter(has_text="TensorFlow")
    expect(card.locator("svg circle").first).to_be_attached()
    expect(card).to_contain_text("97.6 %")
    for place in ("#dataset", "#start"):
        expect(page.locator(place)).to_be_in_viewport(ratio=1)

    for line in page.locator(".recipe").all():
        expect(line).to_be_in_viewport(ratio=1)  # all in sight at 1280 × 800
    card.locator("input").check(force=True)
    expect(page.locator("#recipe-about a")).to_have_attribute("href", re.compile("tensorflow.org"))
    page.locator("#dataset").select_option("strokes")
    expect(page.locator("#cost-parameters")).to_have_text("101,770")
    expect(page.locator("#cost-time")).to_have_text(re.compile(r"\d"))
    page.locator("#settings > summary").click()
    expect(page.locator("#batch-size")).to_be_visible()
    expect(page.locator("#schedule")).to_be_hidden()
    page.locator("#settings-more > summary").click()
    fields = {field["name"] for group in server.get("/api/schema")["groups"] for field in group["fields"]}
    for name in fields - {"dataset", "network.layers"}:
        expect(page.locator(f"#{name.replace('.', '-').replace('_', '-')}")).to_be_attached()

    page.locator("#optimizer").select_option("momentum")
    expect(page.locator("#learning-rate")).to_have_value("0.01")
    page.get_by_text("More of the optimizer").click()
    page.locator("#optimizer-momentum").fill("0.8")
    page.locator("#patience").fill("3")
    page.locator("#distillation").check()
    expect(page.locator("#distillation-model")).to_have_value("mnist-mlp")
    page.locator("#distillation-weight").fill("0.5")
    page.locator("#epochs").fill("1")
    page.locator("#batch-size").fill("500")
    page.locator("#schedule").select_option("step")
    page.locator("#schedule-every").fill("0")
    expect(page.locator("#schedule-every-error")).to_contain_text("a number")
    page.locator("#schedule").select_option("cosine")

    assert kinds(page) == ["dense", "relu", "dropout", "dense"]
    page.locator("#layer-kind").select_option("batch_norm")
    page.locator("#layer-add").click()
    page.keyboard.press("Shift+Tab")
    page.get_by_role("button", name="Move layer 4").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Alt+ArrowUp")
    assert kinds(page) == ["dense", "batch_norm", "relu", "dropout", "dense"]
    expect(page.locator("#layers-spoken")).to_contain_text("layer 2 of 5")
    expect(page.locator(".layer-shape").first).to_have_text("gives 128; 100,480 parameters")

    page.locator("#layer-kind").select_option("max_pool2d")
    page.locator("#layer-add").click()
    expect(page.locator(".layer .field-error:not(:empty)")).not_to_have_count(0)  # what no range tells, the server does
    expect(page.locator("#cost-note")).to_have_text("It cannot start with these settings.")
    page.get_by_role("button", name="Remove layer 5").click()
    expect(page.locator("#cost-note")).to_contain_text("batches per epoch")
    expect(page.locator("#cost-parameters")).to_have_text("102,026")

    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("#optimizer-momentum")).to_have_value("0.8")
    expect(page.locator("#distillation-weight")).to_have_value("0.5")
    assert kinds(page) == ["dense", "batch_norm", "relu", "dropout", "dense"]
    page.locator("#start").click()
    expect(page.locator("#run-state")).to_have_text("done", timeout=60_000)
    config = server.get("/api/runs/1")["config"]
    assert (config["recipe"], config["dataset"], config["patience"]) == ("tf-tutorial", "strokes", 3)
    assert config["optimizer"] == {"type": "momentum", "learning_rate": 0.01, "momentum": 0.8}
    assert config["schedule"] == {"type": "cosine"}
    taught = config["distillation"]
    assert (taught["model"], taught["weight"], len(taught["sha256"])) == ("mnist-mlp", 0.5, 1)
    assert [layer["type"] for layer in config["network"]["layers"]] == [
        *("dense", "batch_norm", "relu", "dropout", "dense")
    ]
    page.reload()
    expect(page.locator("#run-state")).to_have_text("done", timeout=60_000)
    expect(page.locator("#epochs")).to_have_value("1")  # the address holds both, the run and the setup
    page.goto(f"{server.url}/runs/1")
    expect(page.locator("main")).to_contain_text("50 % of “mnist-mlp”")


def test_an_address_that_asks_for_what_is_not_there_is_said(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/train?recipe=none&layers=5&dataset=nowhere&epochs=-3")
    problems = page.locator("#form-error")
    for words in ("no recipe named “none”", "layers in the address cannot be used: 5"):
        expect(problems).to_contain_text(words)
    expect(page.locator("#dataset-error")).to_contain_text("expected a data set: mnist, ")
    expect(page.locator("#dataset")).to_have_value("nowhere")
    expect(page.locator("#epochs")).to_have_value("-3")
    expect(page.locator("#epochs-error")).not_to_be_empty()
    page.locator("#start").click()
    expect(problems).not_to_be_empty()
    expect(page.locator("#start")).to_be_enabled()  # the answer has come
    assert server.get("/api/runs")["runs"] == []
    page.locator("#reset-settings").click()
    expect(page.locator("#epochs-error")).to_be_empty()
    expect(page.locator("#cost-note")).to_have_text("It cannot start with these settings.")
    page.locator("#start").click()  # never on another set
    expect(problems).to_contain_text("expected a data set: mnist, ")
    expect(page.locator("#start")).to_be_enabled()
    assert server.get("/api/runs")["runs"] == []
    page.locator("#dataset").select_option("strokes")
    expect(page.locator("#dataset-error")).to_be_empty()
    expect(page.locator("#cost-note")).to_contain_text("batches per epoch")


def test_sets_of_ones_own_are_chosen_by_name_and_by_address(page: Page, tmp_path: Path, cache_dir: Path) -> None:
    for label in ("up", "flat"):
        for number in range(12):
            picture(tmp_path / "data" / "bars" / label / f"{number}.png", number)
    (tmp_path / "data" / "bars" / "up" / "notes.txt").write_text("no picture")
    (tmp_path / "data" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "data" / "bars").rename(tmp_path / "data" / "deep" / "er" / "bars")  # too deep to be listed
    (tmp_path / "data" / "bad.npz").write_bytes(b"no arrays")
    shutil.copytree(tmp_path / "data" / "deep" / "er" / "bars", tmp_path / "data" / "bars")
    settings = {"DIGITPAD_CACHE_DIR": str(cache_dir), "DIGITPAD_DATA_DIR": str(tmp_path / "data")}
    with serve(tmp_path / "home", **settings) as server:
        page.goto(f"{server.url}/train?recipe=quick")
        note, error = page.locator("#dataset-note"), page.locator("#dataset-error")
        page.locator("#dataset").select_option("folder:bars")
        expect(note).to_have_text("20 training and 4 test images. Ready to use. Not read (1): up/notes.txt.")
        expect(page.locator("#cost-note")).to_contain_text("batch")
        page.locator("#dataset").select_option("npz:bad.npz")
        expect(error).to_contain_text("npz:bad.npz: expected a complete NumPy .npz file")
        expect(page.locator("#cost-note")).to_have_text("It cannot start with these settings.")
        page.goto(f"{server.url}/train?recipe=quick&epochs=1&dataset=folder:deep/er/bars")
        expect(note).to_contain_text("20 training and 4 test images.")
        page.locator("#start").click()
        expect(page.locator("#run-state")).to_have_text("done", timeout=60_000)
        config = server.get("/api/runs/1")["config"]
        assert (config["dataset"], config["network"]["layers"][-1]["units"]) == ("folder:deep/er/bars", 2)
        page.goto(f"{server.url}/data?set=folder:bars")
        expect(page.locator("#grid-line")).to_contain_text("of 20")
        expect(page.locator("#browse-text")).to_contain_text("Not read (1): up/notes.txt.")


def test_answers_that_come_late_change_nothing_of_what_was_done_meanwhile(page: Page, server: Server) -> None:
    held: dict[str, list[Route]] = {name: [] for name in ("schema", "runs", "estimate")}
    page.route("**/api/schema", lambda route: held["schema"].append(route))
    estimate = {"parameters": 10, "batches": 30, "seconds": 1.0, "layers": []}
    page.route("**/api/estimate", lambda route: route.fulfill(json=estimate))
    page.goto(f"{server.url}/train")
    page.locator("#settings > summary").click()
    page.locator("#settings-more > summary").click()
    expect(page.locator("#hidden-layers")).to_be_disabled()  # what the recipe says would be written over it
    until(lambda: held["schema"] or page.wait_for_timeout(20))
    held["schema"].pop().continue_()
    start, error = page.locator("#start"), page.locator("#epochs-error")
    expect(start).to_be_enabled()
    expect(page.locator("#hidden-layers")).to_be_visible()  # the settings stay open
    expect(page.locator("#hidden-layers")).to_be_enabled()
    expect(page.locator("#cost-note")).to_contain_text("batches per epoch")

    page.route("**/api/runs", lambda route: held["runs"].append(route))
    page.route("**/api/estimate", lambda route: held["estimate"].append(route))
    refusal = {"status": 422, "json": {"error": "epochs: expected fewer", "field": "epochs"}}
    page.locator("#epochs").fill("7")
    until(lambda: held["estimate"] or page.wait_for_timeout(20))
    start.click()
    until(lambda: held["runs"] or page.wait_for_timeout(20))
    held["runs"].pop().fulfill(**refusal)
    expect(error).to_have_text("expected fewer")
    expect(page.locator("#cost-note")).to_have_text("Calculating …")
    held["estimate"].pop().fulfill(json=estimate)
    expect(page.locator("#cost-note")).to_contain_text("batches per epoch")
    expect(error).to_have_text("expected fewer")

    start.click()
    until(lambda: held["runs"] or page.wait_for_timeout(20))
    page.locator("#reset-settings").click()
    held["runs"].pop().fulfill(**refusal)
    expect(start).to_be_enabled()
    expect(error).to_be_empty()
    expect(page.locator("#form-error")).to_be_empty()
