"""JSON is read without a search for cycles, which goes on afterwards."""

import gc

import pytest

from app.errors import RequestError
from app.web.api.request_body import parse_json


def test_the_search_for_cycles_rests_while_json_is_read_and_goes_on_after_errors_too():
    assert gc.isenabled()
    before = gc.get_stats()[0]["collections"]
    assert len(parse_json(b"[" + b"[]," * 100_000 + b"[]]")) == 100_001
    assert gc.get_stats()[0]["collections"] < before + 20
    with pytest.raises(RequestError, match="not valid JSON"):
        parse_json(b"[")
    assert gc.isenabled()
