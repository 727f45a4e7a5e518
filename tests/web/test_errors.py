"""Every refusal has the one form, in the caller's language, whatever that is."""

import re

import pytest

from app.errors import Message
from app.i18n.catalog import LANGUAGES
from app.recipes import get_recipe
from app.runs.config.run_config import parse_config
from app.runs.log.state import RunState

KANA = re.compile("[ぁ-ヿ一-龯]")
FORM = {"error", "code", "field", "params"}
REFUSALS = (
    ("GET", "/api/runs/999", None, 404, "unknown_run"),
    ("GET", "/api/runs/nine", None, 422, "invalid"),
    ("POST", "/api/runs", {"recipe": "none"}, 422, "invalid"),
    ("POST", "/api/runs", {"recipe": "quick", "overrides": {"epochs": 0}}, 422, "invalid"),
    ("POST", "/api/runs", {"recipe": "quick", "overrides": {"optimizer": {"learning_rate": -1}}}, 422, "invalid"),
    ("GET", "/api/models/none", None, 404, "unknown_model"),
    ("DELETE", "/api/models/mnist-mlp", None, 409, "protected_model"),
    ("POST", "/predict", {"strokes": "x"}, 422, "invalid"),
    ("POST", "/predict?model=none", {"strokes": []}, 404, "unknown_model"),
    ("GET", "/api/nothing", None, 404, "not_found"),
    ("PUT", "/api/runs", None, 405, "method_not_allowed"),
    ("GET", "/api/datasets/nowhere", None, 404, "not_found"),
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("method", "path", "body", "status", "code"), REFUSALS)
def test_a_refusal_is_in_the_callers_language_with_code_field_and_params(
    client, language, method, path, body, status, code
):
    answer = client.request(method, path, json=body, headers={"accept-language": language})
    said = answer.json()
    assert (answer.status_code, set(said), said["code"]) == (status, FORM, code)
    assert bool(KANA.search(said["error"])) == (language == "ja"), said["error"]
    assert answer.headers["content-language"] == language


def test_the_pages_cookie_goes_before_accept_language(client):
    headers = {"cookie": "digitpad-language=ja", "accept-language": "en"}
    assert KANA.search(client.get("/api/runs/999", headers=headers).json()["error"])


@pytest.mark.parametrize("header", ["tlh", "xx-YY;q=9", "\u00e9", "*;q=0", "en;q=", ";;;,,,", "ja" * 5000])
@pytest.mark.parametrize("cookie", ["tlh", "../../x", "%00", "{}", "ja;ja"])
def test_a_language_that_nobody_has_is_answered_in_english_or_japanese(client, header, cookie):
    headers = {"accept-language": header.encode("latin-1", "replace"), "cookie": f"digitpad-language={cookie}"}
    answer = client.get("/api/runs/999", headers=headers)
    assert answer.status_code == 404
    assert answer.headers["content-language"] in LANGUAGES


def test_the_field_and_the_values_of_a_refusal_are_given_apart(client):
    refused = client.post(
        "/api/runs", json={"recipe": "quick", "overrides": {"optimizer": {"learning_rate": -1}}}
    ).json()
    assert refused["field"] == "optimizer.learning_rate"
    assert "-1" in str(refused["params"])


def test_what_a_stranger_sends_is_no_markup_on_the_page_of_an_error(client):
    page = client.get("/<script>{{7*7}}{path}</script>", headers={"accept": "text/html", "accept-language": "ja"})
    assert page.status_code == 404
    assert "<script>{{7*7}}" not in page.text
    assert "49" not in page.text.partition("</h1>")[2][:500]


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_a_run_failed_is_told_in_the_readers_language_and_old_english_as_it_is(client, language):
    client.app.state.services.supervisor.stop()  # the runs of this test are nobody's to train
    log = client.app.state.services.log
    config = parse_config({**get_recipe("quick").config, "dataset": "strokes"})
    headers = {"accept-language": language, "cookie": f"digitpad-language={language}"}
    for error in (Message("there was not enough memory; a smaller network or batch size may help"), "it was too hot"):
        run = log.add(config)
        log.finish(log.claim("me"), RunState.FAILED, {"reason": "memory"}, error=error)
        told = isinstance(error, Message) and language == "ja"
        assert bool(KANA.search(client.get(f"/api/runs/{run}", headers=headers).json()["error"])) == told
        last = client.get(f"/api/runs/{run}/events", headers=headers).json()["events"][-1]
        assert bool(KANA.search(last["data"]["error"])) == told
        with client.websocket_connect(f"/api/runs/{run}/stream", headers=headers) as socket:
            hello, *_, failed = (socket.receive_json() for _ in range(3))
        assert bool(KANA.search(hello["run"]["error"])) == told
        assert (failed["type"], bool(KANA.search(failed["data"]["error"]))) == ("failed", told)
