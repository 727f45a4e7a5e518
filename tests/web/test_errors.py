"""Every refusal has the one form, in the caller's language, whatever that is."""

import re

import pytest

from app.i18n.catalog import LANGUAGES

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
