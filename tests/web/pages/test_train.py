"""The dashboard: which run it opens with."""

import json
import re

import pytest

from tests.support.runs import start


def shown(client, address):
    page = client.get(address)
    assert page.status_code == 200
    return json.loads(re.search(r'id="page-data">(.*?)</script>', page.text)[1])["run"]


@pytest.mark.slow
def test_it_opens_with_the_newest_run_unless_the_address_says_what_to_train(client, ended):
    assert shown(client, "/train") is None
    run = start(client)["id"]
    assert shown(client, "/train?recipe=quick") == run  # one that goes on is always shown
    ended(run)
    assert shown(client, "/train") == run
    for asked in ("recipe=quick", "dataset=mnist", "start=mnist-mlp"):
        assert shown(client, f"/train?{asked}") is None
    assert shown(client, "/train?run=99") == run
