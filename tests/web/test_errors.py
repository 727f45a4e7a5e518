"""Every refusal has the one form, in the caller's language, whatever that is."""

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from types import UnionType
from typing import Union, get_args, get_origin

import pytest
from starlette.websockets import WebSocketDisconnect

from app.errors import Message
from app.i18n.catalog import LANGUAGES
from app.recipes import get_recipe
from app.runs.config.run_config import Distillation, Personal, RunConfig, Start, parse_config
from app.runs.log.state import RunState
from app.settings import Settings
from app.web.api.routing import RequestBody
from app.web.middleware.security import SecurityMiddleware, SecurityRules

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


STROKES = {"strokes": [[[1, 2], [3, 4]]]}
EXPLAINED = {"drawing": STROKES, "label": "1", "layer": 0}
DETAILS = (
    ("/predict", b"", None, "expected JSON in the body; got nothing"),
    ("/predict", b"{", None, "not valid JSON: line 1, column 1"),
    ("/predict", [STROKES, {"strokes": "x"}], "[1].strokes", "expected a list of strokes; got 'x'"),
    ("/predict", {"image": "aGk="}, "image", "expected a PNG or JPEG image; got 2 bytes of something else"),
    ("/predict", {"image": None}, "image", "expected base64 or a data URL; got null"),
    ("/predict", {}, None, "expected an object with one of pixels, strokes and image; got {}"),
    ("/predict", {"pixels": [[1], [1, 2]]}, "pixels", "expected 28×28 or 784 numbers; got 2 rows of different lengths"),
    ("/predict", {"pixels": [True]}, "pixels", "expected numbers; got true at position 0"),
    ("/api/doctor", {}, None, "expected exactly one of strokes and image; got 0"),
    ("/api/doctor", {"image": "aGk="}, "image", "expected a PNG or JPEG image; got 2 bytes of something else"),
    ("/api/doctor", {"image": "", "brush": 3}, "brush", "expected only with strokes; got an image"),
    ("/api/doctor", {**STROKES, "canvas": 1e300}, "canvas", "expected a number ≤ 1e+12; got 1e+300"),
    ("/api/drawings/import", {"format": "digitpad-drawings", "version": 1}, "drawings", "1 to 5000; got null"),
    ("/api/models/mnist-mlp/rename", {"name": "BAD NAME"}, "name", "starting with a letter or digit; got 'BAD NAME'"),
    ("/api/models/mnist-mlp/rename", {"name": "checkpoints"}, "name", "the name 'checkpoints' is reserved"),
    ("/api/runs", b"[", None, "not valid JSON: line 1, column 1"),
    ("/api/runs", {"loss": 3}, "loss", "expected a name, or an object with a type; got 3"),
    ("/api/runs", {"validation": "x"}, "validation", "expected a share between 0 and 1, \"test\" or null; got 'x'"),
    ("/api/runs", {"dtype": "x"}, "dtype", "expected one of 'float32', 'float64'; got 'x'"),
    ("/api/runs", {"weight_decay": True}, "weight_decay", "expected a number; got true"),
    ("/api/runs", {"start": {"model": "nosuch"}}, "start.model", "there is no model nosuch"),
    ("/api/runs", {"start": {"run": 999}}, "start.run", "this run no longer exists"),
    ("/api/explain/step", {**EXPLAINED, "optimizer": {}}, "unit", "expected layer and unit, both or neither; got one"),
    ("/api/explain/numerical", {**EXPLAINED, "places": ["x"]}, "places[0]", "expected a whole number; got 'x'"),
    (
        "/api/explain/numerical",
        {**EXPLAINED, "parameter": "x"},
        "parameter",
        "expected one of weight, bias in this layer",
    ),
)
ENGLISH = re.compile(r"\b(?:an|the|of|or|and|with|at|is|got|expected|nothing|none|None|True|False|line|column)\b")


@pytest.mark.parametrize(("path", "body", "field", "text"), DETAILS)
def test_a_refusal_names_the_field_and_has_no_english_in_japanese(client, path, body, field, text):
    if path == "/api/runs" and not isinstance(body, bytes):
        body = {"recipe": "quick", "overrides": body}
    content = body if isinstance(body, bytes) else json.dumps(body)
    english, japanese = (
        client.post(path, content=content, headers={"accept-language": language}).json() for language in ("en", "ja")
    )
    assert text in english["error"]
    assert (english["field"], japanese["field"]) == (field, field)
    assert KANA.search(japanese["error"])
    assert not ENGLISH.search(re.sub("'.*?'", "", japanese["error"]))


def test_a_form_that_cannot_be_read_is_refused_in_the_callers_language(client):
    headers = {"content-type": "multipart/form-data", "accept-language": "ja"}
    answer = client.post("/predict", content=b"x", headers=headers)
    assert answer.status_code == 400
    assert KANA.search(answer.json()["error"])


@pytest.mark.parametrize(
    ("path", "english"),
    [
        ("/api/runs/999/stream", "there is no run 999"),
        ("/api/runs/٢/stream", "expected whole numbers for the run and for after"),
        ("/api/runs/1/stream?after=²", "expected whole numbers for the run and for after"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_socket_is_closed_with_the_reason_in_the_callers_language(client, path, english, language):
    headers = {"accept-language": language}
    with client.websocket_connect(path, headers=headers) as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    reason = closed.value.reason
    assert closed.value.code == 1008
    assert len(reason.encode()) <= 123
    assert reason == english if language == "en" else KANA.search(reason)


def test_a_socket_that_may_not_be_opened_is_refused_in_the_callers_language():
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    rules = SecurityRules(Settings(allowed_hosts="testserver", _env_file=None))
    headers = [(b"host", b"elsewhere.example"), (b"accept-language", b"ja")]
    extensions = {"websocket.http.response": {}}
    scope = {"type": "websocket", "path": "/", "query_string": b"", "headers": headers, "extensions": extensions}
    with ThreadPoolExecutor(1) as pool:  # this thread may have a loop, the browser's
        pool.submit(asyncio.run, SecurityMiddleware(None, rules)(scope, receive, send)).result()
    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert KANA.search(json.loads(sent[1]["body"])["error"])


def test_the_missing_one_of_two_parameters_is_named(client):
    assert client.get("/api/explain/path?x=1").json()["field"] == "y"
    assert client.get("/api/explain/path?y=1").json()["field"] == "x"


def descendants(base):
    return {base} | {kind for inner in base.__subclasses__() for kind in descendants(inner)}


def test_the_branches_of_no_union_are_named_in_an_error():
    found = {
        (kind.__name__, name)
        for base in (RequestBody, RunConfig, Start, Personal, Distillation)
        for kind in descendants(base)
        for name, field in kind.model_fields.items()
        if get_origin(field.annotation) in (Union, UnionType)
        and len(set(get_args(field.annotation)) - {type(None)}) > 1
    }
    assert found == {("RunConfig", "loss"), ("RunConfig", "validation")}, (
        "which are checked before Pydantic checks them"
    )


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
