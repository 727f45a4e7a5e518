"""Runs in the hands of a person, in a real browser: paused, cancelled, repeated, and through a server's death."""

import json
import os
import re
import signal
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.support.browser import draw
from tests.support.drawings import recorded
from tests.support.home import let_leases_run_out
from tests.support.run_page import epochs
from tests.support.runs import TINY
from tests.support.serving import Server, serve
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ENDED = ("succeeded", "failed", "cancelled")
LONG = {**TINY, "batch_size": 50, "epochs": 1000}


def start(server: Server, overrides: dict = TINY) -> int:
    return int(server.post("/api/runs", {"recipe": "quick", "overrides": overrides})["id"])


def train(server: Server, overrides: dict = TINY) -> int:
    run = start(server, overrides)
    until(lambda: server.get(f"/api/runs/{run}")["state"] in ENDED)
    return run


def workers(server: Server) -> list[int]:
    """The training processes of a server."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == server.process.pid and b"-m\0app.runs.worker\0" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (OSError, ValueError, IndexError):
            continue  # no process, or no longer one
    return found


def one_epoch_on(server: Server, run: int, attempt: int) -> int:
    """Wait until that attempt at a run has done an epoch; the process that is at it."""
    until(lambda: server.get(f"/api/runs/{run}")["attempt"] == attempt)
    before = server.get(f"/api/runs/{run}")["last_seq"]
    until(lambda: server.get(f"/api/runs/{run}")["last_seq"] > before + 1)  # more than "started"
    return workers(server)[0]


def test_a_training_that_diverged_is_tried_again_with_a_smaller_rate(page, server):
    run = train(server, {**TINY, "optimizer": {"type": "sgd", "learning_rate": 1e30}})
    page.goto(f"{server.url}/runs/{run}")
    expect(page.locator("#outcome-title")).to_have_text(re.compile(r"^The loss .*\.$"))
    expect(page.locator("#outcome-text")).to_be_empty()
    expect(page.locator("#panel-log")).to_be_visible()  # there is no curve to show
    for name in ("#tab-curves", "#tab-inside", "#tab-evaluation", ".figures"):
        expect(page.locator(name)).to_be_hidden()
    page.get_by_role("button", name="Try with learning rate 1e+29").click()
    until(lambda: len(server.get("/api/runs")["runs"]) == 2)
    assert server.get("/api/runs")["runs"][0]["config"]["optimizer"] == {"type": "sgd", "learning_rate": 1e29}


def test_a_run_is_paused_and_resumed_where_it_was(page, server):
    run = start(server, LONG)
    page.goto(f"{server.url}/train?run={run}")
    until(lambda: len(epochs(page)) >= 2)
    page.locator("#pause").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#run-state")).to_have_text("paused")
    expect(page.locator("#pause")).to_have_text("Resume")
    expect(page.locator("#pause")).to_be_focused()
    where = re.compile(r"^Paused (in epoch \d+, batch \d+ of \d+|after epoch \d+ of 1000)\.$")
    expect(page.locator("#run-line")).to_have_text(where)
    line, done = page.locator("#run-line").text_content(), len(epochs(page))
    assert abs(int(page.locator("#progress").get_attribute("aria-valuenow")) - 100 * done / 1000) <= 1
    expect(page.locator(f"[data-run='{run}'] .chip")).to_have_text("paused")
    page.reload()
    expect(page.locator("#run-line")).to_have_text(line)

    page.locator("#pause").click()
    until(lambda: len(epochs(page)) >= done + 2)
    expect(page.locator("#run-state")).to_have_text("running")
    expect(page.locator("#pause")).to_have_text("Pause")
    expect(page.locator("#run-attempt")).to_have_text("resumed once")
    assert (found := epochs(page)) == list(range(1, len(found) + 1))


def test_a_run_that_waits_is_held_and_let_go_and_cancelled_without_a_question(page, server):
    first = start(server, LONG)
    waiting = start(server)
    page.goto(f"{server.url}/runs/{waiting}")
    expect(page.locator("#run-line")).to_have_text(f"Waiting for run {first}.")
    page.locator("#pause").click()
    expect(page.locator("#run-line")).to_have_text("Paused before it began.")
    page.locator("#pause").click()
    expect(page.locator("#run-line")).to_have_text(f"Waiting for run {first}.")
    page.locator("#cancel").click()
    expect(page.locator("#run-state")).to_have_text("cancelled")
    expect(page.locator("#pause")).to_be_hidden()
    expect(page.locator("#again")).to_be_visible()
    expect(page.locator("#further")).to_be_hidden()  # there is nothing to go on from


def test_a_run_that_waits_for_more_than_its_turn_says_what_for(page, server):
    first = start(server, LONG)
    sockets, heard = [], []

    def through(route: WebSocketRoute) -> None:
        sockets.append(route)
        server_side = route.connect_to_server()

        def pass_on(message: str) -> None:
            route.send(message)
            heard.append(json.loads(message)["type"])

        server_side.on_message(pass_on)

    page.route_web_socket("**/stream**", through)
    page.goto(f"{server.url}/runs/{start(server)}")
    until(lambda: page.evaluate("1") and "queue" in heard)
    expect(page.locator("#run-line")).to_have_text(f"Waiting for run {first}.")
    sockets[0].send(json.dumps({"type": "queue", "fault": "the disk is full", "ahead": []}))
    expect(page.locator("#run-line")).to_have_text("Waiting: the disk is full.")
    sockets[0].send(json.dumps({"type": "queue", "fault": None, "ahead": []}))
    expect(page.locator("#run-line")).to_have_text("Waiting for its turn.")


def test_the_page_asks_for_a_run_once_and_hears_of_all_else_from_its_stream(page, server):
    run = start(server, LONG)
    asked: Counter[str] = Counter()
    page.on("request", lambda request: asked.update([urlsplit(request.url).path]))
    page.goto(f"{server.url}/runs/{run}")
    state, attempt, pause = page.locator("#run-state"), page.locator("#run-attempt"), page.locator("#pause")
    until(lambda: len(epochs(page)) >= 2)
    expect(state).to_have_text("running")
    pause.click()
    expect(state).to_have_text("paused")
    expect(pause).to_have_text("Resume")
    pause.click()
    expect(state).to_have_text("running")
    expect(attempt).to_have_text("resumed once")
    os.kill(one_epoch_on(server, run, 2), signal.SIGKILL)
    expect(attempt).to_have_text("resumed 2 times")
    expect(state).to_have_text("running")
    server.post(f"/api/runs/{run}/pause", {})  # by somebody else
    expect(state).to_have_text("paused")
    server.post(f"/api/runs/{run}/resume", {})
    expect(attempt).to_have_text("resumed 3 times")
    expect(pause).to_have_text("Pause")
    one_epoch_on(server, run, 4)
    server.post(f"/api/runs/{run}/cancel", {"keep_model": True})
    expect(state).to_have_text("cancelled")
    expect(page.locator("#outcome")).to_contain_text("was saved as “quick-1”")
    expect(page.locator("#delete")).to_be_visible()
    page.wait_for_timeout(4000)  # longer than the pauses between any questions that were asked by the clock
    assert asked[f"/api/runs/{run}"] == 1


def test_a_cancelled_run_s_best_model_is_kept_and_reads(page, server):
    run = start(server, LONG)
    page.goto(f"{server.url}/train?run={run}")
    until(lambda: len(epochs(page)) >= 3)
    page.locator("#cancel").click()
    page.get_by_role("button", name="Keep training").click()
    assert server.get(f"/api/runs/{run}")["cancel_requested"] is False
    page.locator("#cancel").click()
    page.locator("#confirm-keep").click()
    expect(page.locator("#run-state")).to_have_text("cancelled")
    expect(page.locator("#outcome")).to_have_text("Cancelled. Its best model so far was saved as “quick-1”.")
    page.locator("#use-model").click()
    draw(page, recorded()["digit 3"]["strokes"])
    expect(page.locator("#answer-detail")).to_contain_text("quick-1")
    assert server.get(f"/api/runs/{run}")["model"] == "quick-1"


def test_a_run_is_repeated_in_one_click_and_trained_further(page, server):
    run = train(server)
    page.goto(f"{server.url}/runs/{run}")
    page.locator("#again").click()
    expect(page).to_have_url(f"{server.url}/train?run=2")
    expect(page.locator("#run-state")).to_have_text("done")
    assert server.get("/api/runs/2")["config"] == server.get(f"/api/runs/{run}")["config"]

    page.locator("#further").click()
    number = page.get_by_label("Additional epochs")
    expect(number).to_have_value("2")
    number.fill("0")
    page.locator("#confirm").click()
    expect(number).to_be_visible()  # no run for no epochs
    number.fill("3")
    number.press("Enter")
    expect(page).to_have_url(f"{server.url}/train?run=3")
    expect(page.locator("#run-state")).to_have_text("done")
    until(lambda: epochs(page) == [3, 4, 5])
    config = server.get("/api/runs/3")["config"]
    assert (config["epochs"], config["start"]["run"]) == (5, 2)
    page.locator("#further").click()
    expect(number).to_have_value("3")


def test_a_run_whose_process_dies_again_and_again_goes_on_from_its_last_checkpoint(page, server):
    run = start(server, LONG)
    page.goto(f"{server.url}/train?run={run}")
    for attempt in (1, 2, 3):  # they are forgiven, as an epoch was done in between
        worker = one_epoch_on(server, run, attempt)
        if attempt > 1:
            resumed = {2: "resumed once", 3: "resumed 2 times"}[attempt]
            expect(page.locator("#run-attempt")).to_have_text(resumed)
        os.kill(worker, signal.SIGKILL)
    for attempt in (4, 5):
        until(lambda attempt=attempt: server.get(f"/api/runs/{run}")["attempt"] == attempt and workers(server))
        os.kill(workers(server)[0], signal.SIGKILL)
    expect(page.locator("#run-state")).to_have_text("failed")
    expect(page.locator("#outcome")).to_contain_text("Nothing is lost: resume from its last checkpoint.")
    done = sum(event["type"] == "epoch" for event in server.get(f"/api/runs/{run}/events")["events"])
    until(lambda: epochs(page) == list(range(1, done + 1)))
    page.locator("#go-on").click()
    expect(page).to_have_url(f"{server.url}/train?run=2")
    until(lambda: epochs(page)[:2] == [done + 1, done + 2])


def test_a_model_is_fine_tuned_from_its_card(page, server):
    page.goto(f"{server.url}/models")
    page.locator("[data-model=mnist-mlp]").get_by_role("link", name="Fine-tune").click()
    expect(page).to_have_url(f"{server.url}/train?start=mnist-mlp")
    expect(page.locator("#start-from")).to_have_value("mnist-mlp")
    expect(page.locator("#hidden-layers")).to_be_disabled()
    page.locator("#dataset").select_option("strokes")
    page.locator("#epochs").fill("1")
    expect(page.locator("#start")).to_have_text("Start fine-tuning")
    page.locator("#start").click()
    expect(page.locator("#run-state")).to_have_text("done")
    config = server.get("/api/runs/1")["config"]
    assert (config["start"]["model"], config["dataset"], config["epochs"]) == ("mnist-mlp", "strokes", 1)
    layers = server.get("/api/models/mnist-mlp")["network"]["layers"]
    assert [layer["type"] for layer in config["network"]["layers"]] == [layer["type"] for layer in layers]
    mine = server.get("/api/runs/1")["model"]
    expect(page.locator(f"#start-from option[value='{mine}']")).to_have_count(1)  # what was made can be started from


def test_what_the_server_refuses_to_start_from_is_said_at_the_form(page, server):
    model = server.get(f"/api/runs/{train(server)}")["model"]
    page.goto(f"{server.url}/train?start={model}")
    expect(page.locator("#start-from")).to_have_value(model)
    page.evaluate(f"fetch('/api/models/{model}', {{method: 'DELETE'}})")
    until(lambda: model not in [entry["name"] for entry in server.get("/api/models")["models"]])
    page.locator("#start").click()
    expect(page.locator("#form-error")).to_contain_text(model)
    assert len(server.get("/api/runs")["runs"]) == 1
    page.goto(f"{server.url}/train?start=nothing")
    expect(page.locator("#form-error")).to_contain_text("There is no usable model named “nothing”")
    expect(page.locator("#start-from")).to_have_value("")


def test_a_server_that_is_killed_and_comes_back_leaves_no_gap_in_the_curve(page, tmp_path, cache_dir):
    home, settings = tmp_path / "killed", {"DIGITPAD_CACHE_DIR": str(cache_dir)}
    with serve(home, **settings) as server:
        port = int(server.url.rpartition(":")[2])
        run = start(server, {**LONG, "epochs": 30})
        page.goto(f"{server.url}/train?run={run}")
        page.evaluate("window.neverReloaded = true")
        until(lambda: len(epochs(page)) >= 2)
        server.process.kill()
        server.process.wait()
    away = re.compile(r"^Connection lost, trying again in \d+ s\. The training continues\.$")
    expect(page.locator("#run-away")).to_have_text(away)
    page.locator("#pause").click()
    expect(page.locator("#run-error")).to_have_text("The server is not responding. Try again in a moment.")
    let_leases_run_out(home)
    with serve(home, port=port, **settings) as server:
        expect(page.locator("#run-away")).to_be_hidden()
        until(lambda: len(epochs(page)) >= 4)
        expect(page.locator("#run-attempt")).to_have_text("resumed once")
        expect(page.locator("#run-state")).to_have_text("done")
        until(lambda: epochs(page) == list(range(1, 31)))
        said = [
            event["data"]["epoch"]
            for event in server.get(f"/api/runs/{run}/events")["events"]
            if event["type"] == "epoch"
        ]
        assert said == epochs(page)
        assert page.evaluate("window.neverReloaded") is True


def test_another_database_behind_the_same_port_starts_the_view_afresh(page, tmp_path, cache_dir):
    settings = {"DIGITPAD_CACHE_DIR": str(cache_dir)}
    with serve(tmp_path / "other", **settings) as server:
        other = int(server.post("/api/runs", {"recipe": "tf-tutorial", "overrides": {**TINY, "epochs": 3}})["id"])
        until(lambda: server.get(f"/api/runs/{other}")["state"] == "succeeded")
    with serve(tmp_path / "first", **settings) as server:
        port = int(server.url.rpartition(":")[2])
        assert start(server, LONG) == other
        page.goto(f"{server.url}/runs/{other}")
        until(lambda: len(epochs(page)) >= 5)
    with serve(tmp_path / "other", port=port, **settings):
        expect(page.locator("#run-title")).to_contain_text("TensorFlow's first tutorial")
        expect(page.locator("#run-state")).to_have_text("done")
        until(lambda: epochs(page) == [1, 2, 3])
        expect(page.locator("#outcome")).to_contain_text("Saved as the model “tf-tutorial-1”.")
        expect(page.locator("#config-list")).to_contain_text("TensorFlow's first tutorial")


def test_a_run_that_another_database_does_not_know_says_so(page, tmp_path, cache_dir):
    settings = {"DIGITPAD_CACHE_DIR": str(cache_dir)}
    with serve(tmp_path / "first", **settings) as server:
        port = int(server.url.rpartition(":")[2])
        page.goto(f"{server.url}/runs/{start(server, LONG)}")
        until(lambda: len(epochs(page)) >= 1)
    with serve(tmp_path / "empty", port=port, **settings):
        expect(page.locator("#run-away")).to_have_text("This run no longer exists.")
        expect(page.locator("#pause")).to_be_hidden()
