"""Bytes thrown at every parser of bodies, and at the whole API as its OpenAPI document describes it.

The examples are the same at every run, unless DIGITPAD_FUZZ_EXAMPLES asks for more, as `make fuzz` does.
"""

import functools
import json
import os
import re
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from app.data import from_strokes
from app.errors import InputError
from app.main import create_app
from app.settings import Settings
from tests.hostile.corpus import corpus
from tests.hostile.images import BAD, BOUNDARY, JPEG, PNG, form
from tests.hostile.models import ZIPS
from tests.hostile.parsers import PARSERS, attempt
from tests.support.errors import form_of_errors

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("DIGITPAD_FUZZ_EXAMPLES", 0))
FUZZ = settings(
    max_examples=EXAMPLES or 150,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
PLACES = {"name": "mnist-mlp", "version": "1", "run": "1", "drawing_id": "0" * 14 + "-" + "0" * 8}
"""For the parts of addresses; the others are "1"."""
KINDS = [
    *("", "application/json", "image/png", "image/jpeg", "application/octet-stream", "application/zip", "text/plain"),
    *(f"multipart/form-data; boundary={BOUNDARY}", "multipart/form-data"),
]


@functools.cache
def seeds():
    """The beginnings of files of every kind."""
    made = (make() for make in (*BAD.values(), *ZIPS.values()))
    return [data[:20_000] for data in (PNG, JPEG, *made, form(PNG))]


NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False), st.sampled_from([10**400, -0.0, 1e308, 2**63]))
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=20))
KEYS = st.sampled_from(
    [
        *(
            "pixels",
            "strokes",
            "image",
            "label",
            "set",
            "recipe",
            "overrides",
            "network",
            "layers",
            "optimizer",
            "epochs",
        ),
        *("inputs", "outputs", "parameters", "name", "shape", "datatype", "data", "binary_data_size", "type", "id"),
    ]
)
DOCUMENTS = st.recursive(
    st.one_of(LEAVES, st.lists(st.lists(st.lists(NUMBERS, max_size=3), max_size=3), max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=30,
)


@st.composite
def damaged(draw, files=None):
    """A file that is nearly right: cut, with bytes turned, or with some put in."""
    data = bytearray(draw(st.sampled_from(files or seeds())))
    for _ in range(draw(st.integers(0, 8))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    place = draw(st.integers(0, len(data)))
    return bytes(data[:place] + draw(st.binary(max_size=20)) + data[place + draw(st.integers(0, 9)) :])


BODIES = st.one_of(st.binary(max_size=300), damaged(), DOCUMENTS.map(lambda document: json.dumps(document).encode()))


@pytest.fixture(scope="module")
def client(tmp_path_factory, cache_dir):
    home = tmp_path_factory.mktemp("home")
    made = Settings(home=home, cache_dir=cache_dir, allowed_hosts="testserver", _env_file=None)
    with TestClient(create_app(made), raise_server_exceptions=False) as running:
        yield running


@functools.cache
def calls(client):
    """The method and address of every call that takes a body."""
    paths = client.get("/openapi.json").json()["paths"]
    return [
        (method, re.sub(r"{(\w+)}", lambda part: PLACES.get(part[1], "1"), path))
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "requestBody" in operation
    ]


@settings(FUZZ, max_examples=2 * FUZZ.max_examples)
@given(place=st.integers(0, 999), kind=st.sampled_from(KINDS), body=BODIES, split=st.integers(-1, 400))
def test_bytes_at_every_call(client, place, kind, body, split):
    method, path = calls(client)[place % len(calls(client))]
    headers = {"inference-header-content-length": str(split)} if split >= 0 else {}
    response = client.request(
        method, path, content=body, headers={**headers, **({"content-type": kind} if kind else {})}
    )
    assert response.status_code < 500 or response.status_code == 503, (path, response.text)
    if response.status_code >= 400:
        assert set(response.json()) == form_of_errors(path)


def test_every_call_with_a_body_is_among_them(client):
    assert len(calls(client)) >= 20
    assert {("put", "/api/datasets/images:mnist-mlp"), ("post", "/predict")} <= set(calls(client))


@pytest.mark.filterwarnings("ignore:Reading `.npy`", "ignore::ResourceWarning")  # a file of a form that ends early
@pytest.mark.parametrize("parser", PARSERS)
def test_bytes_at_every_parser(parser):
    @FUZZ
    @given(data=st.one_of(damaged(corpus(parser)), st.binary(max_size=200)))
    def run(data):
        attempt(parser, data)

    run()


@FUZZ
@given(strokes=DOCUMENTS)
def test_documents_as_strokes(strokes):
    try:
        assert from_strokes(strokes).pixels.shape == (28, 28)
    except InputError:
        """It is none."""


@FUZZ
@given(
    path=st.text(max_size=60),
    headers=st.dictionaries(
        st.sampled_from(["host", "origin", "cookie", "authorization"]),
        st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=60),
    ),
)
def test_text_as_paths_and_headers(client, path, headers):
    response = client.request(
        "POST", "/" + quote(path), headers={**headers, "host": headers.get("host", "") or "testserver"}
    )
    assert 400 <= response.status_code < 500 or response.status_code in (200, 307)


def test_the_api_keeps_to_its_document(client):
    """Schemathesis, over every call of the OpenAPI document but those that would train for long."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", client.app)
    _run(schema, client)


def _run(schema, client) -> None:
    checks = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
    calls = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(FUZZ, max_examples=EXAMPLES or 15)
        @given(case=operation.as_strategy())
        def run(case):
            case.call_and_validate(session=client, base_url="http://testserver", checks=checks)

        run()
        calls += 1
    assert calls > 20
